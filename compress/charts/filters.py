"""Charts of which filters a network needs: sensitivities, filters kept, bounds and errors, accuracy against size, feature maps."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from compress.charts.figure import MUTED, figure, plain
from compress.charts.palette import CATEGORIES, SEQUENTIAL

KEPT, DROPPED = CATEGORIES[0], CATEGORIES[1]
BY = {
    "sensitivity": ("sensitivity", CATEGORIES[3], "circle"),
    "norm": ("filter norm", CATEGORIES[0], "square"),
    "random": ("random", CATEGORIES[2], "diamond"),
    "bn_scale": ("batch-norm scale", CATEGORIES[6], "triangle-up"),
}  # name, colour and sign of each way of choosing
ROW, FRAME = 26, 110  # pixels of a bar, and of what stands over and under the bars
MEASURED = {"mean": "measured, mean", "largest": "measured, largest"}  # names of what stands beside bounds
MANY = 128  # bars without an outline
DECADES = 5  # of a log axis
COLUMNS = 8  # of a grid of feature maps
SIDE = 0.9  # of a feature map in its cell


def sensitivities(values: np.ndarray, kept: np.ndarray) -> go.Figure:
    """Sensitivities (n,) of the filters of a layer from the largest down, the kept ones (a mask) apart."""
    chart = figure("filter, by sensitivity", "sensitivity", height=340, barmode="overlay", bargap=0.15)
    order = np.argsort(-values, kind="stable")
    places = np.arange(1, len(values) + 1)
    groups: dict[str, tuple[np.ndarray, dict[str, Any]]] = {
        "kept": (kept[order], {"color": KEPT}),
        "dropped": (~kept[order], {"color": DROPPED, "pattern": {"shape": "/", "fillmode": "replace", "fgcolor": DROPPED}}),
    }
    for name, (which, marker) in groups.items():
        chart.add_bar(
            x=places[which],
            y=values[order][which],
            name=f"{name}, {which.sum()}",
            marker={**marker, "line": {"color": marker["color"], "width": int(len(values) <= MANY)}},
            customdata=order[which],
            hovertemplate=f"filter %{{customdata}}, {name}<br>sensitivity %{{y:.3g}}<extra></extra>",
        )
    chart.update_xaxes(range=[0.4, len(values) + 0.6])
    return chart.update_yaxes(rangemode="tozero")


def counts(table: pd.DataFrame) -> go.Figure:
    """Filters kept of all, a bar a layer. table: a row a layer, with its columns layer, kept, all."""
    chart = rows_figure("filters", table["layer"], barmode="overlay")
    names = places(table)
    chart.add_bar(
        x=table["all"],
        y=names,
        orientation="h",
        name="all",
        hoverinfo="skip",
        marker={"color": "rgba(128, 128, 128, 0.15)", "line": {"color": MUTED, "width": 1}},
    )
    chart.add_bar(
        x=table["kept"],
        y=names,
        orientation="h",
        name="kept",
        marker={"color": KEPT},
        text=[f"{kept} of {whole}" for kept, whole in zip(table["kept"], table["all"], strict=True)],
        textposition="none",
        customdata=table["kept"] / table["all"],
        hovertemplate="%{text} filters kept, %{customdata:.0%}<extra></extra>",
    )
    return chart


def bounds(table: pd.DataFrame, most: float) -> go.Figure:
    """The bound of each layer and what was measured, on a log axis. table: a row a layer, with its columns layer, bound, mean,
    largest; 0 and what is very small stand left of the numbers. most: the largest that is ever to be shown there."""
    chart = rows_figure("share of what an output sums that is lost", table["layer"])
    names, (low, high) = places(table), powers_to(most)
    for name, symbol, colour in (
        ("mean", "circle", CATEGORIES[0]),
        ("largest", "circle-open", CATEGORIES[0]),
        ("bound", "diamond", CATEGORIES[3]),
    ):
        chart.add_scatter(
            x=on_log_axis(table[name].to_numpy(float), most),
            y=names,
            mode="markers",
            name=MEASURED.get(name, name),
            marker={"symbol": symbol, "color": colour, "size": 11, "line": {"width": 2, "color": colour}},
            cliponaxis=False,
            customdata=table[name],
            hovertemplate=f"%{{y}}<br>{name}: %{{customdata:.3g}}<extra></extra>",
        )
    chart.add_vline(x=1, line={"color": MUTED, "width": 1, "dash": "dot"})
    powers = [10.0**power for power in range(low, int(np.ceil(high)) + 1)]
    return chart.update_xaxes(
        type="log",
        range=[low - 0.75, high],
        tickvals=[10 ** (low - 0.5), *powers],
        ticktext=["0", *(f"{power:g}" for power in powers)],
        tickangle=0,
    )


def powers_to(most: float) -> tuple[int, float]:
    """Where an axis of some decades up to a number begins and ends, as powers of 10."""
    high = max(float(np.log10(max(most, 1e-12))) + 0.1, 0.15)
    return int(np.floor(high - DECADES)), high


def on_log_axis(values: np.ndarray, most: float) -> np.ndarray:
    """Where values stand on an axis of some decades up to a number: 0 and what is below them left of all."""
    low, _ = powers_to(most)
    return np.where(values > 10.0**low, values, 10 ** (low - 0.5))


def rows_figure(x: str, layers: Sequence[str], **layout: Any) -> go.Figure:
    """One row a layer, the first on top."""
    chart = figure(x, "", height=FRAME + ROW * max(len(layers), 3), **layout)
    return chart.update_yaxes(type="category", autorange="reversed", title_text=None, tickmode="linear")


def places(table: pd.DataFrame) -> list[str]:
    """The names of the layers, as plotly shows them."""
    return [plain(name) for name in table["layer"]]


def curves(table: pd.DataFrame, measure: str, y: str, before: float | None = None) -> go.Figure:
    """What is left of a network over the share removed, each way of choosing at the same budget.

    table: a row a pruned network, with its columns by (of BY), removed and really (shares asked for and reached), seed, value,
    retrained. Several seeds are a line of means and a band from the least to the largest. before: the value of the whole
    network.
    """
    chart = figure(f"removed, % of {measure}", y, height=420)
    both = table["retrained"].nunique() > 1
    for (by, retrained), rows in table.groupby(["by", "retrained"], sort=False):
        name, colour, symbol = BY[by]
        seen = rows.groupby("removed").agg(
            mean=("value", "mean"), low=("value", "min"), high=("value", "max"), n=("value", "size"), really=("really", "mean")
        )
        at = 100 * seen.index.to_numpy()
        many = seen["n"].max() > 1
        if many and not (both and not retrained):
            chart.add_scatter(
                x=np.concatenate([at, at[::-1]]),
                y=np.concatenate([seen["high"], seen["low"][::-1]]),
                fill="toself",
                mode="lines",
                line={"width": 0},
                fillcolor=faint(colour),
                hoverinfo="skip",
                showlegend=False,
                legendgroup=f"{by}{retrained}",
            )
        words = f"{name}{', retrained' if retrained else ', one shot' if both else ''}"
        chart.add_scatter(
            x=at,
            y=seen["mean"],
            name=f"{words} ({seen['n'].max()} seeds)" if many else words,
            legendgroup=f"{by}{retrained}",
            mode="lines+markers",
            line={"color": colour, "width": 2, "dash": "dot" if both and not retrained else "solid"},
            marker={
                "symbol": f"{symbol}-open" if both and not retrained else symbol,
                "size": 9,
                "line": {"width": 2, "color": colour},
            },
            customdata=np.stack([100 * seen["really"], seen["low"], seen["high"]], axis=1),
            hovertemplate=f"{words}<br>%{{x:.0f}} % asked for, %{{customdata[0]:.1f}} % removed: %{{y:.3f}}"
            + (" (%{customdata[1]:.3f} to %{customdata[2]:.3f})" if many else "")
            + "<extra></extra>",
        )
    if before is not None:
        chart.add_hline(y=before, line={"color": MUTED, "width": 1, "dash": "dash"}, annotation_text=f"before {before:.3f}")
    chart.update_xaxes(range=[-2, 97], dtick=10)
    return chart.update_yaxes(rangemode="tozero")


def faint(colour: str) -> str:
    """A colour #rrggbb, almost clear."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, 0.18)"


