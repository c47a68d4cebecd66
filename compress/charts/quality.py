"""Charts of what a model or a search loses: scores before and after, of many settings, rescoring, errors along the vocabulary, a
training."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from compress.analysis.neighbours import ErrorByUse
from compress.charts.figure import METHOD_COLOURS, MUTED, figure, plain

LINE, HEAD, LEFT = 36, 92, 112  # pixels of a score, of what stands over and under a figure's scores, and left of them
AXES = {"ratio": "ratio, bytes in float32 / bytes stored", "saved": "numbers saved, as the papers count, %"}
SYMBOLS = {"before": "line-ns-open", "head": "diamond"}


def scores(table: pd.DataFrame, colour: str) -> go.Figure:
    """A small chart for every figure of a task: one line a score, on an axis of its own.

    table: a row a score, with its columns figure, about (a few words on the figure), which (such as "before", "after, new head"),
    value, spread. The rows of a figure stand together, in the order in which they are shown, before first.
    """
    groups = [(*names, rows) for names, rows in table.groupby(["figure", "about"], sort=False)]
    heights = [LINE * (len(rows) + 0.4) for *_, rows in groups]
    whole = sum(heights) + HEAD * len(groups)
    titles = [f"{plain(name)}<br><sup>{plain(about)}</sup>" for name, about, _ in groups]
    gap = HEAD / whole if len(groups) > 1 else 0
    chart = make_subplots(len(groups), 1, subplot_titles=titles, row_heights=heights, vertical_spacing=gap)
    for place, (name, _, rows) in enumerate(groups, start=1):
        low, high = (rows["value"] - rows["spread"]).min(), (rows["value"] + rows["spread"]).max()
        edge = 0.12 * (high - low) or 0.05 * abs(high) or 1.0
        colours = [MUTED if which == "before" else colour for which in rows["which"]]
        chart.add_scatter(
            x=rows["value"],
            y=rows["which"],
            row=place,
            col=1,
            mode="markers+text",
            text=[f"{value:.4g}" for value in rows["value"]],
            textposition=["top left" if value > (low + high) / 2 else "top right" for value in rows["value"]],
            cliponaxis=False,
            marker={"color": colours, "size": 11, "symbol": [symbol_of(which) for which in rows["which"]], "line": {"width": 2}},
            error_x={"array": rows["spread"], "thickness": 1.5, "color": MUTED, "visible": bool(rows["spread"].any())},
            hovertemplate=f"{plain(name)}<br>%{{y}}: %{{x:.5g}} ± %{{error_x.array:.2g}}<extra></extra>",
            showlegend=False,
        )
        chart.add_vline(
            x=rows["value"].iloc[0], line={"color": MUTED, "width": 1, "dash": "dot"}, row=place, col=1
        )  # the first one is before
        chart.update_xaxes(range=[low - edge, high + edge], row=place, col=1)
        chart.update_yaxes(range=[rows["which"].nunique() - 0.5, -0.9], row=place, col=1)  # room for the first one's number
    chart.update_yaxes(type="category", automargin=False)
    chart.update_annotations(font_size=13, x=0, xanchor="left", xref="paper", xshift=-LEFT + 8, align="left")
    return chart.update_layout(template="flatland", height=int(whole), margin={"t": 48, "b": 36, "l": LEFT})


def symbol_of(which: str) -> str:
    """Healed ones are filled, as everywhere; a new head has a sign of its own."""
    shape = next((symbol for word, symbol in SYMBOLS.items() if word in which), "circle")
    return shape if "healed" in which or which == "before" else f"{shape}-open"


def comparison(points: pd.DataFrame, x: str, name: str, before: float) -> go.Figure:
    """One figure of a task over settings: a colour a method, filled where healed.

    points: a row a setting, with its columns method, label, setting, healed, value, spread, ratio, saved (a share). x: "ratio" or
    "saved". before: the score of the table itself.
    """
    chart = figure(AXES[x], plain(name), height=420)
    for (method, label, healed), rows in points.groupby(["method", "label", "healed"], sort=False):
        rows, colour = rows.sort_values(x), METHOD_COLOURS.get(method, MUTED)
        chart.add_scatter(
            x=rows[x] * (100 if x == "saved" else 1),
            y=rows["value"],
            name=f"{label}{', healed' if healed else ''}",
            mode="lines+markers",
            line={"color": colour, "width": 1.5, "dash": "solid" if healed else "dot"},
            marker={"color": colour, "size": 11, "symbol": "circle" if healed else "circle-open", "line": {"width": 2}},
            error_y={"array": rows["spread"], "thickness": 1.5, "visible": bool(rows["spread"].any())},
            customdata=rows[["setting", "ratio"]],
            hovertemplate="%{customdata[0]}<br>ratio %{customdata[1]:.3g}: %{y:.4g}<extra></extra>",
        )
    chart.add_hline(
        y=before,
        line={"color": MUTED, "width": 1, "dash": "dash"},
        annotation_text=f"before {before:.4g}",
        annotation_position="bottom right",
    )
    if x == "ratio":
        chart.update_xaxes(**ratio_axis(points["ratio"]))
    return chart


def ratio_axis(ratios: Sequence[float]) -> dict:
    """A log axis with ticks at round ratios."""
    low, high = min(ratios) / 1.6, max(ratios) * 1.6
    ticks = [number * 10**power for power in range(-1, 6) for number in (1, 2, 3, 5)]
    ticks = [tick for tick in ticks if low <= tick <= high]
    return {
        "type": "log",
        "range": [float(np.log10(low)), float(np.log10(high))],
        "tickvals": ticks,
        "ticktext": [f"{t:g} ×" for t in ticks],
    }


def rescoring(among: np.ndarray, recalls: np.ndarray, count: int, share: float, colour: str) -> go.Figure:
    """Recall of the `count` nearest rows against how many of the first rows are rescored by the original; a line at the share that
    is asked for."""
    chart = figure("rows rescored by the original", f"recall@{count}", height=300)
    chart.add_scatter(
        x=among,
        y=recalls,
        name=f"recall@{count}",
        mode="lines",
        line={"color": colour, "width": 2},
        hovertemplate="%{x:,d} rows rescored<br>recall %{y:.3f}<extra></extra>",
        showlegend=False,
    )
    chart.add_hline(y=share, line={"color": MUTED, "width": 1, "dash": "dot"})
    chart.update_xaxes(
        type="log",
        dtick=1,
        tickformat=",d",
        range=[float(np.log10(among[0])) - 0.02, float(np.log10(max(among[-1], 10 * among[0]))) + 0.02],
    )
    return chart.update_yaxes(range=[min(0.9, float(recalls[0]) - 0.05), 1.01])


def error_along(found: ErrorByUse, colour: str, row_word: str = "token") -> go.Figure:
    """Relative error of rows in bins along their weights or their order: over all rows of a bin, and the middle half of its
    rows."""
    place = "vocabulary" if row_word == "token" else "table"
    chart = figure("place by row weight" if found.by == "weight" else f"place in the {place}", "relative error", height=340)
    middle = np.sqrt(found.first * found.last)
    chart.add_scatter(
        x=np.concatenate([middle, middle[::-1]]),
        y=np.concatenate([found.high, found.low[::-1]]),
        fill="toself",
        mode="lines",
        line={"width": 0},
        fillcolor="rgba(128, 128, 128, 0.25)",
        name="middle half of the rows",
        hoverinfo="skip",
    )
    chart.add_scatter(
        x=middle,
        y=found.error,
        name="all rows of the bin",
        mode="lines+markers",
        line={"color": colour, "width": 2},
        customdata=np.stack([found.first, found.last, found.rows], axis=1),
        hovertemplate="places %{customdata[0]:,} to %{customdata[1]:,}, %{customdata[2]:,} rows: %{y:.3g}<extra></extra>",
    )
    chart.update_xaxes(type="log", dtick=1, exponentformat="none", tickformat=",d")
    return chart.update_yaxes(rangemode="tozero")


def losses(steps: Sequence[Sequence[float]], colour: str, name: str) -> go.Figure:
    """The loss of a training: every step faint, and the mean of the last tenth of the steps."""
    chart = figure("step", plain(name), height=300)
    if not steps:
        return chart
    at, loss = np.array(steps, float).T
    width = max(1, len(loss) // 10)
    summed = np.concatenate([[0], np.cumsum(loss)])
    ends = np.arange(1, len(loss) + 1)
    starts = np.maximum(ends - width, 0)
    chart.add_scatter(x=at, y=loss, name="a step", mode="lines", line={"color": MUTED, "width": 1}, hoverinfo="skip")
    chart.add_scatter(
        x=at,
        y=(summed[ends] - summed[starts]) / (ends - starts),
        name=f"mean of {width}",
        mode="lines",
        line={"color": colour, "width": 2},
        hovertemplate="step %{x:,}: %{y:.4g}<extra></extra>",
    )
    return chart.update_yaxes(rangemode="tozero")
