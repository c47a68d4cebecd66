"""What Hash codes shows of a fit, each computed once: a preview on some rows, prefixes of the code, bits, distances."""

from dataclasses import dataclass

import numpy as np

import compress
from compress import Compressed, EmbeddingMatrix, Evaluation
from compress.analysis.code_preview import FIGURES, CodePreview, Estimate, code_preview, expected
from compress.analysis.code_statistics import Pairs, correlations, pairs_of, shares_on, svd_cosines
from compress.methods import LightToken
from compress.methods.light_token import prefixes
from compress.threads import one_thread, one_torch_thread
from pages.parts.cached import cached, keyed
from pages.parts.fits import fit_path, full
from pages.parts.work import jobs


@keyed
@dataclass(frozen=True, eq=False)
class Coded:
    """Codes and the rows that they are of: all of them, or the sample of a preview, `told`, from which the figures of all rows are
    then estimated. history: the steps of a full fit."""

    matrix: EmbeddingMatrix
    result: Compressed
    told: CodePreview | None = None
    evaluation: Evaluation | None = None
    history: tuple[dict, ...] = ()

    @property
    def preview(self) -> bool:
        return self.told is not None

    @property
    def method(self) -> LightToken:
        """What was fitted: of a job that was stopped, the finished stages."""
        return self.result.method

    @property
    def key(self) -> str:
        return f"{self.matrix.key} {self.told.matrix.key if self.told else ''} {self.method!r} {self.result.key}"


@dataclass(frozen=True, eq=False)
class Part:
    """The code of the first stages, and its figures over all rows by their names in Evaluation, exact or expected."""

    result: Compressed
    figures: dict[str, Estimate]


def coded(matrix: EmbeddingMatrix, method: LightToken) -> Coded:
    """The finished fit of a setting where there is one yet, else its preview."""
    fit = full(matrix, method)
    if fit:
        return Coded(matrix, fit.result, None, fit.evaluation, fit.history)
    jobs.leave("fit", fit_path(matrix.key, method).stem)  # the fit of a setting left behind would slow the preview
    return previewed(matrix, method)


def previewed(matrix: EmbeddingMatrix, method: LightToken) -> Coded:
    """The preview of a setting."""
    told = preview(matrix, method)
    return Coded(told.sample, told.result, told)


@cached(16)
def preview(matrix: EmbeddingMatrix, method: LightToken) -> CodePreview:
    with one_thread(), one_torch_thread(method.solver == "paper"):
        return code_preview(matrix, method)


@cached(16)
def whole_of(code: Coded) -> Part:
    """The whole code."""
    return part_of(code, code.result)


def part_of(code: Coded, result: Compressed) -> Part:
    if code.told:
        with one_thread():
            return Part(result, expected(code.told, result))
    found = code.evaluation if result is code.result and code.evaluation else compress.evaluate(code.matrix, result)
    return Part(result, {name: Estimate(getattr(found, name), 0.0) for name in FIGURES})


@cached(12, "Measuring the parts of the code …")
def prefixes_of(code: Coded) -> list[Part]:
    """The code of the first one, two, … stages."""
    if code.method.stages == 1:
        return [whole_of(code)]
    found = prefixes(code.told.trained if code.told else code.matrix, code.result)[:-1]
    return [*(part_of(code, each) for each in found), whole_of(code)]


@cached(12)
def bits_of(code: Coded) -> tuple[np.ndarray, np.ndarray]:
    """How often each bit is on, and the correlation of every two."""
    return shares_on(code.result), correlations(code.result)


@cached(12, "Looking for neighbours …")
def pairs_seen(code: Coded) -> Pairs:
    return pairs_of(code.matrix, code.result)


@cached(4)
def svd_cosines_of(matrix: EmbeddingMatrix) -> np.ndarray:
    return svd_cosines(matrix)
