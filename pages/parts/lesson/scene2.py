"""Scene 2: the outlier."""

from collections.abc import Callable, Sequence

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from compress.lesson import outlier
from pages.parts.cached import cached
from pages.parts.dial.answers import Answers, Mark, Ring, tell
from pages.parts.dial.figures import sentence
from pages.parts.lesson.chart import show
from pages.parts.lesson.settings import LESSON
from pages.parts.lesson.state import Lesson

QUESTION = "How far can one point turn a line?"
SEE = (
    "Pull the far point away: SVD's dashed line swings towards it; the smaller p, the longer the solid line stays with the other "
    "20 points."
)
NOISE = (
    "A cloud without a direction. There is no line to stay with, so neither direction means much, and a smaller p need not "
    "help: a robust fit cannot find what is not there."
)
SEED = "other points"
STEPS = None
POWERS_OF_P = [round(1 + each / 100, 2) for each in range(101)]
POWERS = {1.0: "dist", 2.0: "dist²"}
ASKED = [
    (
        "Why does one point count so much?",
        "SVD lowers the sum of squared distances. A point ten times as far away counts a hundred times as much, so it pays to turn "
        "the line for it alone. At p = 1 it counts ten times.",
    ),
    (
        "Does p = 1 always stay?",
        "No. See the lower chart: at p between 1 and 2 the line holds for longer and then gives way, and at p = 1 it may still "
        "turn by a degree or so. Twenty points together outweigh one; against ten far points they would lose.",
    ),
    (
        "So is p = 1 better?",
        "It depends on whether the far point is a mistake. If it is a rare but real token, SVD keeps it better. The page "
        "Robustness shows who gains and who loses.",
    ),
    (
        "Swung from where?",
        "From the pale band of its own colour: where the same p puts the line without the far point. Along a line of points both "
        "bands are nearly one; on noise they differ. A line can swing by 68° here: then it points at the far point.",
    ),
    (
        "Why must the line go through 0?",
        "So that a row needs one number on it and no more. The other pages allow flats beside 0 too, at the price of storing where "
        "they lie.",
    ),
]
MATHS = (
    "For a line with direction $v$, $\\lVert v \\rVert = 1$, minimise $\\sum_i \\lVert a_i - v v^\\top a_i \\rVert^p$. At $p "
    "= 2$ that is SVD. In the plane a line is one angle, and here every tenth of a degree is tried. Longer rows have too many "
    "directions for that: *Robustness* refits by least squares with row weights $\\mathrm{dist}_i^{\\,p-2}$, so that a far row "
    "weighs less, from the axes of an ellipsoid by Lewis weights (after Tukan, Maalouf, Weksler and Feldman, arXiv 2009.05647). "
    "The swing is the angle between the line and the best one at the same $p$ without the far point."
)


@cached(8)
def every_p(seed: int, noise: bool) -> dict[float, outlier.Lines]:
    return {p: outlier.lines(outlier.cloud(seed, noise), p) for p in POWERS_OF_P}


def draw(lesson: Lesson) -> tuple[str, Callable[[], go.Figure]]:
    left, right = st.columns(2)
    with left:
        distance = LESSON.distance.dial("Distance of the far point from 0", 0.1)
    with right:
        about = "At 2 the far point pulls most: that is SVD. At 1 it pulls least."
        p = LESSON.p.dial("Exponent p of the solid line", 0.01, help=about)
    every = every_p(lesson.seed, lesson.noise)
    svd, other = every[2.0], every[p]
    words = why(svd, other, distance)
    sentence(words, "lesson_why")
    chart = outlier.figure(outlier.cloud(lesson.seed, lesson.noise), svd, other, distance)
    swung = [each.swings[outlier.place(distance)] for each in (svd, other)]
    show(
        chart,
        lesson,
        key="lesson_outlier",
        alt=f"{outlier.N} points and one far point at distance {distance:g}; SVD's line swung {swung[0]:.0f} degrees, "
        f"that of p = {p:g} {swung[1]:.0f}",
        marks=swings(svd, other, distance),
    )
    with st.container(gap=None):
        tell(LESSON.distance.key, answers([(svd, other, far) for far in outlier.DISTANCES], outlier.DISTANCES))
        tell(LESSON.p.key, answers([(svd, each, distance) for each in every.values()], POWERS_OF_P))
    return words, lambda: chart


def answers(cases: list[tuple[outlier.Lines, outlier.Lines, float]], values: Sequence[float]) -> Answers:
    """For every value of a dial: SVD's lines, those of p, and the distance."""
    far = np.array([outlier.far_point(distance) for *_, distance in cases])
    traces = {outlier.FAR_POINT: {"x": far[:, :1], "y": far[:, 1:]}}
    for at, label in enumerate((outlier.SVD, outlier.OTHER)):
        drawn = np.array([outlier.ends(case[at].directions[outlier.place(case[2])]) for case in cases])  # (m, 2, 2)
        traces[label] = {"x": drawn[:, 0], "y": drawn[:, 1]}
    bands = np.array([outlier.ends(other.directions[0]) for _, other, _ in cases])
    traces[outlier.OTHER + outlier.WITHOUT] = {"x": bands[:, 0], "y": bands[:, 1]}
    traces[outlier.OTHER + outlier.SWING] = {"y": np.array([other.swings for _, other, _ in cases]).round(1)}
    return Answers(
        values,
        sentences={"lesson_why": [why(*case) for case in cases]},
        marks={"lesson_outlier": [swings(*case) for case in cases]},
        traces={"lesson_outlier": traces},
    )


def swings(svd: outlier.Lines, other: outlier.Lines, distance: float) -> list[Mark]:
    """How far each line swung, on the lower chart."""
    both = {name: each.swings[outlier.place(distance)] for name, each in ((outlier.SVD, svd), (outlier.OTHER, other))}
    return [Ring(name, distance, swing, f"{swing:.0f}°", "x2") for name, swing in both.items()]


def why(svd: outlier.Lines, other: outlier.Lines, distance: float) -> str:
    """What turning a line a little would win at the far point and cost at the others."""
    if not distance:
        return "No far point yet: each line lies on its pale band."
    place = outlier.place(distance)
    both = [svd] if other.p == 2 else [svd, other]
    said = [
        f"{outlier.name(each.p)} saves {each.gains[place]:.2g} of Σ {POWERS.get(each.p, f'dist^{each.p:g}')} there, and loses "
        f"{each.loss:.2g} at the others"
        for each in both
    ]
    swung = ", ".join(f"{outlier.name(each.p)} by {each.swings[place]:.1f}°" for each in both)
    return f"Swung: {swung}. A turn of {outlier.TURN}° towards the far point: {'; '.join(said)}."
