"""The table that scenes of the lesson look at: the demo, or random numbers under its tokens."""

import numpy as np
import streamlit as st

from compress import EmbeddingMatrix, InputError
from pages.parts.cached import cached
from pages.parts.matrix import open_matrix
from pages.parts.say import refused


def lesson_matrix(noise: bool) -> EmbeddingMatrix:
    """Stops the page with a sentence where the demo cannot be opened."""
    try:
        demo = open_matrix("demo", None)
    except InputError as error:
        refused(error)
        st.stop()
    return scrambled(demo) if noise else demo


@cached(1)
def scrambled(matrix: EmbeddingMatrix) -> EmbeddingMatrix:
    """Normal numbers as large as the table's, in its shape."""
    values = np.random.default_rng(0).standard_normal(matrix.shape, dtype=np.float32) * matrix.values.std()
    return EmbeddingMatrix(values, matrix.tokens, name="random")
