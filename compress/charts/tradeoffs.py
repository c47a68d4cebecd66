"""The chart of errors against bytes."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from compress.charts.figure import (
    FLOOR,
    METHOD_COLOURS,
    METHOD_SYMBOLS,
    MUTED,
    PRECISION_NAMES,
    PRECISION_SYMBOLS,
    figure,
    log_range,
)
from compress.files import bytes_text


def tradeoffs(
    table: pd.DataFrame,
    front: Sequence[int],
    pinned: Sequence[int],
    whole: int,
    log: bool,
    bounds: Mapping[str, Callable] | None = None,
) -> go.Figure:
    """Relative error against bytes, one point a setting. Colour is the method, the sign the precision of its factors or else the
    method too.

    table: a row a setting, with its columns method, label, setting, bits, n_bytes, ratio, error, curve (whether it lies on a line
    with its neighbours) and preview. front, pinned: rows of the table. whole: bytes of the matrix in float32. bounds: lines under
    the points, each the error at an array of ratios. Every point's first customdata is its setting, which is how a click is told.
    """
    shown = table.assign(error=np.maximum(table["error"], FLOOR)) if log else table
    chart = figure("size, and below it the ratio to float32", "relative error", height=520, clickmode="event+select")
    best = shown.iloc[list(front)]
    chart.add_scatter(
        x=best["n_bytes"],
        y=best["error"],
        name="front",
        mode="lines",
        hoverinfo="skip",
        line={"color": "rgba(128, 128, 128, 0.35)", "width": 9, "shape": "hv"},  # a size gets the best setting that is no larger
    )
    add_bounds(chart, bounds or {}, whole, table["n_bytes"], log)
    for (method, bits), rows in shown.groupby(["method", "bits"], sort=False):
        add_settings(chart, method, bits, rows)
    add_keys(chart, table)
    ring(chart, shown.iloc[list(pinned)])
    chart.update_xaxes(**size_axis(table["n_bytes"], whole))
    chart.update_yaxes(**error_axis(shown["error"], log))
    return chart


def add_bounds(chart: go.Figure, bounds: Mapping[str, Callable], whole: int, sizes: pd.Series, log: bool) -> None:
    """A line for each bound, over the sizes shown, the first one dashed and the others dotted."""
    n_bytes = np.geomspace(max(min(sizes.min(), whole / 256), 1), max(sizes.max(), whole), 300)
    for dash, (name, errors) in zip(("dash", "dot", "dot"), bounds.items(), strict=False):
        chart.add_scatter(
            x=n_bytes,
            y=np.maximum(errors(whole / n_bytes), FLOOR) if log else errors(whole / n_bytes),
            name=name,
            mode="lines",
            line={"color": MUTED, "width": 2, "dash": dash},
            customdata=whole / n_bytes,
            hovertemplate=f"{name}<br>%{{x:.3s}}B, ratio %{{customdata:.3g}}<br>error %{{y:.3g}}<extra></extra>",
        )


def add_settings(chart: go.Figure, method: str, bits: int, rows: pd.DataFrame) -> None:
    """The settings of one method at one precision. Those of a curve are a line with a sign here and there; the points between
    the signs can be met and chosen too."""
    colour, symbol = METHOD_COLOURS.get(method, MUTED), METHOD_SYMBOLS.get(method) or PRECISION_SYMBOLS.get(bits, "circle")
    curve = bool(rows["curve"].all())
    rows = rows.sort_values("n_bytes")
    signs = np.ones(len(rows), bool)
    if curve:
        places = np.log(rows["n_bytes"].to_numpy())
        signs = np.diff(np.floor((places - places[0]) / np.log(1.35)), prepend=-1) > 0
    chart.add_scatter(
        x=rows["n_bytes"],
        y=rows["error"],
        legendgroup=method,
        showlegend=False,
        mode="lines+markers" if curve else "markers",
        line={"color": colour, "width": 1.5},
        marker={
            "color": colour,
            "symbol": symbol,
            "size": np.where(signs, 8 if curve else 10, 5),
            "opacity": signs.astype(float),
            "line": {"width": 0},
        },
        selected={"marker": {"size": 16, "opacity": 1}},
        customdata=rows[["setting", "ratio", "preview"]].assign(preview=np.where(rows["preview"], ", preview", "")),
        hovertemplate="%{customdata[0]}<br>%{x:.3s}B, ratio %{customdata[1]:.3g}<br>error %{y:.3g}%{customdata[2]}<extra></extra>",
    )


def add_peers(chart: go.Figure, peers: Sequence[tuple[str, int, float]], whole: int, log: bool) -> None:
    """Crosses for other programs' codes: names, bytes, recall; open for those that rescore by the original, which is then kept
    too."""
    for legend, symbol, rescored in (("vector databases", "x", False), ("the same, rescored", "x-open", True)):
        shown = [(name, n_bytes, 1 - recall) for name, n_bytes, recall in peers if ("rescored" in name) is rescored]
        if shown:
            names, sizes, lost = zip(*shown, strict=True)
            chart.add_scatter(
                x=sizes,
                y=np.maximum(lost, FLOOR) if log else lost,
                name=legend,
                mode="markers",
                marker={"color": MUTED, "symbol": symbol, "size": 10},
                customdata=[(name, whole / size) for name, size in zip(names, sizes, strict=True)],
                hovertemplate="%{customdata[0]}<br>%{x:.3s}B, ratio %{customdata[1]:.3g}<br>1 − recall %{y:.3g}<extra></extra>",
            )


def ring(chart: go.Figure, rows: pd.DataFrame) -> None:
    """A numbered ring around each of these settings, with a dot in it for a preview; the legend tells their names."""
    for number, row in enumerate(rows.itertuples(), start=1):
        colour = METHOD_COLOURS.get(row.method, MUTED)
        chart.add_scatter(
            x=[row.n_bytes],
            y=[row.error],
            name=f"{number}: {row.setting}" + (", preview" if row.preview else ""),
            mode="markers+text",
            text=[f"<b>{number}</b>"],
            textposition="top right",
            textfont={"size": 15},
            cliponaxis=False,
            hoverinfo="skip",
            marker={
                "color": colour,
                "symbol": "circle-open-dot" if row.preview else "circle-open",
                "size": 18,
                "line": {"width": 3, "color": colour},
            },
        )


def add_keys(chart: go.Figure, table: pd.DataFrame) -> None:
    """The legend: a colour for every method, which hides and shows it, and a sign for every precision."""
    for method, label in table[["method", "label"]].drop_duplicates().itertuples(index=False):
        marker = {"color": METHOD_COLOURS.get(method, MUTED), "size": 11, "symbol": METHOD_SYMBOLS.get(method, "circle")}
        chart.add_scatter(x=[None], y=[None], name=label, legendgroup=method, mode="markers", marker=marker)
    signed = table[~table["method"].isin(METHOD_SYMBOLS)]
    for bits in sorted(set(signed["bits"]) & set(PRECISION_SYMBOLS), reverse=True):
        marker = {"color": MUTED, "size": 10, "symbol": PRECISION_SYMBOLS[bits]}
        chart.add_scatter(x=[None], y=[None], name=PRECISION_NAMES[bits], legendgroup=f"bits {bits}", mode="markers", marker=marker)


def size_axis(n_bytes: pd.Series, whole: int) -> dict:
    """A log axis of bytes whose ticks lie at round ratios, from the matrix's own size down to where little is left."""
    low = max(n_bytes.min(), min(whole / 256, n_bytes.max() / 2)) / 1.1
    high = 1.1 * max(1.1 * whole, n_bytes.min())
    ratios = [round_number * 10**power for power in range(6) for round_number in (1, 3)]
    ratios = [ratio for ratio in ratios if low <= whole / ratio <= high]
    return {
        "type": "log",
        "range": [float(np.log10(low)), float(np.log10(high))],
        "tickvals": [whole / ratio for ratio in ratios],
        "ticktext": [f"{bytes_text(whole / ratio)}<br>{ratio} ×" for ratio in ratios],
        "tickangle": 0,
    }


def error_axis(errors: pd.Series, log: bool) -> dict:
    """The axis of relative errors: five decades at most where it is a log axis, else from 0."""
    if log:
        return {"type": "log", "exponentformat": "power", "dtick": 1, "range": log_range(errors.to_numpy(), 5)}
    return {"range": [-0.02, float(max(min(errors.max(), 1.5), 0.05)) * 1.04]}
