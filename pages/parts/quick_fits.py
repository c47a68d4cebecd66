"""Fits that take a moment: of SVD and of rounding, made here and now."""

from dataclasses import dataclass

import streamlit as st

import compress
from compress import Compressed, EmbeddingMatrix, Evaluation, Method
from pages.parts.fits import cut_short, full, instant


@dataclass(frozen=True, eq=False)
class Fitted:
    """A fitted setting and its error figures."""

    result: Compressed
    evaluation: Evaluation


@st.cache_resource(max_entries=8, show_spinner=False)
def quick(_matrix: EmbeddingMatrix, key: str, method: Method) -> Fitted:
    result = method.fit(_matrix)
    return Fitted(result, compress.evaluate(_matrix, result))


def finished(matrix: EmbeddingMatrix, method: Method) -> Fitted | None:
    """A setting fitted in full: at once where that is quick, else from disk; None while that fit is still to be made."""
    if instant(method):
        return quick(matrix, matrix.key, method)
    fit = full(matrix, method)
    return Fitted(fit.result, fit.evaluation) if fit and not cut_short(fit, method) else None
