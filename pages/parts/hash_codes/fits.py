"""What Hash codes shows of a fit, each computed once: a preview on some rows, prefixes of the code, bits, distances."""

from dataclasses import dataclass, replace

import numpy as np

import compress
from compress import EmbeddingMatrix
from compress.analysis.code_statistics import Pairs, correlations, pairs_of, shares_on, svd_cosines
from compress.methods import LightToken
from compress.methods.light_token import prefixes
from compress.threads import one_thread, one_torch_thread
from pages.parts import jobs
from pages.parts.cached import cached, keyed
from pages.parts.fits import Fit, fit_path, full, shown
from pages.parts.quick_fits import Fitted

PREVIEW_ROWS = 2000
PREVIEW_PASSES, PREVIEW_EPOCHS = 2, 8


@keyed
@dataclass(frozen=True, eq=False)
class Coded:
    """A fit and the rows that it was made for: all of them, or the sample of a preview."""

    matrix: EmbeddingMatrix
    fit: Fit

    @property
    def method(self) -> LightToken:
        """What was fitted: of a job that was stopped, the finished stages."""
        return self.fit.result.method

    @property
    def key(self) -> str:
        return f"{self.matrix.key} {self.fit.key}"


def coded(matrix: EmbeddingMatrix, method: LightToken) -> Coded:
    """The finished fit of a setting where there is one yet, else its preview."""
    fit = full(matrix, method)
    if fit:
        return Coded(matrix, fit)
    jobs.leave("fit", fit_path(matrix.key, method).stem)  # the fit of a setting left behind would slow the preview
    sample = sample_of(matrix)
    return Coded(sample, preview(sample, method))


@cached(3)
def sample_of(matrix: EmbeddingMatrix) -> EmbeddingMatrix:
    """Some rows, chosen at random; rows of zeros only where there are no others."""
    n = matrix.shape[0]
    if n <= PREVIEW_ROWS:
        return matrix
    order = np.random.default_rng(0).permutation(n)
    empty = matrix.squared_norms[order] * matrix.weights[order] == 0
    rows = np.sort(order[np.argsort(empty, kind="stable")[:PREVIEW_ROWS]])
    tokens = [matrix.tokens[row] for row in rows]
    return EmbeddingMatrix(matrix.values[rows], tokens, matrix.weights[rows], matrix.name, matrix.device)


@cached(16)
def preview(sample: EmbeddingMatrix, method: LightToken) -> Fit:
    history: list[dict] = []
    quick = replace(method, passes=min(method.passes, PREVIEW_PASSES), epochs=min(method.epochs, PREVIEW_EPOCHS))
    with one_thread(), one_torch_thread(method.solver == "paper"):
        return shown(sample, method, quick.fit(sample, lambda step: history.append(step.row())), history, True)


@cached(12, "Measuring the parts of the code …")
def prefixes_of(code: Coded) -> list[Fitted]:
    """The code of the first one, two, … stages."""
    whole = Fitted(code.fit.result, code.fit.evaluation)
    if code.method.stages == 1:
        return [whole]
    found = prefixes(code.matrix, code.fit.result)[:-1]
    return [*(Fitted(each, compress.evaluate(code.matrix, each)) for each in found), whole]


@cached(12)
def bits_of(code: Coded) -> tuple[np.ndarray, np.ndarray]:
    """How often each bit is on, and the correlation of every two."""
    return shares_on(code.fit.result), correlations(code.fit.result)


@cached(12, "Looking for neighbours …")
def pairs_seen(code: Coded) -> Pairs:
    return pairs_of(code.matrix, code.fit.result)


@cached(4)
def svd_cosines_of(matrix: EmbeddingMatrix) -> np.ndarray:
    return svd_cosines(matrix)
