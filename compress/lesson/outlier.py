"""Scene 2: points along a line, and one that lies far from it: whose line does it turn?

In the plane a line through 0 is one angle, and so many are tried that the best is known at every p: the line that LpLowRank with
the rows objective looks for, and at p = 2 SVD's.
"""

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from compress.charts.figure import METHOD_COLOURS, MUTED
from compress.charts.palette import CATEGORIES

N = 20
FARTHEST = 15
DISTANCES = np.arange(10 * FARTHEST + 1) / 10  # of the far point from 0, which is without it
ANGLES = np.radians(np.arange(1800) / 10)  # of the lines that are tried
TURN = 5  # degrees
LINE, AWAY = np.radians(80), np.radians(12)  # directions of the line and of the far point
SPREAD = 0.18  # standard deviation of a point around the line, whose half length is 3
FAR = CATEGORIES[6]
SVD, OTHER, FAR_POINT = "SVD (p = 2)", "line of your p", "the far point"  # in the picture
WITHOUT, SWING = " without the far point", ", swing"  # what is drawn of each line besides


@dataclass(frozen=True, eq=False)
class Lines:
    """The best lines through 0 at one p, one for each of DISTANCES. directions (m, 2) of length 1; swings (m,) in degrees, away
    from the line without the far point; gains (m,), loss: what Σ distᵖ loses at the far point, and what it gains at the others,
    where that line turns by TURN degrees towards the far point."""

    p: float
    directions: np.ndarray
    swings: np.ndarray
    gains: np.ndarray
    loss: float


def cloud(seed: int = 0, noise: bool = False) -> np.ndarray:
    """20 points in 2-D, (20, 2): along a line or, for `noise`, without any direction and of a like size."""
    rng = np.random.default_rng(seed)
    along, across = np.linspace(-3, 3, N) + 0.15 * rng.standard_normal(N), SPREAD * rng.standard_normal(N)
    if noise:
        return 1.8 * rng.standard_normal((N, 2))
    return along[:, None] * at(LINE) + across[:, None] * at(LINE + np.pi / 2)


def at(angle: float | np.ndarray) -> np.ndarray:
    """(…, 2) the point at distance 1 from 0 in a direction, in radians."""
    return np.stack([np.cos(angle), np.sin(angle)], axis=-1)


def costs(points: np.ndarray, angles: np.ndarray, p: float) -> np.ndarray:
    """Σ distᵖ of points (n, 2) to lines through 0 at angles (a,) in radians, (a,)."""
    return (np.abs(points @ at(angles + np.pi / 2).T) ** p).sum(axis=0)


def lines(points: np.ndarray, p: float) -> Lines:
    """The best lines at one p for every distance of the far point."""
    far = at(AWAY)[None]
    every = costs(points, ANGLES, p) + DISTANCES[:, None] ** p * costs(far, ANGLES, p)  # (m, a)
    best = ANGLES[every.argmin(axis=1)]
    apart = np.abs(best - best[0])
    towards = best[0] + np.sign(np.sin(2 * (AWAY - best[0]))) * np.radians(TURN)  # the shorter way round, for a line has two ends
    turn = np.array([best[0], towards])
    gain, loss = costs(far, turn, p) @ [1, -1], costs(points, turn, p) @ [-1, 1]
    return Lines(p, at(best), np.degrees(np.minimum(apart, np.pi - apart)), DISTANCES**p * gain, float(loss))


def place(distance: float) -> int:
    """Which of DISTANCES it is."""
    return round(10 * distance)


def ends(direction: np.ndarray) -> tuple[list[float], list[float]]:
    """Across and up, the ends of a line as long as the picture has room."""
    x, y = direction * min(4.2 / max(abs(direction[1]), 1e-9), 16 / max(abs(direction[0]), 1e-9))
    return [-x, x], [-y, y]


def name(p: float) -> str:
    """A fit as the picture names it."""
    return "SVD (p = 2)" if p == 2 else f"line of p = {p:g}"


def far_point(distance: float) -> tuple[float, float]:
    """Where it is drawn: nowhere at distance 0."""
    x, y = distance * at(AWAY) if distance else (np.nan, np.nan)
    return float(x), float(y)


def figure(points: np.ndarray, svd: Lines, other: Lines, distance: float) -> go.Figure:
    """The points with both lines, and below them how far each line has swung at every distance."""
    chart = go.Figure(layout={"template": "flatland", "height": 640, "margin": {"t": 100}})
    drawn = [(SVD, svd, METHOD_COLOURS["svd"], "dash"), (OTHER, other, METHOD_COLOURS["lp"], "solid")]
    for label, each, colour, _ in drawn:
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
    for label, each, colour, dash in drawn:
        x, y = ends(each.directions[place(distance)])
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
    for label, each, colour, dash in drawn:
        chart.add_scatter(
            x=DISTANCES,
            y=each.swings,
            xaxis="x2",
            yaxis="y2",
            mode="lines",
            showlegend=False,
            line={"color": colour, "width": 2, "dash": dash},
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
