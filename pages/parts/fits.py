"""Fits of projective clustering: a preview at once, the full fit from a job, kept on disk."""

import json
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np
import streamlit as st

import compress
from compress import Compressed, EmbeddingMatrix, Evaluation, MatrixError, Method
from compress.advise import within
from compress.methods import SVD
from compress.spectrum import group_singular_values, principal_angles
from compress.threads import one_thread
from pages.parts import jobs
from pages.parts.cached import rounded_of
from pages.parts.matrix import chosen


@dataclass(frozen=True, eq=False)
class Fit:
    """A fitted setting and what the page shows of it. asked: the setting that was asked for, of which a preview fits the draft.
    history: the steps of the search, each with its cost."""

    asked: Method
    result: Compressed
    evaluation: Evaluation
    labels: np.ndarray
    history: tuple[dict, ...]
    preview: bool


@st.cache_resource(max_entries=12, show_spinner=False)
def draft(_matrix: EmbeddingMatrix, digest: str, method: Method) -> Fit:
    """The preview of a setting, fitted here and now."""
    history: list[dict] = []
    with one_thread():  # steady beside a browser that is drawing
        result = method.draft.fit(_matrix, history.append)
        return shown(_matrix, method, result, history, True)


@st.cache_resource(max_entries=12, show_spinner=False)
def read_full(_matrix: EmbeddingMatrix, path: str, written: int) -> Fit:
    """The full fit that a job left on disk."""
    history = Path(path).with_suffix(".json")
    try:
        steps = json.loads(history.read_text())
    except (OSError, ValueError):
        steps = []  # the fit is whole without the story of how it was found
    result = compress.load(path)
    return shown(_matrix, result.method, result, steps, False)


def shown(matrix: EmbeddingMatrix, asked: Method, result: Compressed, history: list[dict], preview: bool) -> Fit:
    labels = np.asarray(result.method.labels(result.arrays, np.arange(matrix.shape[0])))
    return Fit(asked, result, compress.evaluate(matrix, result), labels, tuple(history), preview)


def fit_path(digest: str, method: Method) -> Path:
    name = blake2b(repr(method).encode(), digest_size=8).hexdigest()
    return jobs.cache_folder("fits") / f"{digest}-{name}.safetensors"


def fitted(matrix: EmbeddingMatrix, method: Method) -> Fit:
    """The full fit of a setting where there is one yet, else its preview."""
    fit = full(matrix, method)
    if fit is None:
        jobs.leave("fit", fit_path(matrix.digest, method).stem)  # the fit of a setting left behind would slow the preview
        fit = draft(matrix, matrix.digest, method)
    return fit


def full(matrix: EmbeddingMatrix, method: Method) -> Fit | None:
    """The full fit of a setting, if it is on disk."""
    path = fit_path(matrix.digest, method)
    if path.exists():
        try:
            return read_full(matrix, str(path), path.stat().st_mtime_ns)
        except MatrixError:
            path.unlink()  # cut short by a full disk, say: fitted again
    return None


def start_full(matrix: EmbeddingMatrix, method: Method) -> None:
    """Starts the job that fits a setting in full, unless it was stopped or failed."""
    path = fit_path(matrix.digest, method)
    if not jobs.stopped("fit", path.stem):
        jobs.start("fit", path.stem, fit_command(method, path))


def fit_command(method: Method, path: Path) -> list[str]:
    """The arguments of `python -m compress` that fit a setting to the matrix in use."""
    source, tensor = chosen()
    arguments = [
        "fit",
        source,
        "--method",
        method.name,
        "--out",
        str(path),
        "--history",
        str(path.with_suffix(".json")),
        *(["--tensor", tensor] if tensor else []),
    ]
    for name, value in method.settings.items():
        if value is True:
            arguments.append(f"--{name.replace('_', '-')}")
        elif value is not False and value is not None:
            arguments += [f"--{name.replace('_', '-')}", str(value)]
    return arguments


def again() -> None:
    """Lets a stopped or failed fit start anew."""
    jobs.jobs().pop("fit", None)


def fit_status(matrix: EmbeddingMatrix, fit: Fit) -> None:
    """Whether this is the full fit; if not, its job is started here, and watched."""
    if not fit.preview:
        st.caption(f":material/check: Full fit: the best of {fit.result.method.restarts} restarts, carried on over all rows.")
        return
    start_full(matrix, fit.asked)
    if jobs.jobs()["fit"].running:
        st.caption("**Preview** from a sample of the rows.")
    else:
        st.caption("**Preview** from a sample of the rows; the full fit was stopped.")
        st.button("Fit in full", on_click=again, icon=":material/play_arrow:")
    jobs.watch("fit", fit_progress(fit.asked))


def fit_progress(method: Method):
    def describe(events: list[dict]) -> tuple[float, str]:
        if not events:
            return 0.02, "Full fit: opening the matrix"
        last = events[-1]
        if last["restart"] is not None:
            return 0.05 + 0.45 * last["restart"] / method.restarts, f"Full fit: restart {last['restart'] + 1} of {method.restarts}"
        return 0.5 + 0.5 * last["step"] / method.steps, f"Full fit: pass {last['step']} over all rows, error {last['cost']:.4f}"

    return describe


def svd_at_same_bytes(matrix: EmbeddingMatrix, ratio: float, bits: int) -> tuple[float, int]:
    """Relative error and j of SVD with factors of the same precision in the same bytes."""
    method = within(SVD(j=1, factor_bits=bits), matrix.shape, ratio)
    j = method.j if method else 0
    return float(rounded_of(matrix, matrix.digest, bits)[j]), j


@st.cache_resource(max_entries=12, show_spinner=False)
def angles_of(_fit: Fit, key: str) -> np.ndarray:
    from compress import factors

    return principal_angles(factors.read_bases(_fit.result.arrays))


@st.cache_resource(max_entries=12, show_spinner=False)
def group_spectra_of(_matrix: EmbeddingMatrix, _fit: Fit, key: str) -> np.ndarray:
    return group_singular_values(_matrix, _fit.labels, _fit.result.method.k)
