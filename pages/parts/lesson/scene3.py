"""Scene 3: rank is a budget."""

from collections.abc import Callable

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from compress.form.metrics import error_text
from compress.lesson import budget
from compress.lesson.budget import RANKS, Budget
from compress.threads import one_thread
from pages.parts.cached import cached
from pages.parts.dial.answers import Answers, Mark, Ring, tell
from pages.parts.dial.figures import sentence
from pages.parts.lesson.chart import show
from pages.parts.lesson.matrix import lesson_matrix
from pages.parts.lesson.settings import LESSON
from pages.parts.lesson.state import Lesson

QUESTION = "What does a rank buy?"
SEE = (
    "Every rank adds one pattern, of which each line takes its share. A handful already makes the picture, since its lines are "
    "alike. How much of the rows of words is still lost? Guess, then reveal."
)
NOISE = "Random numbers in both places. Nothing is shared: every rank takes off little, and no shape appears but stripes."
SEED = None
STEPS = len(RANKS) - 1
ASKED = [
    (
        "What is a rank?",
        "How many patterns are stored. Every line of the picture, and every row of the table, is then a mixture of these j "
        "patterns and no other; a row keeps only its j amounts.",
    ),
    (
        "What does the error say?",
        "The share of the sum of squares that is lost, over all rows: 0 is a perfect copy, 1 is what all grey, that is zeros, "
        "would lose.",
    ),
    (
        "Why do the words look like noise?",
        "Next to each other, the numbers of a row mean nothing to the eye. What structure they have shows in the error: at the "
        "same rank random rows lose still more. Switch *Noise?* on and compare. The 64 rows shown are those of the most used "
        "tokens; the first few are marks and signs, which are alike.",
    ),
    (
        "Why does rank 128 save so little on the picture?",
        "A rank costs the picture 128 + 208 numbers: 128 of them cost 43,008, more than its own 26,624. The words have 30,522 "
        "rows and 384 columns, so one rank costs 30,906 numbers of 11.7 million. Numbers are stored in 2 bytes each; the whole is "
        "counted at 4, as the other pages do.",
    ),
    (
        "Is it fair to compare both at one rank?",
        "Not by bytes: rank 5 makes the picture 32 times smaller and the words 152 times. But at like sizes, rank 8 "
        "and rank 34, the words lose far more too.",
    ),
    (
        "What has this to do with flats?",
        "Rank j puts all rows on one flat of dimension j, spanned by the patterns. Scene 1 had several flats, of dimension 2.",
    ),
    (
        "If rank does so little for words, why use it?",
        "As a first part. Several flats (*Subspaces*) and bits for what is left (scenes 4 and 5) do more in the same bytes.",
    ),
    (
        "Is this how pictures are stored?",
        "No. JPEG and the like know what pictures look like. Here the picture is only a table that the eye can judge.",
    ),
]
MATHS = (
    "The closest matrix of rank $j$ is $B = U_j V_j^\\top$, the first $j$ terms of the SVD (Eckart and Young 1936). It stores "
    "$n j + j d$ numbers in place of $n d$, and its relative error is $\\sum_i \\|a_i - b_i\\|^2 / \\sum_i \\|a_i\\|^2 = "
    "\\sum_{i > j} \\sigma_i^2 / \\sum_i \\sigma_i^2$: the energy of what was left out. The page *Spectrum* shows it for every "
    "$j$."
)
SEEN = "lesson_told_at"
GUESS_STEP = 0.005


def draw(lesson: Lesson) -> tuple[str, Callable[[], go.Figure]]:
    step = min(lesson.step, STEPS)
    picture, words = budgets(lesson.noise)
    hide_again(step, lesson.noise)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        guess = LESSON.guess.dial("Your guess: the error of the rows on the right", GUESS_STEP)
        told = LESSON.told.draw("Reveal the error")
    j = RANKS[step]
    error = float(words.errors[j])
    made = budget.chart(picture, words, step, told, lesson.noise)
    says = f"{error_text(error)}; the guess was {guess:.3f}" if told else "not told yet"
    alt = f"At rank {j} the picture has error {error_text(picture.errors[j])}, the rows: {says}"
    show(made, lesson, key="lesson_budget", alt=alt, marks=[guess_mark(j, guess)])
    words = told_words(j, error, guess, told)
    with st.container(gap=None):
        sentence(words, "lesson_guessed")
        tell(LESSON.guess.key, guesses(j, error, told))
    return words, lambda: go.Figure(made).add_trace(budget.guessed(j, guess))


def told_words(j: int, error: float, guess: float, told: bool) -> str:
    if not told:
        return f"How much do the rows lose at rank {j}? Your guess is {guess:.3f}, the ring. Place it, then reveal the error."
    return f"At rank {j} the rows lose {error_text(error)}; you guessed {guess:.3f}, {abs(guess - error):.3f} away."


def guess_mark(j: int, guess: float) -> Mark:
    return Ring("guess", j, guess, "your guess")


def guesses(j: int, error: float, told: bool) -> Answers:
    """Where every guess stands, and how far away it is once the error is told."""
    every = np.arange(round(1 / GUESS_STEP) + 1) * GUESS_STEP
    return Answers(
        every,
        sentences={"lesson_guessed": [told_words(j, error, guess, told) for guess in every]},
        marks={"lesson_budget": [[guess_mark(j, guess)] for guess in every]},
    )


@cached(2, "Finding the patterns …")
def budgets(noise: bool) -> tuple[Budget, Budget]:
    """The picture and the table at every rank."""
    with one_thread():
        return budget.drawn(noise), budget.table(lesson_matrix(noise))


def hide_again(step: int, noise: bool) -> None:
    """Another rank is a new question; a link opens as it was left."""
    if st.session_state.setdefault(SEEN, (step, noise)) != (step, noise):
        st.session_state.update({SEEN: (step, noise), LESSON.told.key: False})
