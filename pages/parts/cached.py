"""Calls into compress, each made once for a matrix and its settings. key: that of the matrix, which tells its weights too."""

import numpy as np
import streamlit as st

import compress
from compress import EmbeddingMatrix, Spectrum
from compress.analysis.curves import svd_errors
from compress.analysis.scatter import pca_map
from compress.threads import one_thread


@st.cache_resource(max_entries=8, show_spinner=False)
def spectrum_of(_matrix: EmbeddingMatrix, key: str) -> Spectrum:
    return compress.spectrum(_matrix)


@st.cache_resource(max_entries=16, show_spinner=False)
def both_of(_matrix: EmbeddingMatrix, key: str, bits: int) -> tuple[np.ndarray, np.ndarray]:
    with one_thread():  # a busy second core would be waited for
        return svd_errors(_matrix, bits)


def rounded_of(matrix: EmbeddingMatrix, bits: int) -> np.ndarray:
    """The error of SVD at every j from 0, weighted where rows are."""
    return both_of(matrix, matrix.key, bits)[0]


def plain_of(matrix: EmbeddingMatrix, bits: int) -> np.ndarray:
    """The same with every row counted alike, where the fit is weighted."""
    return both_of(matrix, matrix.key, bits)[1]


@st.cache_resource(max_entries=4, show_spinner=False)
def pca_of(_matrix: EmbeddingMatrix, key: str) -> np.ndarray:
    return pca_map(_matrix)
