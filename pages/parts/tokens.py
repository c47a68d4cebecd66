"""Rows by their names, the one that is shown first, and what their order tells."""

from collections.abc import Callable

import numpy as np

from compress import EmbeddingMatrix
from compress.analysis.example import BEGINS, example_row
from compress.sources.order import Order, order_of
from pages.parts.cached import cached


def found_rows(matrix: EmbeddingMatrix, sought: str) -> np.ndarray:
    """Rows whose token is what was typed, with a mark that begins words or without, else those that contain it; a number names that
    row where no token fits."""
    sought = (sought or "").strip()
    if not sought:
        return np.empty(0, np.int64)
    tokens = lowered(matrix)
    wanted = sought.casefold()
    whole = {mark + wanted for mark in ("", *(mark.casefold() for mark in BEGINS))}
    rows = [row for row, token in enumerate(tokens) if token in whole] or [
        row for row, token in enumerate(tokens) if wanted in token
    ]
    if not rows and sought.isdecimal() and int(sought) < len(tokens):
        rows = [int(sought)]
    return np.array(rows, np.int64)


def placeholder(matrix: EmbeddingMatrix) -> str:
    """What may be typed to find a row."""
    if not matrix.has_tokens:
        return "a row number"
    return f"part of {'its name' if matrix.row_word == 'row' else f'a {matrix.row_word}'}, or a row number"


def row_words(matrix: EmbeddingMatrix, row: int, written: Callable[[str], str] = str) -> str:
    """A row by its name, and by its number where that is another. written: how the name is."""
    name = written(matrix.tokens[row])
    return f"{name}, row {row:,}" if matrix.has_tokens else name


@cached(8, weights=False)
def first_shown(matrix: EmbeddingMatrix) -> int:
    return example_row(matrix)


@cached(8, weights=False)
def row_order(matrix: EmbeddingMatrix) -> Order:
    return order_of(matrix)


@cached(2, weights=False)
def lowered(matrix: EmbeddingMatrix) -> list[str]:
    return [token.casefold() for token in matrix.tokens]
