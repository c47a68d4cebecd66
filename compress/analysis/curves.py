"""Error figures of SVD at every rank from few passes over the rows, with factors rounded as its fits round them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from compress.analysis.spectrum import spectrum
from compress.coding import factors
from compress.linalg import blocks
from compress.matrix import EmbeddingMatrix

BLOCK_BYTES = 2 << 20
RIDGE = 1e-6  # of the mean square of a code, as in factors.least_squares
Moments = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True, eq=False)
class Nested:
    """The fits of SVD at all ranks in one: of a row's coordinates (r,) times directions (r, d), the first j terms are rank j's.

    At 8 and 4 bits a fit is the least-squares refit of the basis to the codes Q of the first j axes. The normal equations QᵀWQ of
    fewer axes are a corner of those of more, so that one Cholesky factor L serves every rank: the coordinates are Q L⁻ᵀ.
    axes: (d, r). steps: (r,) of the codes' grids, None for floats. mix: L⁻¹ (r, r).
    """

    axes: np.ndarray
    directions: np.ndarray
    bits: int
    steps: np.ndarray | None = None
    mix: np.ndarray | None = None

    def coordinates(self, block: np.ndarray) -> np.ndarray:
        """(m, r) of rows (m, d)."""
        numbers = block @ self.axes
        return numbers if self.steps is None or self.mix is None else codes_of(numbers, self.steps, self.bits) @ self.mix.T

    def errors(self, inner: np.ndarray, cross: np.ndarray, whole: float) -> np.ndarray:
        """(r + 1,) Σ wᵢ‖aᵢ − bᵢ‖² / whole for rank 0, 1, … from the moments QᵀWQ and QᵀWA by any weights. Rounding of the basis
        to 8 bits adds what is to be expected of it."""
        assert self.steps is not None and self.mix is not None
        kept = 2 * ((self.mix @ cross) * self.directions).sum(axis=1)
        again = (self.mix @ inner @ self.mix.T) * (self.directions @ self.directions.T)
        units = self.steps * np.abs(self.axes).max(axis=0) / 127
        lost = len(self.axes) * units**2 / 12 * np.diag(inner)
        explained = np.cumsum(kept - lost) - np.diag(again.cumsum(axis=0).cumsum(axis=1))
        return np.maximum(1 - np.concatenate([[0.0], explained]) / whole, 0)


def nested(matrix: EmbeddingMatrix, bits: int, most: int) -> tuple[Nested, list[Moments]]:
    """The fits up to a rank, and at 8 and 4 bits the moments that they come from, see `moments`."""
    axes = np.ascontiguousarray(matrix.axes[:, :most], dtype=np.float32)
    if bits in factors.FLOAT:
        return Nested(axes, axes.T, bits), []
    steps = factors.seen_steps(lambda rows: matrix.rows[rows] @ axes, matrix.squared_norms, factors.LARGEST[bits])
    found = moments(matrix, axes, steps, bits)
    inner, cross = found[0]
    ridge = RIDGE * np.trace(inner) / most + 1e-12
    mix = np.linalg.inv(np.linalg.cholesky(inner + ridge * np.eye(most)))
    directions = mix @ (cross + ridge * steps[:, None] * axes.T)
    return Nested(axes, directions.astype(np.float32), bits, steps, mix.astype(np.float32)), found


def moments(matrix: EmbeddingMatrix, axes: np.ndarray, steps: np.ndarray, bits: int) -> list[Moments]:
    """QᵀWQ (r, r) and QᵀWA (r, d) of the codes Q by the matrix's weights, and where rows are weighted also by equal ones."""
    roots = [np.sqrt(matrix.weights, dtype=np.float32)[:, None], None][not matrix.weighted :]
    found = [(np.zeros((len(steps),) * 2), np.zeros(axes.T.shape)) for _ in roots]
    for rows, block in blocks.walk(matrix.rows):
        codes = codes_of(blocks.project(block, axes, matrix.device), steps, bits)
        for root, (inner, cross) in zip(roots, found, strict=True):
            used, values = (blocks.to_device(each if root is None else each * root[rows], matrix.device) for each in (codes, block))
            inner += blocks.to_host(used.T @ used)
            cross += blocks.to_host(used.T @ values)
    return found


