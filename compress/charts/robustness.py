"""Charts of who pulls a fit: residuals of rows, rows that gain and lose, angles between subspaces."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from compress.answers.robust import View, counted
from compress.charts.figure import MUTED, figure, plain
from compress.charts.palette import CATEGORIES

CHANGE = [[0, CATEGORIES[0]], [0.5, "#8DB9D8"], [0.5, "#EBB58F"], [1, CATEGORIES[3]]]  # even a small change shows its sign
PLANTED = CATEGORIES[6]
LONGEST_NAME = 22
ROWS, FAR = "rows", "planted rows"  # the traces of a histogram
ROUND = (1, 1.25, 1.6, 2, 2.5, 3.2, 4, 5, 6.4, 8, 10)  # what axes end at
FEWEST = 0.6  # rows, where a log axis begins: one row still shows


@dataclass(frozen=True, eq=False)
class Bins:
    """What two histograms of residuals share, so that they can be compared. edges: of the bins. most: rows in the fullest one. log:
    whether rows are counted on a log axis. key: of what is drawn over them."""

    edges: np.ndarray
    most: int
    log: bool

    @property
    def key(self) -> str:
        return f"{self.edges[[0, -1]]} {len(self.edges)} {self.log}"


def bins_of(view: View, rows: int, planted: int, reach: float, log: bool, count: int = 48) -> Bins:
    """Bins that hold every residual of a view and what lies as far as `reach`: evenly spaced, or evenly in the logarithm where a
    few lie far beyond the rest. They begin and end at round numbers, so that they stay where a view hardly changes."""
    most, usual = max(reach, float(view.near.max()), float(view.far.max())), float(np.median(view.near))
    most = rounded_up(most * 1.001) or 1.0
    edges = np.geomspace(rounded_up(usual) / 8, most, count + 1) if most > 10 * usual > 0 else np.linspace(0, most, count + 1)
    both = histograms(view, np.array([rows - planted] * 2), np.array([planted] * 2), edges)
    return Bins(edges, int(max(float(each.max()) for each in both.values())), log)


def rounded_up(value: float, steps: Sequence[float] = ROUND) -> float:
    """To the next of some numbers times a power of ten."""
    unit = 10.0 ** np.floor(np.log10(value)) if value > 0 else 1.0
    return float(unit * min((step for step in steps if step * unit >= value), default=0.0))


def histograms(view: View, rows: np.ndarray, planted: np.ndarray, edges: np.ndarray) -> dict[str, np.ndarray]:
    """How many rows of a view lie in each bin, (m, bins), by the trace that shows them: of m fits, each of so many rows (m,) that
    were not planted and so many that were."""
    return {ROWS: counted(view.near, rows, edges), FAR: counted(view.far, planted, edges)}


def residuals(counts: Mapping[str, np.ndarray], bins: Bins, colour: str) -> go.Figure:
    """Rows by their residual: so many (bins,) in each bin, by the trace that shows them."""
    edges, log, spread = bins.edges, bins.log, bool(bins.edges[0] > 0)
    traces = [
        {
            "type": "scatter",
            "x": edges,
            "y": heights(counts[name][None], log)[0],
            "name": name,
            "mode": "lines",
            "line": {"shape": "hv", "color": line, "width": 2, "dash": dash},
            "fill": "tozeroy",
            "customdata": np.stack([edges, np.append(edges[1:], edges[-1]), np.append(counts[name], 0)], axis=1),
            "hovertemplate": "%{customdata[2]:,} " + name + "<br>%{customdata[0]:.3g} to %{customdata[1]:.3g}<extra></extra>",
        }
        for name, line, dash in ((ROWS, colour, "solid"), (FAR, PLANTED, "dot"))
    ]
    across: dict[str, Any] = {
        "title": {"text": "residual ‖aᵢ − bᵢ‖ of the row"},
        "type": "log" if spread else "linear",
        "range": np.log10(edges[[0, -1]]) if spread else edges[[0, -1]],
        "nticks": 6,
    }
    most = rounded_up(bins.most * 1.05)
    reach = [np.log10(FEWEST), np.log10(most * 1.5)] if log else [0, most]
    up: dict[str, Any] = {"title": {"text": "rows"}, "range": reach}
    up |= {"type": "log", "exponentformat": "power", "dtick": 1} if log else {}
    shown = {"template": "flatland", "height": 320, "xaxis": across, "yaxis": up, "showlegend": bool(counts[FAR].any())}
    return go.Figure(traces, shown)


def heights(counts: np.ndarray, log: bool) -> np.ndarray:
    """The line over bins that hold so many rows (m, bins), at their edges (m, bins + 1): nothing on either side of the rows."""
    filled = counts > 0
    first, last = filled.argmax(axis=1), counts.shape[1] - filled[:, ::-1].argmax(axis=1)
    places = np.arange(counts.shape[1] + 1)
    line = np.maximum(np.pad(counts.astype(float), [(0, 0), (0, 1)]), FEWEST if log else 0.0)
    there = (places >= first[:, None]) & (places <= last[:, None]) & filled.any(axis=1, keepdims=True)
    return np.where(there, line, np.nan)


def counts_of(found: np.ndarray, planted: np.ndarray, edges: np.ndarray) -> dict[str, np.ndarray]:
    """How many rows lie in each bin, (bins,), by the trace that shows them: those of residuals (n,), the planted ones (a mask)
    apart. What lies below the first edge counts into the first bin."""
    within = np.clip(found, edges[0], edges[-1])
    return {name: np.histogram(within[of], edges)[0] for name, of in ((ROWS, ~planted), (FAR, planted))}


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
