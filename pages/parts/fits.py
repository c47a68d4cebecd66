"""Fits that take long: a preview at once, the full fit from a job, kept on disk."""

import json
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

import compress
from compress import Compressed, EmbeddingMatrix, Evaluation, InputError, Method, cache
from compress.errors import Progress
from compress.methods import LpLowRank, ProjectiveClustering
from compress.solvers.sample import lewis_start, sample_of
from compress.threads import one_thread
from compress.tuning.sweep import Trial
from pages.parts.cached import cached, keyed
from pages.parts.export.choice import possible
from pages.parts.kept import keep
from pages.parts.work import jobs
from pages.parts.work.ahead import wish
from pages.parts.work.watch import watch

SMALL = 1_000_000  # entries of a matrix whose rows are coded within a second


@keyed
@dataclass(frozen=True, eq=False)
class Fit:
    """A fitted setting and what the page shows of it. asked: the setting that was asked for, of which a preview fits the draft.
    labels: of the rows, where the method has any. history: the steps of the search, each with its cost."""

    asked: Method
    result: Compressed
    evaluation: Evaluation
    labels: np.ndarray | None
    history: tuple[dict, ...]
    preview: bool

    @property
    def key(self) -> str:
        return f"{self.asked!r} {self.preview} {self.result.key}"

    @property
    def errors(self) -> tuple[float, float]:
        """Relative and weighted."""
        return self.evaluation.relative_error, self.evaluation.weighted_error


@cached(16)
def draft(matrix: EmbeddingMatrix, method: Method) -> Fit:
    """The preview of a setting, fitted here and now; the fit itself where that takes no longer."""
    history: list[dict] = []
    with one_thread():  # steady beside a browser that is drawing
        result = previewed(matrix, method, lambda step: history.append(step.row()))
        return shown(matrix, method, result, history, not method.quick)


def previewable(matrix: EmbeddingMatrix, method: Method) -> bool:
    """Whether the preview of a setting comes at once: codes of all rows of a large matrix take seconds even so."""
    return not method.coded or matrix.size <= SMALL


def previewed(matrix: EmbeddingMatrix, method: Method, tell: Progress, axes: np.ndarray | None = None) -> Compressed:
    """The quick fit of a setting. The ℓp fits of every p and j start at the same axes, so that no answer depends on what was asked
    before: those of the matrix, unless others are given."""
    if method.quick:
        return method.fit(matrix, tell)
    if isinstance(method, ProjectiveClustering) and method.k == 1 and not (method.rho.plain or method.affine):
        return method.draft.fit(matrix, tell, axes_of(matrix, False).T if axes is None else axes.T)
    if not isinstance(method, LpLowRank):
        return method.draft.fit(matrix, tell)
    axes = axes_of(matrix, method.p >= 2) if axes is None else axes
    start = Compressed(method, {"bases": axes[None, : method.j]}, matrix.shape, matrix.digest)
    return method.draft.fit(matrix, tell, warm=start)


@cached(6)
def axes_of(matrix: EmbeddingMatrix, principal: bool) -> np.ndarray:
    """(d, d) float32, as rows: where robust fits start. The axes of Lewis weights of p = 1 are good for all p below 2."""
    with one_thread():
        axes = matrix.axes if principal else lewis_start(sample_of(matrix))
    return np.ascontiguousarray(axes.T, dtype=np.float32)


@cached(12)
def read_full(matrix: EmbeddingMatrix, path: str, written: int, spared: bool = False) -> Fit:
    """The full fit that a job left on disk; it joins the trials, so that other settings are held against it, unless it was to spare
    an importance."""
    history = Path(path).with_suffix(".json")
    try:
        steps = json.loads(history.read_text())
    except (OSError, ValueError):
        steps = []  # the fit is whole without the story of how it was found
    result = compress.load(path)
    fit = shown(matrix, result.method, result, steps, False)
    if not spared:
        keep(matrix.key, Trial(result.method, fit.evaluation.figures()))
    return fit


