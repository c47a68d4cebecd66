"""Charts of who pulls a fit: residuals of rows, rows that gain and lose, angles between subspaces."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from compress.charts.figure import MUTED, figure, plain
from compress.charts.palette import CATEGORIES

CHANGE = [[0, CATEGORIES[0]], [0.5, "#8DB9D8"], [0.5, "#EBB58F"], [1, CATEGORIES[3]]]  # even a small change shows its sign
PLANTED = CATEGORIES[6]
LONGEST_NAME = 22
ROWS, FAR = "rows", "planted rows"  # the traces of a histogram
FEWEST = 0.6  # rows, where a log axis begins: one row still shows


@dataclass(frozen=True, eq=False)
class Bins:
    """What two histograms of residuals share, so that they can be compared. edges: of the bins. most: rows in the fullest one. log:
    whether rows are counted on a log axis."""

    edges: np.ndarray
    most: int
    log: bool


def bins_of(residuals: Sequence[np.ndarray], reach: float, log: bool, count: int = 48) -> Bins:
    """Bins that hold every residual and what lies as far as `reach`: evenly spaced, or evenly in the logarithm where a few lie far
    beyond the rest."""
    most, usual = max(reach, *(float(each.max()) for each in residuals)), float(np.median(np.concatenate(residuals)))
    if most > 10 * usual > 0:
        edges = np.geomspace(usual / 8, most * 1.001, count + 1)
    else:
        edges = np.linspace(0, most * 1.001 if most > 0 else 1.0, count + 1)
    return Bins(edges, max(int(counted(each, edges).max()) for each in residuals), log)


def residuals(found: np.ndarray, planted: np.ndarray, bins: Bins, colour: str) -> go.Figure:
    """Rows (n,) by their residual, the planted ones (a mask) apart. What lies below the first edge counts into the first bin."""
    edges, log = bins.edges, bins.log
    chart = figure("residual ‖aᵢ − bᵢ‖ of the row", "rows", height=320)
    for name, (values, line, dash) in {ROWS: (found[~planted], colour, "solid"), FAR: (found[planted], PLANTED, "dot")}.items():
        counts = counted(values, edges)
        chart.add_scatter(
            x=edges,
            y=heights(counts[None], log)[0],
            name=name,
            mode="lines",
            line={"shape": "hv", "color": line, "width": 2, "dash": dash},
            fill="tozeroy",
            customdata=[*zip(edges[:-1], edges[1:], counts, strict=True), (edges[-1], edges[-1], 0)],
            hovertemplate="%{customdata[2]:,} " + name + "<br>%{customdata[0]:.3g} to %{customdata[1]:.3g}<extra></extra>",
        )
    spread = edges[0] > 0
    chart.update_xaxes(
        type="log" if spread else "linear", range=list(np.log10(edges[[0, -1]]) if spread else edges[[0, -1]]), nticks=6
    )
    chart.update_yaxes(
        **({"type": "log", "exponentformat": "power", "dtick": 1} if log else {}),
        range=[float(np.log10(FEWEST)), float(np.log10(bins.most * 1.5))] if log else [0, bins.most * 1.05],
    )
    return chart.update_layout(showlegend=bool(planted.any()))


def heights(counts: np.ndarray, log: bool) -> np.ndarray:
    """The line over bins that hold so many rows (m, bins), at their edges (m, bins + 1): nothing on either side of the rows."""
    filled = counts > 0
    first, last = filled.argmax(axis=1), counts.shape[1] - filled[:, ::-1].argmax(axis=1)
    places = np.arange(counts.shape[1] + 1)
    line = np.maximum(np.pad(counts.astype(float), [(0, 0), (0, 1)]), FEWEST if log else 0.0)
    there = (places >= first[:, None]) & (places <= last[:, None]) & filled.any(axis=1, keepdims=True)
    return np.where(there, line, np.nan)


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
