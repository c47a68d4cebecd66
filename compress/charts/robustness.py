"""Charts of who pulls a fit: residuals of rows, rows that gain and lose, angles between subspaces."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from compress.charts.figure import MUTED, figure, plain
from compress.charts.palette import CATEGORIES

CHANGE = [[0, CATEGORIES[0]], [0.5, "#8DB9D8"], [0.5, "#EBB58F"], [1, CATEGORIES[3]]]  # even a small change shows its sign
PLANTED = CATEGORIES[6]
LONGEST_NAME = 22
FEWEST = 0.6  # rows, where a log axis begins: one row still shows


def residual_bins(*residuals: np.ndarray, count: int = 60) -> np.ndarray:
    """Edges of bins that hold every residual: evenly spaced, or evenly in the logarithm where a few lie far beyond the rest."""
    every = np.concatenate(residuals)
    most, usual = float(every.max()), float(np.median(every))
    if most > 10 * usual > 0:
        return np.geomspace(usual / 8, most * 1.001, count + 1)
    return np.linspace(0, most * 1.001 if most > 0 else 1.0, count + 1)


def residuals(found: np.ndarray, planted: np.ndarray, edges: np.ndarray, most: int, colour: str, log: bool) -> go.Figure:
    """Rows (n,) by their residual, the planted ones (a mask) apart. What lies below the first edge counts into the first bin; the
    axes end at the edges and at `most` rows, so that two of these can be compared."""
    chart = figure("residual ‖aᵢ − bᵢ‖ of the row", "rows", height=320)
    groups = {"rows": (found[~planted], colour, "solid"), "planted rows": (found[planted], PLANTED, "dot")}
    for name, (values, line, dash) in groups.items():
        if not len(values):
            continue
        counts = counted(values, edges)
        filled = np.flatnonzero(counts)[[0, -1]]
        counts, ends = counts[filled[0] : filled[1] + 1], edges[filled[0] : filled[1] + 2]
        chart.add_scatter(
            x=ends,
            y=np.append(np.maximum(counts, FEWEST) if log else counts, FEWEST if log else 0),
            name=name,
            mode="lines",
            line={"shape": "hv", "color": line, "width": 2, "dash": dash},
            fill="tozeroy",
            customdata=[*zip(ends[:-1], ends[1:], counts, strict=True), (ends[-1], ends[-1], 0)],
            hovertemplate="%{customdata[2]:,} " + name + "<br>%{customdata[0]:.3g} to %{customdata[1]:.3g}<extra></extra>",
        )
    spread = edges[0] > 0
    chart.update_xaxes(
        type="log" if spread else "linear", range=list(np.log10(edges[[0, -1]]) if spread else edges[[0, -1]]), nticks=6
    )
    chart.update_yaxes(
        **({"type": "log", "exponentformat": "power", "dtick": 1} if log else {}),
        range=[float(np.log10(FEWEST)), float(np.log10(most * 1.5))] if log else [0, most * 1.05],
    )
    return chart.update_layout(showlegend=bool(planted.any()))


def counted(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """How many values lie in each bin, those below the first edge in the first."""
    return np.histogram(np.clip(values, edges[0], edges[-1]), edges)[0]


def gains(tokens: Sequence[str], here: np.ndarray, svd: np.ndarray, planted: np.ndarray, name: str) -> go.Figure:
    """Change of rows' residuals against SVD as bars from zero, the largest gain on top: blue lies nearer here, orange farther."""
    change = here - svd
    places = np.arange(len(change))
    reach = float(np.abs(change).max())
    marks = [f"{plain(shortened(token))}{' ◆' if mark else ''}" for token, mark in zip(tokens, planted, strict=True)]
    chart = figure(f"change of the residual, {name} less SVD", "", height=max(320, 120 + 20 * len(change)))
    chart.add_bar(
        x=change,
        y=places,
        orientation="h",
        marker={"color": change, "colorscale": CHANGE, "cmin": -reach, "cmid": 0, "cmax": reach},
        customdata=[*zip(marks, here, svd, strict=True)],
        hovertemplate="%{customdata[0]}<br>residual %{customdata[1]:.3g}, by SVD %{customdata[2]:.3g}<extra></extra>",
    )
    chart.update_yaxes(tickvals=places, ticktext=marks, autorange="reversed", title_text=None)
    chart.update_xaxes(range=[-1.05 * reach, 1.05 * reach], zeroline=True, zerolinecolor=MUTED, nticks=7)
    return chart


def shortened(token: str) -> str:
    """A token of at most LONGEST_NAME letters."""
    return token if len(token) <= LONGEST_NAME else token[: LONGEST_NAME - 1] + "…"


def turns(found: Mapping[str, tuple[np.ndarray, str]]) -> go.Figure:
    """Principal angles in degrees, ascending, one line a fit: its name, the angles (j,) and a colour."""
    chart = figure("principal angle i of j", "angle, °", height=320)
    for number, (name, (degrees, colour)) in enumerate(found.items()):
        chart.add_scatter(
            x=np.arange(1, len(degrees) + 1),
            y=degrees,
            name=plain(name),
            mode="lines+markers" if len(degrees) <= 12 else "lines",
            line={"color": colour, "width": 2, "dash": "dash" if number else "solid"},
            hovertemplate="angle %{x}: %{y:.1f}°<extra></extra>",
        )
    chart.update_xaxes(dtick=1 if len(degrees) <= 12 else None)
    return chart.update_yaxes(range=[0, 92], dtick=30)
