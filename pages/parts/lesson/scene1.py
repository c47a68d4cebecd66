"""Scene 1: one plane, or a few flats?"""

from collections.abc import Callable, Sequence
from functools import partial

import plotly.graph_objects as go
import streamlit as st

from compress.lesson import flats
from pages.parts.cached import cached
from pages.parts.dial.answers import Answers, stacked, tell
from pages.parts.dial.figures import sentence
from pages.parts.lesson.chart import said, show
from pages.parts.lesson.settings import LESSON
from pages.parts.lesson.space import picture, space
from pages.parts.lesson.state import Lesson

QUESTION = "One plane, or a few flats?"
SEE = (
    "Assign sends every point to its nearest flat, refit turns every flat to its points; no step raises the cost: the grey sticks, "
    "squared and added up, as a share of the points' own squared lengths."
)
NOISE = (
    "Random points, near no flat. The cost still falls, since several flats are always nearer than one: a lower cost alone is no "
    "sign of structure."
)
SEED = "another start"
STEPS = flats.STEPS
ASKED = [
    (
        "What is a flat?",
        "A line, a plane, or the same in more dimensions. Here all go through 0, which saves storing where they lie. A point on a "
        "plane needs 2 numbers instead of 3, once the plane is known; a row of 384 numbers on a flat of dimension 7, as in scene "
        "5, needs 7.",
    ),
    (
        "Why not one plane for all?",
        "Set k to 1: that is SVD, the best single plane (the grey dashed line of the chart). The points lie near two planes and a "
        "line, and no one plane is near all three. Three planes are: the third goes through the line. Both are "
        "compared at one j with numbers in full precision, not at the same bytes.",
    ),
    (
        "Why does it stop above the dotted line?",
        "Assign and refit never raise the cost, so they go downhill into the nearest valley, and that may be a poor one: compare "
        "seeds 0 and 1, which begin at other flats among the same points. The dotted line is the best that the app's own search "
        "found from many starts.",
    ),
    (
        "Does a low cost mean that there is structure?",
        "No. Turn on Noise: k flats lower the cost there too, because more flats are always nearer. Structure is a cost far below "
        "what the same fit reaches on noise.",
    ),
    (
        "Who chooses k and j? And is the choice of flat not stored too?",
        "A person does, by what can be spent: each flat is stored once, and each point stores which flat is its own, 2 bits for up "
        "to 4 flats, beside its j numbers. *Subspaces* counts all of it in bytes.",
    ),
    (
        "Which three numbers are a point's?",
        "Any: here x, y and z without a meaning. In a model they are columns of its embedding table.",
    ),
    (
        "What do the sizes mean, and why do some sticks end beside a patch?",
        "Points nearer to you are drawn larger. A flat has no edge: only a patch of it is drawn.",
    ),
]
MATHS = (
    "Minimise $\\sum_i \\min_z \\lVert a_i - V_z V_z^\\top a_i \\rVert^2$ over $k$ bases $V_z$ with $j$ orthonormal columns. "
    "*Assign* takes the best $z$ for every row, *refit* the leading $j$ eigenvectors of $\\sum_{i \\in z} a_i a_i^\\top$ for "
    "every flat; neither can raise the sum, so it settles, but only in a local minimum. The cost shown is that sum over "
    "$\\sum_i \\lVert a_i \\rVert^2$, the relative error. With $k = 1$ it is SVD's tail $\\sum_{i>j} \\sigma_i^2 / \\sum_i "
    "\\sigma_i^2$ (Eckart and Young, 1936). This is the fit behind *Subspaces* (Maalouf, Lang, Rus and Feldman, ICLR 2021), "
    "which adds better starts and leave-one-out distances."
)


@cached(64)
def history(k: int, j: int, seed: int, noise: bool) -> flats.History:
    return flats.history(k, j, seed, noise)


def draw(lesson: Lesson) -> tuple[str, Callable[[], go.Figure]]:
    left, right = st.columns(2)
    with left:
        k = LESSON.flats_k.dial("Number of flats k")
    with right:
        j = LESSON.flats_j.dial("Their dimension j: 1 a line, 2 a plane")
    fit = history(k, j, lesson.seed, lesson.noise)
    moment = fit.moments[lesson.step]
    words = flats.title(fit, lesson.step)
    sentence(words, "lesson_says", strong=True)
    space(
        fit,
        lesson.step,
        key="lesson_flats",
        height="34vh" if lesson.presenter else "400px",
        label=said(f"{len(fit.matrix.values)} points in 3-D and {flats.names(k, j)}. Step {lesson.step}, {words}", lesson),
    )
    cost = "no cost yet" if moment.cost is None else f"cost {moment.cost:.3g}"
    show(
        flats.costs(fit, lesson.step),
        lesson,
        key="lesson_costs",
        alt=f"Cost by step: {cost}; SVD's one {flats.names(1, j)[2:]} costs {fit.svd:.3g}",
    )
    if lesson.noise:
        sentence(beside_structure(k, j), "lesson_beside")
    ks, js = range(1, flats.MOST_K + 1), range(1, flats.MOST_J + 1)
    with st.container(gap=None):
        tell(LESSON.flats_k.key, answers(lesson, [(each, j) for each in ks], ks))
        tell(LESSON.flats_j.key, answers(lesson, [(k, each) for each in js], js))
    return words, partial(flats.figure, fit, lesson.step)


def beside_structure(k: int, j: int) -> str:
    here, there = (flats.found(k, j, noise) for noise in (True, False))
    return f"The best that {flats.names(k, j)} cost is {here:.3g} here, and {there:.3g} without noise."


def answers(lesson: Lesson, cases: list[tuple[int, int]], values: Sequence[int]) -> Answers:
    """For every value of a dial: k and j."""
    every = [history(k, j, lesson.seed, lesson.noise) for k, j in cases]
    return Answers(
        values,
        sentences={
            "lesson_says": [flats.title(each, lesson.step) for each in every],
            "lesson_beside": [beside_structure(*case) for case in cases] if lesson.noise else [],
        },
        traces={"lesson_costs": stacked([flats.moving_costs(each, lesson.step) for each in every])},
        pictures={"lesson_flats": [picture(each, lesson.step) for each in every]},
    )
