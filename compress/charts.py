"""Arrays in, plotly figures out: one look for every chart, and no streamlit.

Backgrounds, text and grid are left to the page's theme, so that a figure is right in light and dark; everything else is set here.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
import plotly.io as pio

from compress.palette import CATEGORIES, SEQUENTIAL
from compress.spectrum import Spectrum

METHOD_COLOURS = {"svd": CATEGORIES[0], "projective": CATEGORIES[3], "int8": CATEGORIES[2], "int4": CATEGORIES[4]}
PRECISION_SYMBOLS = {32: "circle", 16: "square", 8: "diamond", 4: "triangle-up"}
PRECISION_NAMES = {32: "float32", 16: "float16", 8: "int8", 4: "int4"}
MUTED = "rgba(128, 128, 128, 0.8)"

pio.templates["flatland"] = go.layout.Template(
    layout={
        "colorway": CATEGORIES,
        "font": {"size": 13},
        "margin": {"l": 64, "r": 16, "t": 36, "b": 52},
        "height": 380,
        "hoverlabel": {"namelength": -1},
        "legend": {"orientation": "h", "yanchor": "bottom", "y": 1.0, "xanchor": "left", "x": 0},
        "xaxis": {"automargin": True, "title": {"standoff": 8}},
        "yaxis": {"automargin": True, "title": {"standoff": 8}},
        "uirevision": "kept",
    }
)


def figure(x: str, y: str, **layout) -> go.Figure:
    """An empty figure in the house's look, with its axis titles."""
    return go.Figure(layout={"template": "flatland", "xaxis": {"title": {"text": x}}, "yaxis": {"title": {"text": y}}, **layout})


def plain(text: str) -> str:
    """Text as plotly shows it: what reads as a tag is escaped."""
    return str(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def label(name: str, subspace: int) -> str:
    """A row's name in a hover text."""
    return f"{plain(name)} · subspace {subspace + 1}"


def spectra(found: Mapping[str, Spectrum], j: int, log: bool) -> go.Figure:
    """Singular values of one or two matrices, each scaled to its largest when there are two, with the cut at j."""
    several = len(found) > 1
    chart = figure("direction i", "singular value σᵢ / σ₁" if several else "singular value σᵢ")
    for number, (name, spectrum) in enumerate(found.items()):
        values = spectrum.singular_values / (spectrum.singular_values[0] if several else 1)
        chart.add_scatter(
            x=np.arange(1, len(values) + 1),
            y=np.maximum(values, values[0] * 1e-9) if log else values,
            name=plain(name),
            mode="lines",
            line={"color": CATEGORIES[number], "width": 2, "dash": "dash" if number else "solid"},
            hovertemplate="σ<sub>%{x}</sub> = %{y:.4g}<extra></extra>",
            showlegend=several,
        )
    chart.update_yaxes(type="log" if log else "linear", rangemode="normal" if log else "tozero", exponentformat="power")
    return cut(chart, j)


def rank_errors(
    found: Mapping[str, Spectrum], j: int, bits: int, rounded: np.ndarray | None = None, log: bool = False
) -> go.Figure:
    """Relative error of the best rank-j matrix for every j, and with factors rounded to `bits` where given; bytes on hover."""
    chart = figure("dimension j", "relative error")
    for number, (name, spectrum) in enumerate(found.items()):
        errors = spectrum.relative_errors
        chart.add_scatter(
            x=np.arange(len(errors)),
            y=np.maximum(errors, 1e-6) if log else errors,
            name=plain(name) if len(found) > 1 else "exact factors",
            mode="lines",
            line={"color": CATEGORIES[number], "width": 2, "dash": "dash" if number else "solid"},
            customdata=spectrum.n_bytes(bits) / 1e6,
            hovertemplate="j = %{x}: error %{y:.4f}, %{customdata:.3g} MB<extra></extra>",
            showlegend=len(found) > 1 or rounded is not None,
        )
    if rounded is not None:
        chart.add_scatter(
            x=np.arange(len(rounded)),
            y=np.maximum(rounded, 1e-6) if log else rounded,
            name=f"{PRECISION_NAMES[bits]} factors",
            mode="lines",
            line={"color": CATEGORIES[3], "width": 2, "dash": "dot"},
            customdata=next(iter(found.values())).n_bytes(bits) / 1e6,
            hovertemplate="j = %{x}: error %{y:.4f}, %{customdata:.3g} MB<extra></extra>",
        )
    chart.update_yaxes(**({"type": "log", "exponentformat": "power"} if log else {"range": [0, 1.02]}))
    return cut(chart, j)


def cut(chart: go.Figure, j: int) -> go.Figure:
    """A line at the chosen j."""
    chart.add_vline(x=j, line={"color": MUTED, "width": 1, "dash": "dot"}, annotation_text=f"j = {j}")
    return chart


def group_spectra(singular_values: np.ndarray, j: int, counts: np.ndarray) -> go.Figure:
    """The singular values of each subspace's rows (k, d), per row so that sizes do not matter, and the cut at j."""
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
    return cut(chart.update_layout(legend_title_text="subspace"), j)


def log_range(values: np.ndarray, decades: float = 4) -> list[float]:
    """The range of a log axis that shows the positive values, at most so many decades."""
    positive = values[values > 0]
    high = np.log10(positive.max()) if len(positive) else 0.0
    low = max(np.log10(positive.min()), high - decades) if len(positive) else -1.0
    return [low - 0.05, high + 0.1]


def group_sizes(counts: np.ndarray, errors: np.ndarray, whole: float) -> go.Figure:
    """Rows in each subspace as bars, coloured as on the map, with the relative error inside each as text."""
    names = [str(z + 1) for z in range(len(counts))]
    chart = figure("subspace", "rows")
    chart.add_bar(
        x=names,
        y=counts,
        marker_color=[CATEGORIES[z % len(CATEGORIES)] for z in range(len(counts))],
        text=[f"{error:.3f}" for error in errors],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="subspace %{x}: %{y:,} rows, relative error %{text}<extra></extra>",
    )
    chart.update_xaxes(type="category")
    return chart.update_layout(title={"text": f"above each bar: its relative error (all rows {whole:.3f})", "font": {"size": 12}})


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
            hovertemplate=f"restart {restart + 1}, step %{{x}}: %{{y:.4f}}<extra></extra>",
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
            hovertemplate="pass %{customdata}: %{y:.4f}<extra></extra>",
            customdata=[event["step"] for event in full],
        )
    return chart


def k_errors(ks: Sequence[int], errors: Sequence[float], js: Sequence[int], chosen: int, svd: float) -> go.Figure:
    """Relative error against the number of subspaces at equal bytes, beside SVD at the same bytes."""
    chart = figure("number of subspaces k", "relative error")
    chart.add_scatter(
        x=list(ks),
        y=list(errors),
        mode="lines+markers",
        name="k subspaces",
        line={"color": METHOD_COLOURS["projective"]},
        marker={"size": [13 if k == chosen else 8 for k in ks]},
        customdata=list(js),
        hovertemplate="k = %{x}, j = %{customdata}: error %{y:.4f}<extra></extra>",
    )
    chart.add_hline(
        y=svd, line={"color": METHOD_COLOURS["svd"], "dash": "dash"}, annotation_text=f"SVD at the same bytes {svd:.3f}"
    )
    return chart
