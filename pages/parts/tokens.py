"""Rows by their tokens."""

import numpy as np

from compress import EmbeddingMatrix
from pages.parts.cached import cached


def found_rows(matrix: EmbeddingMatrix, sought: str) -> np.ndarray:
    """Rows whose token is what was typed, else those that contain it; a number names that row where no token fits."""
    sought = (sought or "").strip()
    if not sought:
        return np.empty(0, np.int64)
    tokens = lowered(matrix)
    wanted = sought.casefold()
    rows = [row for row, token in enumerate(tokens) if token == wanted] or [
        row for row, token in enumerate(tokens) if wanted in token
    ]
    if not rows and sought.isdecimal() and int(sought) < len(tokens):
        rows = [int(sought)]
    return np.array(rows, np.int64)


@cached(2, weights=False)
def lowered(matrix: EmbeddingMatrix) -> list[str]:
    return [token.casefold() for token in matrix.tokens]
