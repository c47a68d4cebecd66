"""Rows by their tokens."""

import numpy as np
import streamlit as st

from compress import EmbeddingMatrix


def found_rows(matrix: EmbeddingMatrix, sought: str) -> np.ndarray:
    """Rows whose token is what was typed, else those that contain it; a number names that row where no token fits."""
    sought = (sought or "").strip()
    if not sought:
        return np.empty(0, np.int64)
    tokens = lowered(matrix, matrix.digest)
    wanted = sought.casefold()
    rows = [row for row, token in enumerate(tokens) if token == wanted] or [
        row for row, token in enumerate(tokens) if wanted in token
    ]
    if not rows and sought.isdecimal() and int(sought) < len(tokens):
        rows = [int(sought)]
    return np.array(rows, np.int64)


@st.cache_resource(max_entries=2, show_spinner=False)
def lowered(_matrix: EmbeddingMatrix, digest: str) -> list[str]:
    return [token.casefold() for token in _matrix.tokens]
