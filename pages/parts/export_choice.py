"""The settings that can be exported: the pinned ones, and those now on Spectrum and Subspaces."""

import streamlit as st

from compress import EmbeddingMatrix, Method, ProjectiveClustering
from compress.charts import PRECISION_NAMES
from compress.methods import SVD
from pages.parts.controls import KEPT, usual_rank
from pages.parts.pins import describe, pins


def setting_choice(matrix: EmbeddingMatrix) -> Method:
    """The setting to export. What this matrix cannot have is not offered."""
    offered = [*pins(), on_spectrum(matrix), on_subspaces(matrix)]
    found = {describe(method): method for method in offered if possible(method, matrix)}
    chosen = st.selectbox(
        "Setting", list(found), key="export", width=480,
        help="Pinned settings, and those that Spectrum and Subspaces are set to now. Pin more on any page.", **KEPT,
    )  # fmt: skip
    return found[chosen]


def possible(method: Method, matrix: EmbeddingMatrix) -> bool:
    try:
        method.check(*matrix.shape)
    except ValueError:
        return False
    return True


def on_spectrum(matrix: EmbeddingMatrix) -> SVD:
    return SVD(j=rank("j", min(matrix.shape)), factor_bits=precision("precision"))


def on_subspaces(matrix: EmbeddingMatrix) -> ProjectiveClustering:
    return ProjectiveClustering(
        k=whole("k", 5, min(32, matrix.shape[0])),
        j=rank("flat_j", min(matrix.shape)),
        affine=str(held("affine", False)).lower() == "true",
        restarts=whole("restarts", 8, 32),
        factor_bits=precision("flat_precision"),
        seed=whole("seed", 0, 99, low=0),
    )


def held(key: str, default):
    """What a control of another page is set to, in this session or in the link."""
    return st.session_state.get(key, st.query_params.get(key, default))


def whole(key: str, default: int, high: int, low: int = 1) -> int:
    try:
        value = int(held(key, default))
    except (TypeError, ValueError):
        value = default
    return min(max(value, low), high)


def rank(key: str, most: int) -> int:
    return whole(key, usual_rank(most), most)


def precision(key: str) -> int:
    name = held(key, PRECISION_NAMES[16])
    return next((bits for bits, each in PRECISION_NAMES.items() if each == name), 16)
