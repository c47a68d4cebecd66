"""Scene 4: bits."""

import plotly.graph_objects as go
import streamlit as st

from compress.lesson import bits
from compress.lesson.bits import BITS, VIEWS, Stages
from compress.threads import one_thread
from pages.parts.controls import choice, whole_slider
from pages.parts.lesson_chart import show
from pages.parts.lesson_state import Lesson

QUESTION = "Can three bits say where a point is?"
SEE = (
    "Each line asks one yes-or-no question, a bit; points with the same answers become one point, and a second stage asks again "
    "about what was missed."
)
STEPS = len(VIEWS) - 1
ASKED = [
    (
        "What is a code?",
        "The answers written one after the other. 101 says: on the 1-side of the first line, the 0-side of the second, the "
        "1-side of the third. Each code has a colour and a sign of its own.",
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
        "LightToken's solver chooses bits and decoder together, so that the restored points lie near. The tints show the code "
        "whose restored point is nearest. The solver turns one bit at a time, so that now and then a point keeps the code of a "
        "cell beside its own.",
    ),
    (
        "Where do the crosses come from?",
        f"Each bit adds or takes away one arrow, the same for all points; the arrows are fitted by least squares. So {BITS} "
        f"arrows and one offset restore all {2**BITS} codes.",
    ),
]
MATHS = (
    "A point gets signs $s_i \\in \\{-1, 1\\}^L$, here $s_{il} = \\operatorname{sign}((x_i - \\bar x)^\\top n_l)$ for lines "
    "placed by hand, and is restored as $D^\\top s_i + o$ with $D$ and $o$ by least squares. The second stage does the same "
    "with $r_i = x_i - D^\\top s_i - o$. The error is $\\sum_i \\|x_i - \\hat x_i\\|^2 / \\sum_i \\|x_i\\|^2$. Random lines in "
    "place of chosen ones: Charikar, *Similarity estimation techniques from rounding algorithms*, STOC 2002. Codes as the page "
    "*Hash codes* makes them."
)
PLACED, LEARNT = "Placed by you", "Learnt"
USUAL = (10, 40, 70)  # degrees, a poor choice: the next is the student's


def draw(lesson: Lesson) -> go.Figure:
    view = VIEWS[min(lesson.step, STEPS)]
    how = choice("Lines", (PLACED, LEARNT), PLACED, "lesson_lines")
    angles = None
    if how != LEARNT:
        columns = st.columns(BITS)
        angles = tuple(
            angle(number, column, default) for number, (column, default) in enumerate(zip(columns, USUAL, strict=True), start=1)
        )
    found = coded(lesson.seed, lesson.noise, angles)
    made = bits.chart(found, view)
    return show(made, lesson, key="lesson_bits", alt=bits.title(found, view))


def angle(number: int, column, default: int) -> int:
    with column:
        return whole_slider(f"Angle of line {number}, °", f"lesson_angle{number}", 0, 179, default)


@st.cache_resource(max_entries=64, show_spinner=False)
def coded(seed: int, noise: bool, angles: tuple[int, ...] | None) -> Stages:
    with one_thread():
        return bits.stages(bits.cloud(seed, noise), angles)
