"""What Hash codes shows of a fit, each computed once: a preview on some rows, prefixes of the code, bits, distances."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import streamlit as st

import compress
from compress import Compressed, EmbeddingMatrix, Evaluation, InputError, cache
from compress.analysis.code_curves import Figures
from compress.analysis.code_preview import (
    FIGURES,
    PATIENT,
    CodePreview,
    Estimate,
    code_preview,
    expected,
    fit_seconds,
    preview_again,
)
from compress.analysis.code_statistics import Pairs, correlations, pairs_of, shares_on
from compress.analysis.curves import svd_cosines
from compress.methods import LightToken
from compress.methods.light_token import prefixes
from compress.threads import one_thread, one_torch_thread
from pages.parts.cached import cached, keyed
from pages.parts.fits import fit_path, full
from pages.parts.matrix import stamp
from pages.parts.work import jobs
from pages.parts.work.queue import QUEUE

AT_ONCE = 0.2  # seconds of a full fit that is not worth a job
IN_CROWD = 0.25  # of the work of a preview
SEEN = "codes seen"  # in the session: of which matrix, the last codes that were shown, and the figures of every setting that was


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
    """The code of the first stages, None where there is none yet, and its figures over all rows by their names in Evaluation, exact
    or expected."""

    method: LightToken
    figures: Figures
    result: Compressed | None = None


def coded(matrix: EmbeddingMatrix, method: LightToken) -> Coded | None:
    """The finished fit of a setting where there is one yet, else its preview. None while a job makes that, where codes of another
    setting of the same kind can be shown in the meantime."""
    fit = full(matrix, method)
    if fit:
        return held(matrix, Coded(matrix, fit.result, None, fit.evaluation, fit.history))
    jobs.leave("fit", fit_path(matrix.key, method).stem)  # the fit of a setting left behind would slow the page
    at_once = fit_seconds(method, matrix.shape) <= AT_ONCE and not QUEUE.crowded
    if preview_of_job(matrix, method) or at_once or alike(matrix, method) is None:
        return held(matrix, previewed(matrix, method))
    return None


def previewed(matrix: EmbeddingMatrix, method: LightToken) -> Coded:
    """The preview of a setting."""
    told = preview_of_job(matrix, method) or preview(matrix, method)
    return Coded(told.sample, told.result, told)


def held(matrix: EmbeddingMatrix, code: Coded) -> Coded:
    """The codes, which the session holds from then on."""
    known = seen(matrix)[1]
    st.session_state[SEEN] = matrix.key, {**known, code.method: whole_of(code).figures}, code
    return code


def seen(matrix: EmbeddingMatrix) -> tuple[Coded | None, Mapping[LightToken, Figures]]:
    """The codes of the matrix that were shown last, and the figures of all that were."""
    key, known, code = st.session_state.get(SEEN, (None, {}, None))
    return (code, known) if key == matrix.key else (None, {})


def alike(matrix: EmbeddingMatrix, method: LightToken) -> Coded | None:
    """The codes of the matrix that were shown last, where they tell something of a setting: they differ in bits and rank, or in how
    long and how coldly they were trained."""
    code = seen(matrix)[0]
    return code if code and same_kind(untrained(code.method), untrained(method)) else None


def same_kind(one: LightToken, other: LightToken) -> bool:
    """Whether settings differ in bits and rank only."""
    return replace(one, bits=other.bits, rank=other.rank) == other


def untrained(method: LightToken) -> LightToken:
    return replace(method, temperature=1.0, epochs=1)


def preview_path(matrix: EmbeddingMatrix, method: LightToken) -> Path:
    """Where the job of a full fit leaves a preview first."""
    return cache.folder("previews") / fit_path(matrix.key, method).name


def preview_of_job(matrix: EmbeddingMatrix, method: LightToken) -> CodePreview | None:
    """The preview that a job left on disk."""
    path = preview_path(matrix, method)
    written = stamp(str(path))
    try:
        return read_preview(matrix, str(path), written) if written else None
    except InputError:
        path.unlink(missing_ok=True)  # cut short by a full disk, say
        return None


@cached(12)
def read_preview(matrix: EmbeddingMatrix, path: str, written: tuple) -> CodePreview | None:
    """written: when and how long, so that a file that was written anew is read again."""
    return preview_again(matrix, compress.load(path), PATIENT)


@cached(16, slow=True)
def preview(matrix: EmbeddingMatrix, method: LightToken) -> CodePreview:
    with one_thread(), one_torch_thread(method.solver == "paper"):
        return code_preview(matrix, method, patience=IN_CROWD if QUEUE.crowded else 1)


@cached(16)
def whole_of(code: Coded) -> Part:
    """The whole code."""
    return part_of(code, code.result)


def part_of(code: Coded, result: Compressed) -> Part:
    method = result.method
    assert isinstance(method, LightToken)
    if code.told:
        with one_thread():
            return Part(method, expected(code.told, result), result)
    found = code.evaluation if result is code.result and code.evaluation else compress.evaluate(code.matrix, result)
    return Part(method, {name: Estimate(getattr(found, name), 0.0) for name in FIGURES}, result)


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


@cached(8)
def svd_cosines_of(matrix: EmbeddingMatrix, bits: int) -> np.ndarray:
    with one_thread():
        return svd_cosines(matrix, bits)
