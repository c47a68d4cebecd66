"""What Robustness shows of a fit, each computed once: planted matrices, residuals, angles between subspaces."""

from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from compress import SVD, Compressed, EmbeddingMatrix, Method, save_matrix
from compress.analysis.outliers import plant
from compress.analysis.spectrum import principal_angles
from compress.coding import factors
from compress.threads import one_thread
from pages.parts.cached import cached
from pages.parts.fits import Fit, axes_of, draft, previewed
from pages.parts.kept import cache_folder

KEEP = 3  # planted matrices on disk


@dataclass(frozen=True, eq=False)
class Planted:
    """The matrix that the page works on: the one in use with far rows planted into it. mask: (n,) of the planted rows."""

    matrix: EmbeddingMatrix
    clean: EmbeddingMatrix
    mask: np.ndarray

    @property
    def any(self) -> bool:
        return bool(self.mask.any())


@cached(3)
def planted(matrix: EmbeddingMatrix, count: int, distance: float) -> Planted:
    found, rows = plant(matrix, count, distance)
    mask = np.zeros(len(matrix.values), bool)
    mask[rows] = True
    return Planted(found, matrix, mask)


def saved(matrix: EmbeddingMatrix) -> str:
    """The file of a planted matrix, for jobs to open; only the last few are kept, and their fits."""
    folder = cache_folder("planted")
    path = folder / f"{matrix.digest}.safetensors"
    if not path.exists():
        save_matrix(matrix, path)
        with suppress(FileNotFoundError):  # another session may be tidying too
            held = sorted(folder.glob("*.safetensors"), key=lambda each: each.stat().st_mtime_ns)
            for old in held[:-KEEP]:
                old.unlink()
                for fit in cache_folder("fits").glob(f"{old.stem}-*"):
                    fit.unlink()
    return str(path)


def svd_of(matrix: EmbeddingMatrix, method: Method) -> Fit:
    """SVD of the same j at the same precision, since directions are compared."""
    return draft(matrix, SVD(j=method.j, factor_bits=method.factor_bits))


def residuals(matrix: EmbeddingMatrix, fit: Fit) -> np.ndarray:
    """‖aᵢ − bᵢ‖ of every row; 0 for a row of zeros."""
    errors = fit.evaluation.row_errors
    return np.sqrt(np.where(np.isfinite(errors), errors, 0) * matrix.squared_norms)


def error_of(matrix: EmbeddingMatrix, fit: Fit, rows: np.ndarray) -> float:
    """Relative error over some of the rows (a mask)."""
    return float((residuals(matrix, fit)[rows] ** 2).sum() / max(matrix.squared_norms[rows].sum(), 1e-300))


@cached(24)
def angles_to_clean(clean: EmbeddingMatrix, fit: Fit) -> np.ndarray:
    """Principal angles (j,) in degrees of a fit's subspace to SVD's on the clean matrix."""
    with one_thread():
        return angles(svd_of(clean, fit.result.method).result, fit.result)


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
    keep = np.ones(len(matrix.values), bool)
    keep[worst_rows(residuals(matrix, whole))] = False
    rest = EmbeddingMatrix(matrix.values[keep], weights=matrix.weights[keep], device=matrix.device)
    with one_thread():
        axes = axes_of(matrix, False) if method.name == "lp" and method.p < 2 else None
        return angles(whole.result, previewed(rest, method, lambda event: None, axes))
