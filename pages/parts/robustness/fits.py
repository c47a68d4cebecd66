"""What Robustness shows of a fit, each computed once: planted matrices, residuals, angles between subspaces."""

from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from compress import SVD, Compressed, EmbeddingMatrix, Method, cache
from compress.analysis.outliers import plant, planted_rows
from compress.analysis.spectrum import principal_angles
from compress.answers.robust import LONGEST, View, exact, lengths_left
from compress.coding import factors
from compress.matrix import checked_rows
from compress.threads import one_thread
from pages.parts.cached import cached, keyed
from pages.parts.fits import Fit, axes_of, draft, fit_path, full, previewed

KEEP = 3  # planted matrices whose fits stay on disk


@keyed
@dataclass(frozen=True, eq=False)
class Planted:
    """The matrix that the page works on: the one in use, clean, with rows of those numbers planted far away. length: theirs, in
    median rows."""

    clean: EmbeddingMatrix
    rows: np.ndarray
    length: float

    @property
    def count(self) -> int:
        return len(self.rows)

    @property
    def name(self) -> str:
        """What its fits are kept under, known before it is made."""
        return f"{self.clean.key}-planted-{self.count}-{self.length:g}" if self.count else self.clean.key

    @property
    def key(self) -> str:
        return f"{self.name} {self.clean.names}"

    @cached_property
    def matrix(self) -> EmbeddingMatrix:
        return plant(self.clean, self.count, self.length)[0]

    @cached_property
    def mask(self) -> np.ndarray:
        """(n,) of the planted rows."""
        return np.isin(np.arange(len(self.clean.values)), self.rows)

    def fit_path(self, method: Method) -> Path:
        return fit_path(self.name, method)


@cached(3)
def planted(matrix: EmbeddingMatrix, count: int, length: float) -> Planted:
    """Raises InputError for rows so long that float32 cannot hold them."""
    rows, values = planted_rows(matrix, count, length)
    if count:
        checked_rows(np.concatenate([values, values[:1]]))
    return Planted(matrix, np.sort(rows), length)


def noted(work: Planted) -> str | None:
    """What a command is told to plant the same rows, None for none. The fits of the last few matrices with planted rows stay, and
    no others."""
    if not work.count:
        return None
    folder = cache.folder("planted")
    with suppress(OSError):  # only the fits of others go by it
        (folder / work.name).touch()
    with suppress(FileNotFoundError):  # another session may be tidying too
        held = sorted(folder.iterdir(), key=lambda each: each.stat().st_mtime_ns)
        for old in held[:-KEEP]:
            old.unlink()
            for fit in cache.folder("fits").glob(f"{old.name}-*"):
                fit.unlink()
    return f"{work.count}:{work.length}"


def finished(work: Planted, method: Method) -> Fit | None:
    """The full fit of a setting where there is one: at once where that is quick, else from disk."""
    if method.quick:
        return draft(work.matrix, method)
    path = work.fit_path(method)
    return full(work.matrix, method, path) if path.exists() else None


def svd_of(matrix: EmbeddingMatrix, method: Method) -> Fit:
    """SVD of the same j at the same precision, since directions are compared."""
    return draft(matrix, SVD(j=method.j, factor_bits=method.factor_bits))


@cached(24)
def view_of(work: Planted, fit: Fit) -> View:
    """A fit and SVD beside each other."""
    fits = fit, svd_of(work.matrix, fit.result.method), svd_of(work.clean, fit.result.method)
    with one_thread():
        return exact(work.matrix, work.mask, work.clean, [each.result for each in fits], [each.evaluation for each in fits])


def residuals(matrix: EmbeddingMatrix, fit: Fit) -> np.ndarray:
    """‖aᵢ − bᵢ‖ of every row."""
    return lengths_left(matrix, fit.evaluation)


def reach(work: Planted) -> float:
    """The length of the longest rows that could be planted where some are, so that bins stay while their length moves."""
    lengths = np.sqrt(work.clean.squared_norms)
    return LONGEST * float(np.median(lengths[lengths > 0])) if work.count else 0.0


def angles(one: Compressed, other: Compressed) -> np.ndarray:
    return principal_angles(np.concatenate([factors.read_bases(each.arrays) for each in (one, other)]))[0, 1]


def worst_rows(residual: np.ndarray) -> np.ndarray:
    """The 1 % of rows with the largest residuals, at least one."""
    return np.argsort(residual, kind="stable")[len(residual) - max(1, len(residual) // 100) :]


@cached(24)
def turned_without_worst(matrix: EmbeddingMatrix, method: Method) -> np.ndarray:
    """Principal angles (j,) in degrees between a setting's preview and the same without the 1 % of rows that it leaves farthest.
    Raises InputError or ValueError where the other rows are too few or all zero."""
    whole = draft(matrix, method)
    keep = np.ones(matrix.shape[0], bool)
    keep[worst_rows(residuals(matrix, whole))] = False
    rest = EmbeddingMatrix(matrix.rows[keep], weights=matrix.weights[keep], device=matrix.device)
    with one_thread():
        axes = axes_of(matrix, False) if method.name != "svd" else None
        return angles(whole.result, previewed(rest, method, lambda event: None, axes))
