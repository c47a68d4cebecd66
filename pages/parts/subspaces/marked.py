"""Rows that are marked on the map from beside it."""

import numpy as np
import streamlit as st

from compress import EmbeddingMatrix

MARKED = "rows_marked"  # in the session's state


def marked_rows(matrix: EmbeddingMatrix) -> np.ndarray:
    """Those of this matrix."""
    digest, rows = st.session_state.get(MARKED, (None, None))
    return rows if digest == matrix.digest else np.empty(0, np.int64)


def mark(matrix: EmbeddingMatrix, rows: np.ndarray) -> None:
    """Marks these and no others; the page runs again where that is a change."""
    if not np.array_equal(rows, marked_rows(matrix)):
        st.session_state[MARKED] = matrix.digest, rows
        st.rerun()
