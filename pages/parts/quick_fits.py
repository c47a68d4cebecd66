"""Finished fits: made here and now where that takes a moment, as of SVD and of rounding, else from disk, or awaited."""

from dataclasses import dataclass

import streamlit as st

import compress
from compress import Compressed, EmbeddingMatrix, Evaluation, Method
from pages.parts.cached import cached, keyed
from pages.parts.fits import again, cut_short, full, start_full
from pages.parts.work import jobs
from pages.parts.work.watch import watch


@keyed
@dataclass(frozen=True, eq=False)
class Fitted:
    """A fitted setting and its error figures."""

    result: Compressed
    evaluation: Evaluation

    @property
    def key(self) -> str:
        return self.result.key


@cached(8)
def quick(matrix: EmbeddingMatrix, method: Method) -> Fitted:
    result = method.fit(matrix)
    return Fitted(result, compress.evaluate(matrix, result))


def finished(matrix: EmbeddingMatrix, method: Method) -> Fitted | None:
    """A setting fitted in full: at once where that is quick, else from disk; None while that fit is still to be made."""
    if method.quick:
        return quick(matrix, method)
    fit = full(matrix, method)
    return Fitted(fit.result, fit.evaluation) if fit and not cut_short(fit.result, method) else None


def awaited(matrix: EmbeddingMatrix, method: Method, caption: str) -> Fitted | None:
    """A setting fitted in full; while there is no such fit yet None, and its job with how far it is, over a caption."""
    with st.spinner("Fitting …"):
        fit = finished(matrix, method)
    if fit is None:
        start_full(matrix, method)
        with st.container(horizontal=True, vertical_alignment="center", key="status"):
            if not jobs.running("fit"):
                st.button("Fit in full", on_click=again, icon=":material/play_arrow:")
            watch("fit", "Full fit")
        st.caption(caption)
    return fit
