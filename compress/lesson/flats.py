"""Scene 1: points near two planes and a line, and the k flats that are fitted to them by assigning and refitting in turn.

Every number is the library's: the steps are those of solvers/flats.py, taken one at a time from a start that anybody can follow,
a flat through a few random points each.
"""

from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
import plotly.graph_objects as go

from compress.charts.figure import METHOD_COLOURS, MUTED
from compress.charts.palette import CATEGORIES
from compress.form.metrics import evaluate
from compress.linalg import blocks
from compress.matrix import EmbeddingMatrix
from compress.methods import SVD, ProjectiveClustering
from compress.methods.projective import by_group
from compress.solvers.flats import Flats, all_rows, fill_empty, measure, refit, residuals, take_rows
from compress.solvers.losses import Loss

STEPS = 18  # nine rounds of assign and refit
MOST_K, MOST_J = 4, 2
EACH = 60  # points of a plane; the line has two thirds as many
SPREAD = 0.06  # standard deviation of a point around its flat, each plane having radius 1
REACH = 1.2  # of the drawn box, from the middle
PLANES = (((1, 0, 0.25), (0, 1, 0)), ((0.2, 0.5, 1), (1, -0.1, 0.2)))  # two spanning directions each
LINE = (1.0, -1.1, 0.9)
DASHES = ("solid", "dash", "dot", "dashdot")
SYMBOLS = ("circle", "square", "diamond", "cross")
COLOURS = CATEGORIES[:MOST_K]
COSTS = (1e-3, 1.4)  # the least and the most that are shown
SO_FAR, AFTER, ONE_FLAT, BEST = "cost", "after ", "one flat", "best found"  # in the picture
UNNAMED = {"showlegend": False, "hoverinfo": "skip"}
WORDS = {
    "start": "Start: {flats} through random points, no point assigned yet",
    "assign": "Assign: every point joins its nearest flat",
    "refit": "Refit: every flat turns to fit its own points best",
    "settled": "Settled: no point wants another flat, so nothing moves",
}


@dataclass(frozen=True, eq=False)
class Moment:
    """What stands after a step. does: "start", "assign" or "refit". labels (n,) and cost, Σ dist² to each point's own flat over
    Σ ‖aᵢ‖²: None at the start."""

    does: str
    flats: Flats
    labels: np.ndarray | None = None
    cost: float | None = None


@dataclass(frozen=True, eq=False)
class History:
    """The fit from its start to its last step. svd: the cost of one flat of the same dimension; found: that of the k flats which
    ProjectiveClustering finds from its own starts."""

    matrix: EmbeddingMatrix
    moments: tuple[Moment, ...]
    svd: float
    found: float

    @cached_property
    def settled(self) -> int | None:
        """The first assign that moves no point to another flat, from where nothing changes any more; None where none is that."""
        labels = [moment.labels for moment in self.moments if moment.labels is not None]  # from step 1
        return next((step for step in range(3, len(labels) + 1, 2) if np.array_equal(labels[step - 1], labels[step - 3])), None)


