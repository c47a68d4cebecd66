"""Scene 4: bits."""

from collections.abc import Callable

import plotly.graph_objects as go
import streamlit as st

from compress.form.metrics import error_text
from compress.lesson import bits
from compress.lesson.bits import BITS, VIEWS, Stages
from compress.threads import one_thread
from pages.parts.cached import cached
from pages.parts.dial.answers import Answers, stacked, tell
from pages.parts.dial.figures import sentence
from pages.parts.lesson.chart import show
from pages.parts.lesson.settings import LEARNT, LESSON
from pages.parts.lesson.state import Lesson
from pages.parts.lesson.turn import turn

QUESTION = "Can three bits say where a point is?"
SEE = (
    "Each line asks one yes-or-no question, a bit; points with the same answers become one point, and a second stage asks again "
    "about what was missed."
)
NOISE = (
    "Points without groups. No lines fit them well: even learnt ones leave more than with groups, since every code must stand for "
    "points that are far from each other."
)
SEED = "other points"
STEPS = len(VIEWS) - 1
ASKED = [
    (
        "What is a code?",
        "The answers written one after the other. 101 says: on the 1-side of the first line, the 0-side of the second, the "
        "1-side of the third. At every step each code has a "
        "colour and a sign of its own; another bit deals them anew.",
    ),
    (
        "What is a collision?",
        "Two points with one code. They are restored at the same place, so what told them apart is lost; the bars count how "
        "many share each code. A collision of near points costs little.",
    ),
    (
        "Why are some codes never used?",
        "Three lines through one place cut the plane into six parts, not eight. Learnt edges bend, and may use all eight; "
        "with seven groups one can stay free.",
    ),
    (
        "What is *learnt*?",
        "The solver behind *Hash codes* chooses bits and decoder together, so that the restored points lie near. The tints show "
        "the code whose restored point is nearest. The solver turns one bit at a time, so that now and then a point keeps the "
        "code of a cell beside its own.",
    ),
    (
        "Why do my lines do badly?",
        "Lines that lie close together ask nearly the same question: some codes stand for many points, others for none. What is "
        "left then stretches along the lines. Turn them until the sticks are short.",
    ),
    (
        "Does the second stage use my lines too?",
        "Yes, at the same angles, through the middle of what is left. Learnt lines are learnt anew for it.",
    ),
    (
        "What does the error say?",
        "The share of the sum of squares that is lost: the sticks, squared and added up, over the same for the points themselves. "
        "With no bit at all it would be 1.",
    ),
    (
        "Where do the crosses come from?",
        f"Each bit adds or takes away one arrow, the same for all points; the arrows are fitted by least squares. So {BITS} "
        f"arrows and one place to start from, stored once, restore all {2**BITS} codes, and a cross need not be in the middle of "
        "its points.",
    ),
]
MATHS = (
    "A point gets signs $s_i \\in \\{-1, 1\\}^L$, here $s_{il} = \\operatorname{sign}((x_i - \\bar x)^\\top n_l)$ for lines "
    "placed by hand, and is restored as $D^\\top s_i + o$ with $D$ and $o$ by least squares. The second stage does the same "
    "with $r_i = x_i - D^\\top s_i - o$. The error is $\\sum_i \\|x_i - \\hat x_i\\|^2 / \\sum_i \\|x_i\\|^2$. Random lines in "
    "place of chosen ones: Charikar, *Similarity estimation techniques from rounding algorithms*, STOC 2002. Codes as the page "
    "*Hash codes* makes them."
)


def draw(lesson: Lesson) -> tuple[str, Callable[[], go.Figure]]:
    view = VIEWS[min(lesson.step, STEPS)]
    first, *columns = st.columns([1.5, *[1] * BITS])
    with first:
        placed = LESSON.lines.draw("Lines") != LEARNT
    every = tuple(each.standing() for each in LESSON.angles)
    dials = LESSON.angles[: bits.bits_of(view)] if placed else []
    for number, (column, each) in enumerate(zip(columns, dials, strict=False), start=1):
        with column:
            each.dial(f"Angle of line {number}, °")
    angles = every if placed else None
    found = coded(lesson.seed, lesson.noise, angles)
    words, made = bits.title(found, view), bits.chart(found, view)
    sentence(words, "lesson_says", strong=True)
    show(made, lesson, key="lesson_bits", alt=words)
    if dials:
        sentence(beside(lesson.seed, lesson.noise, found, view), "lesson_beside")
    with st.container(gap=None):
        if dials and view != "left":
            middle = bits.drawn(found, view)[0].points.mean(axis=0)
            turn("lesson_bits", [each.key for each in dials], middle, 2 * bits.ROOM * bits.reached(found, view))
        for line, each in enumerate(dials):
            tell(each.key, answers(lesson.seed, lesson.noise, angles, line, view))
    return words, lambda: made


def beside(seed: int, noise: bool, found: Stages, view: str) -> str:
    """How to turn a line and how near it passes by points; once these are restored, the errors beside those of learnt lines."""
    if view == "left":
        return "Move a slider to turn its line and those points with it."
    near = ", ".join(f"{each:.3f}" for each in bits.clearance(found, view))
    said = f"Drag a line to turn it, or move its slider. From the nearest point to each line: {near}."
    if view.startswith("bit"):
        return said
    errors = zip((BITS, 2 * BITS), found.errors, coded(seed, noise, None).errors, strict=True)
    return said + "".join(
        f" Error by {each} bits: {error_text(own)} with your lines, {error_text(learnt)} learnt." for each, own, learnt in errors
    )


@cached(64)
def coded(seed: int, noise: bool, angles: tuple[int, ...] | None) -> Stages:
    with one_thread():
        return bits.stages(bits.cloud(seed, noise), angles)


@cached(6)
def answers(seed: int, noise: bool, angles: tuple[int, ...], line: int, view: str) -> Answers:
    """What is shown for every angle of a line."""
    with one_thread():
        every = bits.at_every_angle(bits.cloud(seed, noise), angles, line)
    return Answers(
        range(len(every)),
        sentences={
            "lesson_says": [bits.title(each, view) for each in every],
            "lesson_beside": [beside(seed, noise, each, view) for each in every],
        },
        traces={"lesson_bits": stacked([bits.moving(each, view) for each in every])},
    )