def codes_of(numbers: np.ndarray, steps: np.ndarray, bits: int) -> np.ndarray:
    """(…, r) float32: whole numbers of the grids with these steps."""
    return factors.round_to(numbers, steps, factors.LARGEST[bits]).astype(np.float32)


def svd_errors(matrix: EmbeddingMatrix, bits: int, most: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """The weighted and the plain relative error of SVD for every j from 0 to the most, min(n, d) unless given, with factors of so
    many bits. Both are of the same fit, which is weighted as the matrix is. Rounding to float16 is left out."""
    most = min(matrix.shape) if most is None else most
    fits, found = nested(matrix, bits, most)
    if found:
        wholes = [float(matrix.weights @ matrix.squared_norms), float(matrix.squared_norms.sum())]
        both = [fits.errors(*each, whole) for each, whole in zip(found, wholes, strict=False)]
        return both[0], both[-1]
    errors = spectrum(matrix).relative_errors[: most + 1]
    if not matrix.weighted:
        return errors, errors
    kept = np.zeros(most)
    for _, block in blocks.walk(matrix.rows):
        kept += (blocks.project(block, fits.axes, matrix.device) ** 2).sum(axis=0, dtype=np.float64)
    return errors, np.maximum(1 - np.concatenate([[0.0], np.cumsum(kept)]) / matrix.squared_norms.sum(), 0)


def svd_figures(matrix: EmbeddingMatrix, bits: int, js: Sequence[int]) -> dict[str, np.ndarray]:
    """l1_error and median_row_error as in Evaluation, each (len(js),), of SVD at those ranks, ascending, with factors of so many
    bits. Rounding to float16 and of the shared basis, some 1e-4, is left out."""
    fits, _ = nested(matrix, bits, max(js))
    absolute, squared = np.zeros(len(js)), np.empty((len(js), matrix.shape[0]), np.float32)
    for rows, block in blocks.walk(matrix.rows, BLOCK_BYTES):
        coordinates, left, done = fits.coordinates(block), np.array(block), 0
        for at, j in enumerate(js):
            left -= coordinates[:, done:j] @ fits.directions[done:j]
            absolute[at] += np.abs(left).sum(axis=1).sum(dtype=np.float64)
            squared[at, rows] = np.einsum("id,id->i", left, left)
            done = j
    there = matrix.squared_norms > 0
    row_errors = squared[:, there] / matrix.squared_norms[there].astype(np.float32)
    return {"l1_error": absolute / matrix.absolute_sum, "median_row_error": np.median(row_errors, axis=1)}


def svd_cosines(matrix: EmbeddingMatrix, bits: int) -> np.ndarray:
    """(min(n, d) + 1,) mean cosine of the rows that are not zero with those of SVD of rank j = 0, 1, …, factors in so many bits.
    Rounding to float16 and of the shared basis is left out."""
    most = min(matrix.shape)
    fits, _ = nested(matrix, bits, most)
    together = fits.directions @ fits.directions.T
    before, own = np.triu(together, 1), np.diag(together)
    total, count = np.zeros(most), 0
    for rows, block in blocks.walk(matrix.rows):
        there = matrix.squared_norms[rows] > 0
        block, whole = block[there], matrix.squared_norms[rows][there, None]
        coordinates = fits.coordinates(block)
        inner = np.cumsum(coordinates * (block @ fits.directions.T), axis=1)
        squares = np.cumsum(coordinates * (2 * (coordinates @ before) + coordinates * own), axis=1)
        total += (inner / np.sqrt(np.maximum(squares * whole, 1e-30))).sum(axis=0)
        count += int(there.sum())
    return np.concatenate([[0.0], total / count])
