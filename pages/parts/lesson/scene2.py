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
POWERS_OF_P = [round(1 + each / 10, 1) for each in range(11)]
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
    "= 2$ that is SVD. Below 2 each refit is least squares with row weights $\\mathrm{dist}_i^{\\,p-2}$, so that a far row "
    "weighs less: iteratively reweighted least squares, from the axes of an ellipsoid by Lewis weights (after Tukan, Maalouf,"
    " Weksler and Feldman, arXiv 2009.05647). The swing is the principal angle between the line and the one fitted at the "
    "same $p$ without the far point."
)


@cached(256)
def lines(p: float, seed: int, noise: bool) -> outlier.Lines:
    return outlier.lines(outlier.cloud(seed, noise), p)


def draw(lesson: Lesson) -> tuple[str, Callable[[], go.Figure]]:
    left, right = st.columns(2)
    with left:
        distance = LESSON.distance.dial("Distance of the far point from 0")
    with right:
        about = "At 2 the far point pulls most: that is SVD. At 1 it pulls least."
        p = LESSON.p.dial("Exponent p of the solid line", 0.1, help=about)
    every = {each: lines(each, lesson.seed, lesson.noise) for each in POWERS_OF_P}
    svd, other = every[2.0], every[p]
    words = why(svd, other, distance)
    sentence(words, "lesson_why")
    tell(LESSON.distance.key, answers([(svd, other, far) for far in range(outlier.FARTHEST + 1)], range(outlier.FARTHEST + 1)))
    tell(LESSON.p.key, answers([(svd, each, distance) for each in every.values()], POWERS_OF_P))
    chart = outlier.figure(outlier.cloud(lesson.seed, lesson.noise), svd, other, distance)
    show(
        chart,
        lesson,
        key="lesson_outlier",
        alt=f"{outlier.N} points and one far point at distance {distance}; SVD's line swung {svd.swings[distance]:.0f} degrees, "
        f"that of p = {p:g} {other.swings[distance]:.0f}",
        marks=swings(svd, other, distance),
    )
    return words, lambda: chart


def answers(cases: list[tuple[outlier.Lines, outlier.Lines, int]], values: Sequence[float]) -> Answers:
    """For every value of a dial: SVD's lines, those of p, and the distance."""
    far = np.array([outlier.far_point(distance) for *_, distance in cases])
    traces = {outlier.FAR_POINT: {"x": far[:, :1], "y": far[:, 1:]}}
    for at, label in enumerate((outlier.SVD, outlier.OTHER)):
        drawn = np.array([outlier.ends(case[at].directions[case[2]]) for case in cases])  # (m, 2, 2)
        traces[label] = {"x": drawn[:, 0], "y": drawn[:, 1]}
    bands = np.array([outlier.ends(other.directions[0]) for _, other, _ in cases])
    traces[outlier.OTHER + outlier.WITHOUT] = {"x": bands[:, 0], "y": bands[:, 1]}
    traces[outlier.OTHER + outlier.SWING] = {"y": np.array([other.swings for _, other, _ in cases])}
    return Answers(
        values,
        sentences={"lesson_why": [why(*case) for case in cases]},
        marks={"lesson_outlier": [swings(*case) for case in cases]},
        traces={"lesson_outlier": traces},
    )


def swings(svd: outlier.Lines, other: outlier.Lines, distance: int) -> list[Mark]:
    """How far each line swung, on the lower chart."""
    both = {outlier.SVD: svd.swings[distance], outlier.OTHER: other.swings[distance]}
    return [Ring(name, distance, swing, f"{swing:.0f}°", "x2") for name, swing in both.items()]


def why(svd: outlier.Lines, other: outlier.Lines, distance: int) -> str:
    """What turning a line a little would win at the far point and cost at the others."""
    if not distance:
        return "No far point yet: each line lies on its pale band."
    both = [svd] if other.p == 2 else [svd, other]
    said = [
        f"{outlier.name(each.p)} saves {each.gains[distance]:.2g} of Σ {POWERS.get(each.p, f'dist^{each.p:g}')} there, and loses "
        f"{each.losses[distance]:.2g} at the others"
        for each in both
    ]
    swung = ", ".join(f"{outlier.name(each.p)} {each.swings[distance]:.0f}°" for each in both)
    return f"Swung: {swung}. A turn of {outlier.TURN}° towards the far point: {'; '.join(said)}."
