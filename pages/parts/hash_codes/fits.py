"""What Hash codes shows of a fit, each computed once: a preview on some rows, prefixes of the code, bits, distances."""

from dataclasses import dataclass, replace

import numpy as np
import streamlit as st

import compress
from compress import Compressed, EmbeddingMatrix, Evaluation
from compress.analysis.code_statistics import Pairs, correlations, pairs_of, shares_on, svd_cosines
from compress.linalg.blocks import unit_rows
from compress.methods import LightToken
from compress.methods.light_token import prefixes
from compress.threads import one_thread, one_torch_thread
from pages.parts import jobs
from pages.parts.fits import Fit, fit_path, full, shown

PREVIEW_ROWS = 2000
PREVIEW_PASSES, PREVIEW_EPOCHS = 2, 8


@dataclass(frozen=True, eq=False)
class Work:
    """A fit and the rows that it was made for: all of them, or the sample of a preview."""

    matrix: EmbeddingMatrix
    fit: Fit

    @property
    def method(self) -> LightToken:
        """What was fitted: of a job that was stopped, the finished stages."""
        return self.fit.result.method

    @property
    def key(self) -> str:
        return f"{self.matrix.key} {self.method!r} {self.fit.preview}"


@dataclass(frozen=True, eq=False)
class Part:
    """The code of the first stages, and its error figures."""

    result: Compressed
    evaluation: Evaluation


def work_of(matrix: EmbeddingMatrix, method: LightToken) -> Work:
    """The finished fit of a setting where there is one yet, else its preview."""
    fit = full(matrix, method)
    if fit:
        return Work(matrix, fit)
    jobs.leave("fit", fit_path(matrix.key, method).stem)  # the fit of a setting left behind would slow the preview
    sample = sample_of(matrix, matrix.key)
    return Work(sample, preview(sample, sample.key, method))


@st.cache_resource(max_entries=3, show_spinner=False)
def sample_of(_matrix: EmbeddingMatrix, key: str) -> EmbeddingMatrix:
    """Some rows, chosen at random; rows of zeros only where there are no others."""
    n = _matrix.shape[0]
    if n <= PREVIEW_ROWS:
        return _matrix
    order = np.random.default_rng(0).permutation(n)
    empty = _matrix.squared_norms[order] * _matrix.weights[order] == 0
    rows = np.sort(order[np.argsort(empty, kind="stable")[:PREVIEW_ROWS]])
    tokens = [_matrix.tokens[row] for row in rows]
    return EmbeddingMatrix(_matrix.values[rows], tokens, _matrix.weights[rows], _matrix.name, _matrix.device)


@st.cache_resource(max_entries=16, show_spinner=False)
def preview(_sample: EmbeddingMatrix, key: str, method: LightToken) -> Fit:
    history: list[dict] = []
    quick = replace(method, passes=min(method.passes, PREVIEW_PASSES), epochs=min(method.epochs, PREVIEW_EPOCHS))
    with one_thread(), one_torch_thread(method.solver == "paper"):
        return shown(_sample, method, quick.fit(_sample, lambda step: history.append(step.row())), history, True)


@st.cache_resource(max_entries=12, show_spinner="Measuring the parts of the code …")
def parts_of(_work: Work, key: str) -> list[Part]:
    """The code of the first one, two, … stages."""
    whole = Part(_work.fit.result, _work.fit.evaluation)
    if _work.method.stages == 1:
        return [whole]
    found = prefixes(_work.matrix, _work.fit.result)[:-1]
    return [*(Part(each, compress.evaluate(_work.matrix, each)) for each in found), whole]


@st.cache_resource(max_entries=12, show_spinner=False)
def bits_of(_work: Work, key: str) -> tuple[np.ndarray, np.ndarray]:
    """How often each bit is on, and the correlation of every two."""
    return shares_on(_work.fit.result), correlations(_work.fit.result)


@st.cache_resource(max_entries=12, show_spinner="Looking for neighbours …")
def pairs_seen(_work: Work, key: str) -> Pairs:
    return pairs_of(_work.matrix, _work.fit.result)


@st.cache_resource(max_entries=2, show_spinner=False)
def unit_before(_matrix: EmbeddingMatrix, digest: str) -> np.ndarray:
    return unit_rows(_matrix.values)


@st.cache_resource(max_entries=2, show_spinner="Decoding every row …")
def unit_after(_work: Work, key: str) -> np.ndarray:
    return unit_rows(_work.fit.result.reconstruct())


@st.cache_resource(max_entries=4, show_spinner=False)
def svd_cosines_of(_matrix: EmbeddingMatrix, key: str) -> np.ndarray:
    return svd_cosines(_matrix)