def shown(matrix: EmbeddingMatrix, asked: Method, result: Compressed, history: list[dict], preview: bool) -> Fit:
    labels = None
    if hasattr(result.method, "labels"):
        labels = np.asarray(result.method.labels(result.arrays, np.arange(matrix.shape[0])))
    return Fit(asked, result, compress.evaluate(matrix, result), labels, tuple(history), preview)


def fit_path(key: str, method: Method) -> Path:
    name = blake2b(repr(method).encode(), digest_size=8).hexdigest()
    return cache.folder("fits") / f"{key}-{name}.safetensors"


def taken_up(matrix: EmbeddingMatrix, method: Method) -> Fit | None:
    """The full fit of a setting where there is one yet. Where there is none, that of another setting is left: it would slow the
    preview."""
    fit = None if method.quick else full(matrix, method)
    if fit is None:
        jobs.leave("fit", fit_path(matrix.key, method).stem)
    return fit


def full(matrix: EmbeddingMatrix, method: Method, path: Path | None = None, spared: bool = False) -> Fit | None:
    """The full fit of a setting, if it is on disk. path: where it would be, by the key of the matrix unless given. spared: whether
    it is to spare an importance."""
    path = path or fit_path(matrix.key, method)
    if path.exists():
        jobs.use(path)
        try:
            return read_full(matrix, str(path), path.stat().st_mtime_ns, spared)
        except InputError:
            path.unlink()  # cut short by a full disk, say: fitted again
    return None


def cut_short(result: Compressed, method: Method) -> bool:
    """Whether a fit is of fewer stages than were asked for, since its job was stopped."""
    return result.method != method and getattr(method, "stages", 1) > 1


def start_full(
    matrix: EmbeddingMatrix,
    method: Method,
    planted: str | None = None,
    preview: Path | None = None,
    path: Path | None = None,
    **options: str,
) -> None:
    """Starts the job that fits a setting in full, unless it was stopped or failed. planted: what makes what is fitted of the matrix
    in use. preview: where it writes one before, if anywhere. path: where it writes the fit, by the key of the matrix unless
    given. options: more of the command."""
    path = path or fit_path(matrix.key, method)
    jobs.run("fit", matrix, key=path.stem, again=False, planted=planted, preview=preview, **fit_options(path, method), **options)


def wish_full(matrix: EmbeddingMatrix, methods: list[Method]) -> None:
    """Has settings fitted in full when nothing else is to be done."""
    for method in methods:
        if not method.quick and possible(method, matrix):
            path = fit_path(matrix.key, method)
            wish(path.stem, path, jobs.arguments("fit", matrix, **fit_options(path, method)))


def fit_options(path: Path, method: Method) -> dict[str, Any]:
    """Of the command that fits a setting in full."""
    return {"method": method.name, "out": path, "history": path.with_suffix(".json"), **method.settings}


def again() -> None:
    """Lets a stopped or failed fit start anew."""
    jobs.jobs().pop("fit", None)


def fit_status(matrix: EmbeddingMatrix, fit: Fit, planted: str | None = None, path: Path | None = None) -> None:
    """Whether this is the full fit; if not, its job is started here, and watched. planted, path: see `start_full`."""
    if not fit.preview:
        st.caption(f":material/check: Full fit{fit.asked.fit_words}")
        return
    about = f"**Preview** {fit.asked.draft_words}: ≈ over all rows, as a rule a few percent from the full fit"
    full_to_come(matrix, fit.asked, about, planted, path)


def full_to_come(matrix: EmbeddingMatrix, method: Method, about: str, planted: str | None = None, path: Path | None = None) -> None:
    """Starts the job of the full fit, and watches it. about: what is shown until it is there. planted, path: see `start_full`."""
    start_full(matrix, method, planted, path=path)
    if jobs.running("fit"):
        st.caption(f"{about}.")
    else:
        st.caption(f"{about}; that {'failed' if jobs.jobs()['fit'].error else 'was stopped'}.")
        st.button("Fit in full", on_click=again, icon=":material/play_arrow:")
    watch("fit", "Full fit")
