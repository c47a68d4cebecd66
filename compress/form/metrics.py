"""What was lost in the matrix: every error figure that is shown anywhere."""

from dataclasses import dataclass, replace

import numpy as np

from compress.form.compressed import Compressed
from compress.linalg import blocks
from compress.matrix import EmbeddingMatrix

FAR = 8  # times the mean row's error, above which a row is named


@dataclass(frozen=True, eq=False)
class Evaluation:
    """How far a compressed matrix B is from A.

    relative_error: Σ‖aᵢ−bᵢ‖² / Σ‖aᵢ‖². weighted_error: the same with each term times wᵢ. l1_error: Σ|aᵢⱼ−bᵢⱼ| / Σ|aᵢⱼ|.
    median_row_error, worst_row_error: of ‖aᵢ−bᵢ‖² / ‖aᵢ‖² over rows that are not zero. mean_cosine, worst_cosine: of aᵢ with
    bᵢ over the same rows. n_bytes, ratio: of the compressed form. parameter_count: as the papers count; saved: the share of
    n·d that it saves. file_ratio: the bytes of the matrix in its file over n_bytes, None where it is in float32 there or in none.
    row_errors: (n,) ‖aᵢ−bᵢ‖² / ‖aᵢ‖², 0 for a zero row that stays zero, else infinite.
    """

    relative_error: float
    weighted_error: float
    l1_error: float
    median_row_error: float
    worst_row_error: float
    mean_cosine: float
    worst_cosine: float
    n_bytes: int
    ratio: float
    parameter_count: int
    saved: float
    file_ratio: float | None
    row_errors: np.ndarray

    @property
    def mean_row_error(self) -> float:
        """Of ‖aᵢ−bᵢ‖² / ‖aᵢ‖², where a row that loses more than all of itself, as rows near zero may many times over, counts 1."""
        return float(np.minimum(self.row_errors, 1).mean())

    @property
    def count_worse(self) -> int:
        """How many rows lose more than FAR times what rows lose in the mean."""
        return int(np.count_nonzero(self.row_errors > FAR * self.mean_row_error))

    @property
    def worse(self) -> np.ndarray:
        """Those rows, the worst first."""
        return self.worst(self.count_worse)

    def worst(self, count: int) -> np.ndarray:
        """So many rows that lose most of themselves, the worst first."""
        return np.argsort(-self.row_errors, kind="stable")[:count]

    def figures(self) -> dict[str, float]:
        """Every figure of the matrix and the form, by name: not the rows', and not what hangs on the matrix's file."""
        return {name: value for name, value in vars(self).items() if name not in ("row_errors", "file_ratio")}


def evaluate(matrix: EmbeddingMatrix, result: Compressed) -> Evaluation:
    """Every error figure of a compressed form of the matrix. Raises ValueError where it was made from another shape."""
    if matrix.shape != result.shape:
        raise ValueError(
            f"the compressed form is {result.shape[0]} × {result.shape[1]}, the matrix {matrix.shape[0]} × {matrix.shape[1]}"
        )
    matrix, result = in_even_units(matrix, result)
    n, d = matrix.shape
    norms, weights = matrix.squared_norms, matrix.weights
    squared, cosines = np.empty(n), np.empty(n)
    absolute = 0.0
    for rows, block in blocks.walk(matrix.rows):
        decoded = result.rows(np.arange(rows.start, rows.stop))
        decoded_norms, inner = blocks.squared_norms(decoded), np.einsum("id,id->i", decoded, block, dtype=np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            cosines[rows] = np.where(decoded_norms > 0, inner / np.sqrt(norms[rows] * decoded_norms), 0.0)
        decoded -= block
        squared[rows] = blocks.squared_norms(decoded)
        absolute += np.abs(decoded, out=decoded).sum(axis=1).sum(dtype=np.float64)
    there = norms > 0
    every = bool(there.all())
    cosines = cosines if every else cosines[there]
    mean_cosine, worst_cosine = float(cosines.mean()), float(cosines.min())
    del cosines  # of many rows these arrays are what takes memory
    relative_error = float(squared.sum() / norms.sum())
    weighted_error = float(weights @ squared / (weights @ norms)) if weights @ norms > 0 else 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        row_errors = np.divide(squared, norms, out=squared)  # infinite for a zero row that does not stay zero
    row_errors[~there & np.isnan(row_errors)] = 0
    shown = row_errors if every else row_errors[there]
    parameter_count = result.method.parameter_count(n, d)
    return Evaluation(
        relative_error=relative_error,
        weighted_error=weighted_error,
        l1_error=float(absolute / matrix.absolute_sum),
        median_row_error=float(np.median(shown)),
        worst_row_error=float(shown.max()),
        mean_cosine=mean_cosine,
        worst_cosine=worst_cosine,
        n_bytes=result.n_bytes,
        ratio=result.ratio,
        parameter_count=parameter_count,
        saved=1 - parameter_count / (n * d),
        file_ratio=matrix.file_ratio(result.n_bytes),
        row_errors=row_errors,
    )


def in_even_units(matrix: EmbeddingMatrix, result: Compressed) -> tuple[EmbeddingMatrix, Compressed]:
    """Both divided by the power of two that makes the matrix's entries of a usual size, so that squares stay within float32."""
    exponent = matrix.exponent
    return (matrix.even, replace(result, exponent=result.exponent - exponent)) if exponent else (matrix, result)


def error_text(error: float, preview: bool = False) -> str:
    """An error in three significant digits, 0.727 or 1.12e-05, ∞ of a zero row that is none any more, and ≈ before those of a
    preview."""
    text = "0" if error == 0 else f"{error:.3g}" if error < 1e-3 else f"{error:#.3g}".removesuffix(".").replace("inf", "∞")
    return f"≈ {text}" if preview else text


def ratio_text(ratio: float) -> str:
    """How many times smaller, in three significant digits: 52.1 ×."""
    return f"{ratio:,.0f} ×" if ratio >= 1000 else f"{ratio:.3g} ×"