def maps(tiles: np.ndarray, channels: Sequence[int], values: Sequence[float], least: float, most: float) -> go.Figure:
    """Feature maps (n, height, width) in a grid, each under its sensitivity; colours run from `least` to `most`."""
    n, height, width = tiles.shape
    n_rows = max(-(-n // COLUMNS), 1)
    grid = np.full((n_rows * (height + 1), COLUMNS * (width + 1)), np.nan, np.float32)
    filters = np.full(grid.shape, -1)
    for place, (tile, channel) in enumerate(zip(tiles, channels, strict=True)):
        row, column = divmod(place, COLUMNS)
        cell = slice(row * (height + 1), row * (height + 1) + height), slice(column * (width + 1), column * (width + 1) + width)
        grid[cell], filters[cell] = tile, channel
    chart = figure("", "", height=70 + 68 * n_rows)
    chart.add_heatmap(
        z=grid,
        x=edges(COLUMNS, width, SIDE),
        y=edges(n_rows, height, 0.75),
        zmin=least,
        zmax=most if most > least else least + 1,
        colorscale=[[i / (len(SEQUENTIAL) - 1), colour] for i, colour in enumerate(SEQUENTIAL)],
        colorbar={"title": {"text": "activation", "side": "right"}, "thickness": 12},
        hoverongaps=False,
        customdata=filters,
        hovertemplate="filter %{customdata}: %{z:.3g}<extra></extra>",
    )
    chart.add_scatter(
        x=[place % COLUMNS + SIDE / 2 for place in range(n)],
        y=[place // COLUMNS - 0.11 for place in range(n)],
        text=[short(value) for value in values],
        mode="text",
        textfont={"size": 11},
        hoverinfo="skip",
        showlegend=False,
        cliponaxis=False,
    )
    chart.update_xaxes(visible=False, range=[-0.02, COLUMNS], title_text=None)
    chart.update_yaxes(visible=False, range=[n_rows - 0.2, -0.25], title_text=None)
    return chart.update_layout(margin={"l": 4, "r": 4, "t": 12, "b": 8})


def edges(cells: int, n: int, side: float) -> np.ndarray:
    """Edges of n pixels over `side` of each cell, and of the gap after them."""
    return np.append(np.concatenate([cell + np.linspace(0, side, n + 1) for cell in range(cells)]), cells)


def short(value: float) -> str:
    """A sensitivity in a small space."""
    return "0" if value == 0 else f"{value:.2f}".lstrip("0") if value >= 0.005 else f"{value:.0e}".replace("e-0", "e-")
