"""The table that scenes of the lesson look at: the demo, or random numbers under its tokens."""

import numpy as np
import streamlit as st

from compress import EmbeddingMatrix, InputError
from pages.parts.matrix import open_matrix
from pages.parts.say import refused


def lesson_matrix(noise: bool) -> EmbeddingMatrix:
    """Stops the page with a sentence where the demo cannot be opened."""
    try:
        demo = open_matrix("demo", None)
    except InputError as error:
        refused(error)
        st.stop()
    return scrambled(demo, demo.digest) if noise else demo


@st.cache_resource(max_entries=1, show_spinner=False)
def scrambled(_matrix: EmbeddingMatrix, digest: str) -> EmbeddingMatrix:
    """Normal numbers as large as the table's, in its shape."""
    values = np.random.default_rng(0).standard_normal(_matrix.shape, dtype=np.float32) * _matrix.values.std()
    return EmbeddingMatrix(values, _matrix.tokens, name="random")
