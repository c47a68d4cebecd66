"""Rows that stand for all of a matrix, so that a reweighted fit takes milliseconds.

Second moments of reweighted rows are those of equal pulls, known exactly, and a correction that only the spread of the pulls makes:
that alone is estimated from the sample. At p = 2 there is nothing to estimate. Long rows are drawn first, since one that is far
longer than the others would spoil an estimate.
"""

from dataclasses import dataclass

import numpy as np

from compress.linalg import eigen
from compress.matrix import EmbeddingMatrix
from compress.solvers.losses import Loss

ROWS, NUMBERS = 4096, 1 << 20  # of a sample: so many rows, or more where they are short
PASSES = 3  # of a fit to a sample
EVEN = 0.5  # of the chance to be drawn that all rows share alike; the rest goes by squared length
LEAST = 1e-6  # of a row's own squared length, or the usual one: the squared distance that float32 can tell from 0


@dataclass(frozen=True, eq=False)
class Sample:
    """values: (m, d) float32, rows of n. norms: (m,) their squared lengths. counts: (m,) how many rows each stands for. weights:
    (m,) of the rows. gram: (d, d) weighted second moments of all n rows."""

    values: np.ndarray
    norms: np.ndarray
    counts: np.ndarray
    weights: np.ndarray
    gram: np.ndarray

    def moments(self, pulls: np.ndarray) -> np.ndarray:
        """Σ wᵢ pullᵢ aᵢaᵢᵀ over all rows, (d, d), for pulls (m,) of those here; exact where they are all the same."""
        usual = np.median(pulls)
        if not np.ptp(pulls):
            return usual * self.gram
        apart = (self.counts * self.weights * (pulls - usual)).astype(np.float32)
        return usual * self.gram + (self.values * apart[:, None]).T @ self.values

    def squared_distances(self, basis: np.ndarray) -> np.ndarray:
        """(m,) from the subspace of a basis (d, j) with orthonormal columns, at least what float32 can tell from 0."""
        reached = self.values @ basis.astype(np.float32)
        left = self.norms - np.einsum("ij,ij->i", reached, reached)
        typical = np.median(self.norms[self.norms > 0]) if self.norms.any() else 1.0
        return np.maximum(left, LEAST * np.maximum(self.norms, typical))


def sample_of(matrix: EmbeddingMatrix, seed: int = 0) -> Sample:
    """Rows that stand for all of a matrix."""
    return sample_of_rows(matrix, *drawn(matrix, sample_rows(matrix.shape[1]), seed))


def sample_rows(d: int) -> int:
    """How many rows of so many columns a sample has."""
    return max(ROWS, NUMBERS // d)


def sample_of_rows(matrix: EmbeddingMatrix, rows: np.ndarray, counts: np.ndarray) -> Sample:
    """Rows of a matrix by their numbers, of which each stands for so many."""
    return Sample(matrix.rows[rows], matrix.squared_norms[rows], counts, matrix.weights[rows], matrix.gram)


def drawn(matrix: EmbeddingMatrix, most: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """The numbers (m,) of the rows of a sample, in order, and how many rows each stands for, one over its chance to be drawn."""
    n = len(matrix.rows)
    if n <= most:
        return np.arange(n), np.ones(n)
    shares = EVEN / n + (1 - EVEN) * matrix.squared_norms / matrix.squared_norms.sum()
    chances = most * shares
    while chances.max() > 1:  # rows that are sure to be drawn leave their surplus to the others
        sure = chances >= 1
        chances = np.where(sure, 1.0, shares * (most - sure.sum()) / shares[~sure].sum())
    steps = np.floor(np.cumsum(chances) + np.random.default_rng(seed).random())
    rows = np.flatnonzero(np.diff(steps, prepend=0.0))
    return rows, 1 / chances[rows]


def lewis_start(sample: Sample, p: float = 1.0, rounds: int = 2) -> np.ndarray:
    """(d, d) float64, as columns: the axes of the ℓp Lewis ellipsoid after so many rounds, see solvers/lewis.py."""
    there = sample.norms > 0
    sizes = np.where(there, 1.0, 0.0)  # τ of one copy of each row
    for _ in range(rounds):
        values, vectors = np.linalg.eigh(sample.moments(inverse(sizes, p)))
        held = values > 1e-9 * values[-1]
        reach = sample.values @ (vectors[:, held] / np.sqrt(values[held])).astype(np.float32)
        squared = np.einsum("ij,ij->i", reach, reach).astype(np.float64)
        sizes = np.where(there, np.maximum(squared, 1e-30) ** (p / 2), 0.0)
    return eigen.eigenvectors(sample.moments(inverse(sizes, p)))


def inverse(sizes: np.ndarray, p: float) -> np.ndarray:
    """τ^(1−2/p), 0 for rows of zeros."""
    return np.where(sizes > 0, np.maximum(sizes, 1e-300) ** (1 - 2 / p), 0.0)


def lowered(sample: Sample, basis: np.ndarray, loss: Loss, passes: int = PASSES) -> np.ndarray:
    """A basis (d, j) with orthonormal columns after so many reweighted refits under a loss that has its scale."""
    for _ in range(passes):
        basis = eigen.leading(sample.moments(loss.pull(sample.squared_distances(basis))), basis.shape[1])[1]
    return basis


def scaled(loss: Loss, sample: Sample, basis: np.ndarray) -> Loss:
    """The loss with a scale: its own, else from the distances of all rows to the subspace of a basis (d, j)."""
    every = quantiles(sample.squared_distances(basis), sample.counts, 1001)
    return loss.scaled(every) if loss.needs_scale else loss


def quantiles(values: np.ndarray, counts: np.ndarray, points: int) -> np.ndarray:
    """So many even quantiles, from the least to the largest, of values (m,) that occur so often (m,)."""
    order = np.argsort(values, kind="stable")
    below = np.cumsum(counts[order]) - counts[order] / 2
    return np.interp(np.linspace(below[0], below[-1], points), below, values[order])
