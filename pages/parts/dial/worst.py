"""The rows that lose most of themselves, in a card beside the error of a fit; blank while a dial moves."""

from collections.abc import Callable

import streamlit as st

from compress import EmbeddingMatrix, Evaluation
from compress.form.metrics import FAR, error_text
from compress.sources.order import use_words
from pages.parts.cached import cached
from pages.parts.dial.answers import source, stands
from pages.parts.dial.still import once_still

SHOWN = 5
UNTIL = "They come with the full fit."
HELP = (
    "The rows that lose the largest share of themselves, ‖aᵢ − bᵢ‖² / ‖aᵢ‖², and how often each is used: its weight where rows are "
    "weighted, else its place where frequent ones come first. Over 1, a row of zeros would be nearer."
)

_worst = st.components.v2.component(
    "flatland_worst",
    html=source("worst.html"),
    css=source("shared.css", "figures.css", "worst.css"),
    js=source("answers.js", "help.js", "worst.js"),
)


def worst_rows(matrix: EmbeddingMatrix, evaluation: Evaluation | None, key: str = "worst", until: str = UNTIL) -> None:
    """The card. evaluation: of the fit that is shown; None while there is none over all rows: the card holds its place then, with
    the words `until`."""
    data = {"at": dict(stands()), "help": HELP, "count": SHOWN, "rows": None, "words": until}
    if evaluation is not None:
        data |= told(matrix, evaluation)
    _worst(key=f"{key} rows", data=data)


def worst_once_still(
    matrix: EmbeddingMatrix, evaluation: Callable[[], Evaluation | None], key: str = "worst", until: str = UNTIL
) -> None:
    """The same of a fit that is made, or read, when the page has been still for a moment."""
    once_still(lambda: worst_rows(matrix, evaluation(), key, until), key, lambda: worst_rows(matrix, None, key, "…"))


@cached(32)
def uses_of(matrix: EmbeddingMatrix, rows: tuple[int, ...]) -> list[str]:
    return use_words(matrix, rows)


def told(matrix: EmbeddingMatrix, evaluation: Evaluation) -> dict:
    """Names, errors and uses of the rows that lose most, and how many lose far more than the mean."""
    rows, mean, over = evaluation.worst(SHOWN), error_text(evaluation.mean_row_error), evaluation.count_worse
    errors, uses = [error_text(float(evaluation.row_errors[row])) for row in rows], uses_of(matrix, (*rows.tolist(),))
    some = f"{over:,} of {matrix.shape[0]:,} lose" if over else "None loses"
    return {
        "rows": [[matrix.tokens[row].strip() or "␣", *filter(None, each)] for row, *each in zip(rows, errors, uses, strict=True)],
        "words": f"{some} more than {FAR} times the mean row’s {mean}",
    }
