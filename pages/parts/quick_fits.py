"""Finished fits: made here and now where that takes a moment, as of SVD and of rounding, else from disk, or awaited."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

import compress
from compress import Compressed, EmbeddingMatrix, Evaluation, Method
from pages.parts.cached import cached, keyed
from pages.parts.fits import again, cut_short, full, start_full
from pages.parts.say import waiting
from pages.parts.work import jobs
from pages.parts.work.watch import watch

if TYPE_CHECKING:
    from pages.parts.importance import Asked


@keyed
@dataclass(frozen=True, eq=False)
class Fitted:
    """A fitted setting and its error figures. felt: of a fit that spares an importance, its error as that weighs it. path: its
    file, where it has one of its own."""

    result: Compressed
    evaluation: Evaluation
    felt: float | None = None
    path: Path | None = None

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


def spared(matrix: EmbeddingMatrix, method: Method, asked: "Asked") -> Fitted | None:
    """The same of a fit that spares an importance, which a job makes of every method."""
    path = asked.fit_path(matrix, method)
    fit = full(matrix, method, path, spared=True)
    if fit is None or cut_short(fit.result, method) or not asked.path.exists():
        return None
    return Fitted(fit.result, fit.evaluation, felt_error(matrix, fit.result, asked), path)


@cached(16)
def felt_error(matrix: EmbeddingMatrix, result: Compressed, asked: "Asked") -> float:
    return asked.measured.error(matrix, result)


def awaited(matrix: EmbeddingMatrix, method: Method, caption: str, asked: "Asked | None" = None) -> Fitted | None:
    """A setting fitted in full; while there is no such fit yet None, and its job with how far it is, over a caption. asked: the
    importance that it is to spare."""
    with waiting("Fitting …"):
        fit = spared(matrix, method, asked) if asked else finished(matrix, method)
    if fit is None:
        if asked:
            start_full(matrix, method, path=asked.fit_path(matrix, method), **asked.options)
        else:
            start_full(matrix, method)
        with st.container(horizontal=True, vertical_alignment="center", key="status"):
            if not jobs.running("fit"):
                st.button("Fit in full", on_click=again, icon=":material/play_arrow:")
            watch("fit", "Full fit")
        st.caption(caption)
    return fit
