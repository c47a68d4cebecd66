"""Scene 5: a token through the whole pipeline."""

from collections.abc import Callable

import plotly.graph_objects as go
import streamlit as st

from compress.form.metrics import error_text
from compress.lesson import token
from compress.lesson.token import METHOD, Pipeline
from compress.threads import one_thread
from pages.parts.cached import cached
from pages.parts.lesson.chart import show
from pages.parts.lesson.matrix import lesson_matrix
from pages.parts.lesson.settings import LESSON
from pages.parts.lesson.state import Lesson
from pages.parts.pins import describe
from pages.parts.say import literal

QUESTION = f"From 384 numbers to {METHOD.rank + METHOD.bits // 8} bytes: is it still the same word?"
SEE = (
    "Seven numbers alone bring back little; every stage of bits brings the row, and its neighbours, nearer to what they were: at "
    "the last step 31 bytes a word."
)
NOISE = (
    "Random numbers in place of every word's row; the words are only names. None is truly near another, so that the neighbours "
    "before mean nothing, and hardly one of them stays."
)
SEED = None
STEPS = len(token.STEPS) - 1
ASKED = [
    (
        "What are the coloured cells?",
        "The 384 numbers that a language model keeps for this word, in lines of 48: orange above zero, blue with a dash below, "
        "pale near it, in both pictures alike. No single one has a meaning; together they say which words are alike.",
    ),
    (
        "What is stored?",
        f"Step 1 keeps {METHOD.rank} whole numbers of a byte each: how much of each of {METHOD.rank} directions that all rows "
        f"share. Each later step adds {METHOD.widths[0]} bits, {METHOD.widths[0] // 8} bytes, made for what is missing until "
        "then.",
    ),
    (
        "How do bits become 384 numbers?",
        "As in scene 4: every bit adds or takes away one arrow, here of 384 numbers, the same for all words. The seven whole "
        "numbers say how far to go along seven directions first: a flat of dimension 7, as in scenes 1 and 3.",
    ),
    (
        "Why can a neighbour come nearer than it was?",
        "The word and its neighbours are all restored ones. What they share is restored best, what is each one's own is lost, so "
        "that they look more alike. The ticks do not mind the order.",
    ),
    (
        "Are the other bytes hidden somewhere?",
        "All rows share the directions and the decoder that turns bits into numbers. Spread over 30,522 rows they come to some "
        "3 bytes a row; the line above the picture has the exact figure.",
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
        "No. To open quickly, the bits come from a single pass over the rows. *Hash codes* makes more passes, and *Trade-offs* "
        "sets it beside other methods.",
    ),
]
MATHS = (
    "A row is restored as $b_i = V u_i + D^\\top s_i + o$: $u_i$ the coefficients of the low rank, $s_i \\in \\{-1, 1\\}^L$ its "
    "bits, $D$ and $o$ shared by all rows. After stage $t$ only the first bits are used, with the $D$ that is best for them. "
    "Error: $\\|a_i - b_i\\|^2 / \\|a_i\\|^2$. Neighbours: the largest cosines among common words. The method is LightToken "
    "(KDD 2023), known here from its authors' public summary."
)
WORD = "king"


def draw(lesson: Lesson) -> tuple[str, Callable[[], go.Figure]]:
    step = min(lesson.step, STEPS)
    found = coded(lesson.noise)
    place = found.words.index(WORD) if WORD in found.words else 0
    left, right = st.columns([1, 2.4], vertical_alignment="bottom")
    with left:
        word = LESSON.word.select("Word", found.words, index=place)
    place = found.words.index(word) if word in found.words else place
    one = seen(lesson.noise, place)
    near = one.neighbours[step]
    alt = (
        f"{one.name} after step {step} of {STEPS}, {token.STEPS[step]}: error {error_text(one.errors[step])}, cosine "
        f"{one.cosines[step]:.3f}; {len(near.before) - len(near.lost)} of its {len(near.before)} nearest words are kept"
    )
    made = token.chart(found, one, step)
    show(made, lesson, key="lesson_token", alt=alt)
    words = bytes_said(found, one, step)
    right.caption(literal(words))
    return words, lambda: made


def bytes_said(found: Pipeline, one: token.Token, step: int) -> str:
    """What the token takes after a step."""
    own, shared = found.own(step), found.shared(step)
    said = f"{token.STEPS[step].capitalize()}: {own:,.4g} bytes for {one.name}"
    if step:
        said += f", and {shared:.2g} as its share of the directions and arrows that all rows use"
        said += f"; {found.before / (own + shared):.3g} times smaller in all"
    nearest = "itself" if one.nearest[step] == one.name else f"{one.nearest[step]}, another word"
    beside = f"; that of {describe(found.svd.method)}, in as many bytes, is {error_text(found.svd.error)}" if found.svd else ""
    return (
        f"{said}. Of all words as they were, what is given back is nearest to {nearest}. Neighbours are sought among the "
        f"{len(found.words):,} most common words. After the last step the error over all {found.matrix.shape[0]:,} rows is "
        f"{error_text(found.error)}{beside}."
    )


@cached(2, "Coding all rows, once …")
def coded(noise: bool) -> Pipeline:
    with one_thread():
        return token.pipeline(lesson_matrix(noise))


@cached(64)
def seen(noise: bool, place: int) -> token.Token:
    with one_thread():
        return token.token(coded(noise), place)
