"""Charts of subspaces: their spectra, sizes, angles, and how they were found."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from compress.charts.figure import METHOD_COLOURS, MUTED, figure, log_range, plain
from compress.charts.palette import CATEGORIES, SEQUENTIAL
from compress.form.metrics import error_text

MOST_BARS = 32  # that the chart of sizes has colours for while k moves


def label(name: str, subspace: int) -> str:
    """A row's name in a hover text."""
    return f"{plain(name)} · subspace {subspace + 1}"


def group_spectra(singular_values: np.ndarray, counts: np.ndarray) -> go.Figure:
    """The singular values of each subspace's rows (k, d), per row so that sizes do not matter."""
    chart = figure("direction i", "root mean square along direction i")
    for z, values in enumerate(singular_values):
        chart.add_scatter(
            x=np.arange(1, len(values) + 1),
            y=values / np.sqrt(max(counts[z], 1)),
            name=str(z + 1),
            mode="lines",
            line={"color": CATEGORIES[z % len(CATEGORIES)], "dash": ("solid", "dash", "dot", "dashdot")[z // 8 % 4]},
            hovertemplate=f"subspace {z + 1}, direction %{{x}}: %{{y:.3g}}<extra></extra>",
        )
    chart.update_yaxes(
        type="log", exponentformat="power", range=log_range(singular_values / np.sqrt(np.maximum(counts, 1))[:, None])
    )
    return chart.update_layout(legend_title_text="subspace")


def group_sizes(counts: np.ndarray, errors: np.ndarray, whole: float) -> go.Figure:
    """Rows in each subspace as bars, coloured as on the map, and the relative error inside each, by an axis of its own."""
    places = list(range(1, len(counts) + 1))
    chart = figure("subspace", "rows")
    chart.add_bar(
        x=places,
        y=counts.tolist(),
        name="rows",
        marker_color=[CATEGORIES[z % len(CATEGORIES)] for z in range(max(len(counts), MOST_BARS))],
        hovertemplate="subspace %{x}: %{y:,} rows<extra></extra>",
    )
    chart.add_scatter(
        x=places,
        y=errors.tolist(),
        name="relative error",
        yaxis="y2",
        mode="markers+text",
        marker={"color": MUTED, "size": 8, "symbol": "diamond"},
        texttemplate="%{y:.3g}",
        textposition="top center",
        textfont={"shadow": "auto"},
        cliponaxis=False,
        hovertemplate="subspace %{x}: relative error %{y:.3g}<extra></extra>",
    )
    chart.update_xaxes(tickformat="d")
    error_axis = {"title_text": "relative error", "overlaying": "y", "side": "right", "showgrid": False}
    error_axis |= {"range": [0, 1.05], "tickmode": "linear", "dtick": 0.2}  # fixed: it does not jump while j moves
    title = {"text": f"diamonds: relative error inside each (all rows {error_text(whole)})", "font": {"size": 12}}
    return chart.update_layout(yaxis2=error_axis, showlegend=False, title=title)


def angles(degrees: np.ndarray) -> go.Figure:
    """Principal angles between subspaces, (k, k, j) in degrees ascending: the mean as colour and text, the ends on hover."""
    k = len(degrees)
    names = [str(z + 1) for z in range(k)]
    mean = degrees.mean(axis=2)
    chart = figure("subspace", "subspace", height=420)
    chart.add_heatmap(
        x=names,
        y=names,
        z=mean,
        zmin=0,
        zmax=90,
        colorscale=[[i / (len(SEQUENTIAL) - 1), colour] for i, colour in enumerate(SEQUENTIAL)],
        colorbar={"title": {"text": "mean angle, °"}},
        text=np.round(mean).astype(int),
        texttemplate="%{text}" if k <= 20 else None,
        customdata=degrees[:, :, [0, -1]],
        hovertemplate=(
            "subspaces %{y} and %{x}<br>mean %{z:.1f}°, least %{customdata[0]:.1f}°, largest %{customdata[1]:.1f}°<extra></extra>"
        ),
    )
    chart.update_xaxes(type="category", constrain="domain")
    chart.update_yaxes(type="category", autorange="reversed", scaleanchor="x")
    return chart


def costs(events: Sequence[Mapping]) -> go.Figure:
    """The cost falling over steps: each restart on its sample, and the full passes over all rows."""
    chart = figure("step", "relative error of the rows worked on")
    restarts = sorted({event["restart"] for event in events if event["restart"] is not None})
    for restart in restarts:
        seen = [event for event in events if event["restart"] == restart]
        chart.add_scatter(
            x=[event["step"] for event in seen],
            y=[event["cost"] for event in seen],
            name="restarts, on a sample",
            legendgroup="restarts",
            showlegend=restart == restarts[0],
            mode="lines+markers",
            line={"color": MUTED, "width": 1},
            marker={"size": 4},
            hovertemplate=f"restart {restart + 1}, step %{{x}}: %{{y:.4g}}<extra></extra>",
        )
    full = [event for event in events if event["restart"] is None]
    if full:
        before = max((event["step"] for event in events if event["restart"] is not None), default=0)
        chart.add_scatter(
            x=[before + event["step"] for event in full],
            y=[event["cost"] for event in full],
            name="the best one, on all rows",
            mode="lines+markers",
            line={"color": METHOD_COLOURS["projective"], "width": 2},
            hovertemplate="pass %{customdata}: %{y:.4g}<extra></extra>",
            customdata=[event["step"] for event in full],
        )
    return chart


def k_errors(
    ks: Sequence[int], errors: Sequence[float], js: Sequence[int], chosen: int, svd: tuple[float, str] | None
) -> go.Figure:
    """Relative error against the number of subspaces at equal bytes, beside SVD there: its error and its setting."""
    chart = figure("number of subspaces k", "relative error")
    chart.add_scatter(
        x=list(ks),
        y=list(errors),
        mode="lines+markers",
        name="k subspaces",
        line={"color": METHOD_COLOURS["projective"]},
        marker={"size": [13 if k == chosen else 8 for k in ks]},
        customdata=list(js),
        hovertemplate="k = %{x}, j = %{customdata}: error %{y:.3g}<extra></extra>",
    )
    if svd:
        error, setting = svd
        line = {"color": METHOD_COLOURS["svd"], "dash": "dash"}
        chart.add_hline(y=error, line=line, annotation_text=f"{setting}, as many bytes: {error_text(error)}")
    return chart