def points(noise: bool = False) -> EmbeddingMatrix:
    """160 points in 3-D: near two planes and a line through 0 or, for `noise`, without any structure and as long on average."""
    rng = np.random.default_rng(20)
    parts = []
    for plane in PLANES:
        basis = np.linalg.qr(np.array(plane, float).T)[0]  # (3, 2)
        radius, turn = np.sqrt(rng.uniform(0.03, 1, EACH)), rng.uniform(0, 2 * np.pi, EACH)
        parts.append(np.stack([radius * np.cos(turn), radius * np.sin(turn)], axis=1) @ basis.T)
    line = np.array(LINE) / np.linalg.norm(LINE)
    parts.append(rng.uniform(-1.2, 1.2, (EACH * 2 // 3, 1)) * line)
    values = np.concatenate(parts)
    values += SPREAD * rng.standard_normal(values.shape)
    if noise:
        size = np.sqrt((values**2).mean())
        values = size * rng.standard_normal(values.shape)
    return EmbeddingMatrix(values)


def history(k: int, j: int, seed: int, noise: bool = False) -> History:
    """The fit of k flats of dimension j to the points, every step of it. seed: of the random points that the first flats go
    through."""
    matrix = points(noise)
    rows = all_rows(matrix)
    members = np.random.default_rng(seed).choice(len(rows.values), k * j, replace=False)
    flats = refit(take_rows(rows, members), np.arange(k * j) // j, k, j, False, None)
    moments = [Moment("start", flats)]
    while len(moments) <= STEPS:
        seen = measure(rows, flats, Loss())
        labels = fill_empty(seen.labels, seen.costs, k, j)
        moments.append(Moment("assign", flats, seen.labels, seen.cost))
        flats = refit(rows, labels, k, j, False, None)
        own = residuals(rows, flats)[0][np.arange(len(labels)), labels]
        moments.append(Moment("refit", flats, labels, float(own.sum() / rows.norms.sum())))
    svd = evaluate(matrix, SVD(j=j, factor_bits=32).fit(matrix)).relative_error
    return History(matrix, tuple(moments[: STEPS + 1]), svd, found(k, j, noise))


@cache
def found(k: int, j: int, noise: bool) -> float:
    """The cost of the k flats of dimension j that ProjectiveClustering finds from its own starts."""
    matrix = points(noise)
    return evaluate(matrix, ProjectiveClustering(k=k, j=j, factor_bits=32).fit(matrix)).relative_error


def feet(matrix: EmbeddingMatrix, moment: Moment) -> np.ndarray:
    """The nearest point of each row's own flat, (n, 3), after any step but the start."""
    assert moment.labels is not None
    coefficients = blocks.group_projections(matrix.rows, moment.flats.bases, moment.labels)
    return by_group(coefficients, moment.flats.bases.transpose(0, 2, 1), moment.labels)


def names(k: int, j: int) -> str:
    """Flats as a person says it: "3 planes", "1 line"."""
    return f"{k} {('line', 'plane')[j - 1]}{'s' if k > 1 else ''}"


def outline(basis: np.ndarray) -> np.ndarray:
    """What is drawn of a flat (3, j), which goes through 0: the ends of a line (2, 3), or the corners of a square (4, 3)."""
    if basis.shape[1] == 1:
        return np.array([[-1.2], [1.2]]) @ basis.T
    return 0.9 * np.array([[-1, -1], [-1, 1], [1, 1], [1, -1]]) @ basis.T


def title(history: History, step: int) -> str:
    """What a step does, and the cost after it."""
    moment = history.moments[step]
    k, _, j = moment.flats.bases.shape
    does = "settled" if history.settled and step >= history.settled else moment.does
    cost = "" if moment.cost is None else f". Cost {moment.cost:.3g}"
    return WORDS[does].format(flats=names(k, j)) + cost


def figure(history: History, step: int) -> go.Figure:
    """The points, their flats and residual sticks in 3-D, and below them the cost of every step so far."""
    moment = history.moments[step]
    k = len(moment.flats.bases)
    chart = go.Figure(layout={"template": "flatland", "height": 720})
    for z in range(k):
        add_flat(chart, outline(moment.flats.bases[z]), z)
    if moment.labels is None:
        add_points(chart, history.matrix.values, "points, not assigned", MUTED, "circle")
    else:
        add_sticks(chart, history.matrix.values, feet(history.matrix, moment))
        for z in range(k):
            mine = history.matrix.values[moment.labels == z]
            add_points(chart, mine, f"flat {z + 1}: {len(mine)} points", COLOURS[z], SYMBOLS[z])
    data, layout = cost_parts(history, step)
    chart.add_traces(data)
    axis = {"range": [-REACH, REACH], "visible": False}
    return chart.update_layout(
        **{**layout, "yaxis": {**layout["yaxis"], "domain": [0, 0.27]}},
        scene={
            "xaxis": axis,
            "yaxis": axis,
            "zaxis": axis,
            "aspectmode": "cube",
            "domain": {"x": [0, 1], "y": [0.34, 1]},
            "camera": {"eye": {"x": -1.5, "y": -0.02, "z": 0.47}},
        },
        margin={"t": 40},
        legend={"y": 1.0, "itemsizing": "constant"},
    )


def costs(history: History, step: int) -> go.Figure:
    """The cost of every step so far, on its own."""
    data, layout = cost_parts(history, step)
    return go.Figure(data, {"template": "flatland", "height": 250, "margin": {"t": 40}, **layout})  # at once: part by part is slow


def add_points(chart: go.Figure, values: np.ndarray, name: str, colour: str, symbol: str) -> None:
    """Points (n, 3) in one colour and sign, under a name of the legend."""
    chart.add_scatter3d(
        x=values[:, 0],
        y=values[:, 1],
        z=values[:, 2],
        name=name,
        mode="markers",
        marker={"size": 3, "color": colour, "symbol": symbol},
        hoverinfo="name",
    )


def add_flat(chart: go.Figure, corners: np.ndarray, z: int) -> None:
    """A flat by its outline, with its number at a corner."""
    line = len(corners) == 2
    if not line:
        x, y, height = corners.T
        chart.add_mesh3d(
            x=x, y=y, z=height, i=[0, 0], j=[1, 2], k=[2, 3], color=COLOURS[z], opacity=0.22, hoverinfo="skip", showlegend=False
        )
        corners = np.vstack([corners, corners[:1]])
    chart.add_scatter3d(
        x=corners[:, 0],
        y=corners[:, 1],
        z=corners[:, 2],
        mode="lines+text",
        line={"color": COLOURS[z], "width": 5 if line else 3, "dash": DASHES[z]},
        text=[f"flat {z + 1}"] + [""] * (len(corners) - 1),
        textfont={"size": 14},
        hoverinfo="skip",
        showlegend=False,
    )


def add_sticks(chart: go.Figure, values: np.ndarray, feet: np.ndarray) -> None:
    """A stick from every point to its foot."""
    ends = np.full((len(values), 3, 3), np.nan)
    ends[:, 0], ends[:, 1] = values, feet
    x, y, z = ends.reshape(-1, 3).T
    chart.add_scatter3d(
        x=x, y=y, z=z, name="residual", mode="lines", line={"color": MUTED, "width": 4}, hoverinfo="skip", connectgaps=False
    )


def cost_parts(history: History, step: int) -> tuple[list[dict], dict]:
    """The cost so far, with the costs of SVD and of the full search as lines: traces, and axes."""
    colour, moved = METHOD_COLOURS["projective"], moving_costs(history, step)
    looks: dict[str, dict] = {
        SO_FAR: {"x": np.arange(1, STEPS + 1), "mode": "lines", **UNNAMED, "line": {"color": colour, "width": 2}}
    }
    for does, symbol in (("assign", "triangle-up"), ("refit", "star")):
        at = np.arange(1 + (does == "refit"), STEPS + 1, 2)
        looks[AFTER + does] = {
            "x": at,
            "mode": "markers",
            "hovertemplate": f"step %{{x}}, {does}: %{{y:.4g}}<extra></extra>",
            "marker": {"size": np.where(at == step, 18, 10), "symbol": symbol, "color": colour},
        }
    for name, dash, shade, side in ((ONE_FLAT, "dash", MUTED, "top"), (BEST, "dot", colour, "bottom")):
        line = {"color": shade, "dash": dash, "width": 2}
        away = {"mode": "lines+markers+text", "marker": {"size": 8, "opacity": 0}, "textposition": f"{side} left"}  # from the line
        looks[name] = {"x": [0, STEPS], **UNNAMED, **away, "line": line}
    data = [{"type": "scatter", "name": name, **look, **moved[name]} for name, look in looks.items()]
    xaxis = {"title": {"text": "step"}, "range": [-0.2, STEPS + 0.4], "dtick": 2, "anchor": "y"}
    yaxis = {
        "title": {"text": "cost (log scale)"},
        "type": "log",
        "showgrid": False,
        "range": [float(np.log10(each)) for each in COSTS],
        "tickvals": [m * 10.0**e for e in range(-3, 1) for m in (1, 3)],
    }
    return data, {"xaxis": xaxis, "yaxis": yaxis}


def moving_costs(history: History, step: int) -> dict[str, dict[str, np.ndarray]]:
    """What of the costs hangs on k and j: attributes of traces, by their names."""
    k, _, j = history.moments[0].flats.bases.shape
    costs = np.array([moment.cost for moment in history.moments[1:]], float)
    costs[step:] = np.nan
    best = history.found if k > 1 else np.nan
    said = (f"{names(1, j)}: SVD, j = {j}: {history.svd:.3g}", f"best {names(k, j)} found from many starts: {best:.3g}")
    return {
        SO_FAR: {"y": costs},
        AFTER + "assign": {"y": costs[::2]},
        AFTER + "refit": {"y": costs[1::2]},
        ONE_FLAT: {"y": np.array([history.svd] * 2), "text": np.array(["", said[0]])},
        BEST: {"y": np.array([best] * 2), "text": np.array(["", said[1] if k > 1 else ""])},
    }
