"""Calls into compress, each made once for a matrix and its settings."""

import numpy as np
import streamlit as st

import compress
from compress import EmbeddingMatrix, Spectrum
from compress.scatter import pca_map
from compress.spectrum import rounded_errors


@st.cache_resource(max_entries=8, show_spinner=False)
def spectrum_of(_matrix: EmbeddingMatrix, digest: str) -> Spectrum:
    return compress.spectrum(_matrix)


@st.cache_resource(max_entries=16, show_spinner=False)
def rounded_of(_matrix: EmbeddingMatrix, digest: str, bits: int) -> np.ndarray:
    return rounded_errors(_matrix, bits)


@st.cache_resource(max_entries=4, show_spinner=False)
def pca_of(_matrix: EmbeddingMatrix, digest: str) -> np.ndarray:
    return pca_map(_matrix)
