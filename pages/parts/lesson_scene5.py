"""Scene 5: a token through the whole pipeline."""

import plotly.graph_objects as go
import streamlit as st

from compress.lesson import token
from compress.lesson.token import METHOD, Pipeline
from compress.threads import one_thread
from pages.parts.controls import KEPT
from pages.parts.lesson_chart import show
from pages.parts.lesson_matrix import lesson_matrix
from pages.parts.lesson_state import Lesson
from pages.parts.say import literal

QUESTION = f"From 384 numbers to {METHOD.rank + METHOD.bits // 8} bytes: is it still the same word?"
SEE = (
    "Seven numbers alone bring back little; every stage of bits brings the row, and its neighbours, nearer to what they were. "
    "In noise no words are truly near, so there is little to bring back."
)
STEPS = len(token.STEPS) - 1
ASKED = [
    (
        "What are the coloured cells?",
        "The 384 numbers that a language model keeps for this word, in lines of 48: orange above zero, blue below, grey near "
        "it. No single one has a meaning; together they say which words are alike.",
    ),
    (
        "What is stored?",
        f"Step 1 keeps {METHOD.rank} whole numbers of a byte each: how much of each of {METHOD.rank} directions that all rows "
        f"share. Each later step adds {METHOD.widths[0]} bits, {METHOD.widths[0] // 8} bytes, made for what is missing until "
        "then.",
    ),
    (
        "Are the other bytes hidden somewhere?",
        "All rows share the directions and the decoder that turns bits into numbers. Spread over 30,522 rows they come to some "
        "3 bytes a row; the line below the picture has the exact figure.",
    ),
    (
        "The error is large. Is the word lost?",
        "The error counts every number alike. What a model uses is mostly which rows are near, and that comes back much sooner: "
        "watch the ticks.",
    ),
    (
        "Why 384, where others say 768?",
        "Larger models keep 768 numbers a word. The demo, all-MiniLM-L6-v2, keeps 384; the way is the same.",
    ),
    (
        "Is this the best that these bytes can do?",
        "No. To open quickly, the bits come from a single pass over the rows. *Hash codes* makes more, and *Trade-offs* sets it "
        "beside other methods.",
    ),
]
MATHS = (
    "A row is restored as $b_i = V u_i + D^\\top s_i + o$: $u_i$ the coefficients of the low rank, $s_i \\in \\{-1, 1\\}^L$ its "
    "bits, $D$ and $o$ shared by all rows. After stage $t$ only the first bits are used, with the $D$ that is best for them. "
    "Error: $\\|a_i - b_i\\|^2 / \\|a_i\\|^2$. Neighbours: the largest cosines among common words. The method is LightToken "
    "(KDD 2023), known here from its authors' public summary."
)
WORD = "king"


def draw(lesson: Lesson) -> go.Figure:
    step = min(lesson.step, STEPS)
    found = coded(lesson.noise)
    place = found.words.index(WORD) if WORD in found.words else 0
    word = st.selectbox("Word", found.words, index=place, key="lesson_word", width=320, **KEPT)
    place = found.words.index(word) if word in found.words else place
    one = seen(found, lesson.noise, place)
    near = one.neighbours[step]
    alt = (
        f"{one.name} after step {step} of {STEPS}, {token.STEPS[step]}: error {one.errors[step]:.3f}, cosine "
        f"{one.cosines[step]:.3f}; {len(near.before) - len(near.lost)} of its {len(near.before)} nearest words are kept"
    )
    made = show(token.chart(found, one, step), lesson, key="lesson_token", alt=alt)
    shared = f" and {found.shared(step):.2g} bytes a row that all rows share" if step else ""
    ratio = found.before / (found.own(step) + found.shared(step))
    st.caption(
        f"Step {step} of {STEPS}, **{token.STEPS[step]}**: {found.own(step):,.4g} bytes for {literal(one.name)}{shared}; ratio "
        f"{ratio:.3g}. ✓ kept, ✗ lost, + new, among the {len(found.words):,} most common words. After the last step the error "
        f"over all rows is {found.error:.3f}."
    )
    return made


@st.cache_resource(max_entries=2, show_spinner="Coding all rows, once …")
def coded(noise: bool) -> Pipeline:
    with one_thread():
        return token.pipeline(lesson_matrix(noise))


@st.cache_resource(max_entries=64, show_spinner=False)
def seen(_found: Pipeline, noise: bool, place: int) -> token.Token:
    with one_thread():
        return token.token(_found, place)
