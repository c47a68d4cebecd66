"""Scene 2: points along a line, and one that lies far from it: whose line does it turn?

The lines are those of LpLowRank with the rows objective, at p = 2 (SVD) and at the p that a person chooses.
"""

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from compress.analysis.spectrum import principal_angles
from compress.charts.figure import METHOD_COLOURS, MUTED
from compress.charts.palette import CATEGORIES
from compress.matrix import EmbeddingMatrix
from compress.methods import LpLowRank

N = 20
FARTHEST = 15
TURN = 5  # degrees
LINE, AWAY = np.radians(80), np.radians(12)  # directions of the line and of the far point
SPREAD = 0.18  # standard deviation of a point around the line, whose half length is 3
FAR = CATEGORIES[6]
SVD, OTHER, FAR_POINT = "SVD (p = 2)", "line of your p", "the far point"  # in the picture
WITHOUT, SWING = " without the far point", ", swing"  # what is drawn of each line besides


@dataclass(frozen=True, eq=False)
class Lines:
    """Lines through 0 fitted at one p, one for every distance of the far point from 0, which is without it, to FARTHEST.
    directions (FARTHEST + 1, 2) of length 1; swings (FARTHEST + 1,) in degrees, away from the line without the far point; gains,
    losses (FARTHEST + 1,): what Σ distᵖ loses at the far point, and what it gains at the others, where that line turns by TURN
    degrees towards the far point."""

    p: float
    directions: np.ndarray
    swings: np.ndarray
    gains: np.ndarray
    losses: np.ndarray


def cloud(seed: int = 0, noise: bool = False) -> np.ndarray:
    """20 points in 2-D, (20, 2): along a line or, for `noise`, without any direction and of a like size."""
    rng = np.random.default_rng(seed)
    along, across = np.linspace(-3, 3, N) + 0.15 * rng.standard_normal(N), SPREAD * rng.standard_normal(N)
    if noise:
        return 1.8 * rng.standard_normal((N, 2))
    return along[:, None] * at(LINE) + across[:, None] * at(LINE + np.pi / 2)


def at(angle: float) -> np.ndarray:
    """(2,) the point at distance 1 from 0 in a direction, in radians."""
    return np.array([np.cos(angle), np.sin(angle)])


def matrix(points: np.ndarray, distance: float) -> EmbeddingMatrix:
    """The points and, unless the distance is 0, the far one as the last row."""
    return EmbeddingMatrix(np.vstack([points, distance * at(AWAY)]) if distance else points)


def method(p: float) -> LpLowRank:
    """The fit of a line at this p."""
    return LpLowRank(j=1, p=p, objective="rows", factor_bits=32)


def direction(points: np.ndarray, distance: float, p: float) -> np.ndarray:
    """The direction of the fitted line, (2,), of length 1 and pointing up."""
    found = method(p).fit(matrix(points, distance)).arrays["bases"][0, 0]
    found = found / np.linalg.norm(found)
    return found if found[1] > 0 else -found


def lines(points: np.ndarray, p: float) -> Lines:
    """The fits at one p for every distance of the far point."""
    found = np.array([direction(points, distance, p) for distance in range(FARTHEST + 1)])
    swings = np.array([principal_angles(np.stack([found[0], each])[:, None])[0, 1, 0] for each in found])
    gains, losses = np.array([turned(points, distance, p, found[0]) for distance in range(FARTHEST + 1)]).T
    return Lines(p, found, swings, gains, losses)


def turned(points: np.ndarray, distance: float, p: float, line: np.ndarray) -> tuple[float, float]:
    """What a turn of a line by TURN degrees towards the far point takes off Σ distᵖ there, and adds to it at the others."""
    values = np.vstack([points, distance * at(AWAY)])
    own = np.arctan2(line[1], line[0])
    angle = own + np.sign(np.sin(2 * (AWAY - own))) * np.radians(TURN)  # the shorter way round, for a line has two ends
    before, after = (method(p).costs(values - np.outer(values @ each, each)).astype(np.float64) for each in (line, at(angle)))
    return float(before[-1] - after[-1]), float((after - before)[:-1].sum())


def ends(direction: np.ndarray) -> tuple[list[float], list[float]]:
    """Across and up, the ends of a line as long as the picture has room."""
    x, y = direction * min(4.2 / max(abs(direction[1]), 1e-9), 16 / max(abs(direction[0]), 1e-9))
    return [-x, x], [-y, y]


def name(p: float) -> str:
    """A fit as the picture names it."""
    return "SVD (p = 2)" if p == 2 else f"line of p = {p:g}"


def far_point(distance: int) -> tuple[float, float]:
    """Where it is drawn: nowhere at distance 0."""
    x, y = distance * at(AWAY) if distance else (np.nan, np.nan)
    return float(x), float(y)


def figure(points: np.ndarray, svd: Lines, other: Lines, distance: int) -> go.Figure:
    """The points with both lines, and below them how far each line has swung at every distance."""
    chart = go.Figure(layout={"template": "flatland", "height": 640, "margin": {"t": 100}})
    drawn = [(SVD, svd, METHOD_COLOURS["svd"], "dash", "square"), (OTHER, other, METHOD_COLOURS["lp"], "solid", "circle")]
    for label, each, colour, _, _ in drawn:
        x, y = ends(each.directions[0])
        chart.add_scatter(
            x=x,
            y=y,
            mode="lines",
            name=label + WITHOUT,
            hoverinfo="skip",
            opacity=0.4,
            line={"color": colour, "width": 16 if each is svd else 9},
        )
    for label, each, colour, dash, _ in drawn:
        x, y = ends(each.directions[distance])
        chart.add_scatter(
            x=x,
            y=y,
            mode="lines",
            name=label,
            line={"color": colour, "width": 4, "dash": dash},
            hoverinfo="name",
        )
    chart.add_scatter(
        x=points[:, 0], y=points[:, 1], mode="markers", name=f"{N} points", marker={"size": 8, "color": MUTED}, hoverinfo="name"
    )
    across, up = far_point(distance)
    chart.add_scatter(
        x=[across],
        y=[up],
        mode="markers+text",
        name=FAR_POINT,
        text=[FAR_POINT],
        textposition="bottom center",
        marker={"size": 15, "color": FAR, "symbol": "star"},
        showlegend=False,
        hoverinfo="name",
    )
    for label, each, colour, dash, symbol in drawn:
        chart.add_scatter(
            x=np.arange(FARTHEST + 1),
            y=each.swings,
            xaxis="x2",
            yaxis="y2",
            mode="lines+markers",
            showlegend=False,
            line={"color": colour, "width": 2, "dash": dash},
            marker={"symbol": symbol, "size": 6},
            name=label + SWING,
            hovertemplate="far point at %{x}: swung %{y:.1f}°",
        )
    highest = max(svd.swings.max(), other.swings.max(), 10)
    plain = {"showgrid": True, "zeroline": True, "zerolinecolor": MUTED}
    return chart.update_layout(
        xaxis={**plain, "range": [-4.6, FARTHEST + 0.8], "domain": [0, 1], "anchor": "y", "title": {"text": "first number"}},
        yaxis={**plain, "range": [-4.4, 4.6], "domain": [0.44, 1], "scaleanchor": "x", "title": {"text": "second number"}},
        xaxis2={"title": {"text": "distance of the far point from 0"}, "anchor": "y2", "range": [-0.3, FARTHEST + 0.3]},
        yaxis2={
            "title": {"text": "line swung, °"},
            "domain": [0, 0.22],
            "anchor": "x2",
            "range": [-0.05 * highest, 1.12 * highest],
        },
    )
