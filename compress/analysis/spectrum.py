"""What the second moments of a matrix say before any method: singular values, energy, ranks."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from compress.coding import factors
from compress.linalg import blocks, eigen
from compress.matrix import EmbeddingMatrix


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Singular values σ₁ ≥ σ₂ ≥ … of a matrix, and what follows from them for every rank j at once.

    singular_values: (min(n, d),) float64, from the eigenvalues of the float64 Gram matrix: values above 1e-4 of the largest are
    good to 1e-3. With row weights they are those of diag(√w) A. shape: (n, d).
    """

    singular_values: np.ndarray
    shape: tuple[int, int]

    @cached_property
    def kept_energy(self) -> np.ndarray:
        """(min(n, d) + 1,) share of Σσ² that the first j directions keep, for j = 0, 1, …"""
        energy = np.concatenate([[0.0], np.cumsum(self.singular_values**2)])
        return np.minimum(energy / energy[-1], 1)

    @property
    def relative_errors(self) -> np.ndarray:
        """(min(n, d) + 1,) relative error of the best rank-j matrix, j = 0, 1, …: the tail energy (Eckart and Young)."""
        return 1 - self.kept_energy

    @property
    def effective_rank(self) -> float:
        """exp of the entropy of σ / Σσ: how many equal directions would be as spread out (Roy and Vetterli 2007)."""
        return entropy_rank(self.singular_values)

    @property
    def energy_rank(self) -> float:
        """exp of the entropy of σ² / Σσ², the shares of the energy, which is the von Neumann entropy of AᵀA / tr AᵀA: at most the
        effective rank, since large directions count for more."""
        return entropy_rank(self.singular_values**2)

    @property
    def stable_rank(self) -> float:
        """Σσ² / σ₁²: by how many times all energy exceeds that of the first direction."""
        return float((self.singular_values**2).sum() / self.singular_values[0] ** 2)

    def rank_for(self, kept: float) -> int:
        """The least j that keeps a share of the energy."""
        return int(np.searchsorted(self.kept_energy, kept - 1e-12))

    def n_bytes(self, factor_bits: int) -> np.ndarray:
        """(min(n, d) + 1,) bytes of the factors of rank j = 0, 1, …"""
        n, d = self.shape
        return np.array([factors.n_bytes(n, d, 1, j, factor_bits) for j in range(len(self.singular_values) + 1)])


def entropy_rank(sizes: np.ndarray) -> float:
    """exp of the entropy of the shares that sizes (m,) have of their sum: m where all are equal, 1 where one has everything."""
    shares = sizes[sizes > 0] / sizes.sum()
    return float(np.exp(-(shares * np.log(shares)).sum()))


def spectrum(matrix: EmbeddingMatrix) -> Spectrum:
    """The spectrum of a matrix, from one d × d Gram matrix; a full SVD of A is never made."""
    eigenvalues = eigen.eigenvalues(matrix.gram)[: min(matrix.shape)]
    return Spectrum(np.sqrt(np.maximum(eigenvalues, 0)), matrix.shape)


def principal_angles(bases: np.ndarray) -> np.ndarray:
    """(k, k, j) principal angles in degrees, ascending, between every two of k subspaces given by bases (k, j, d)."""
    frames = np.linalg.qr(np.asarray(bases, np.float64).transpose(0, 2, 1))[0]  # (k, d, j)
    cosines = np.linalg.svd(np.einsum("ydi,zdj->yzij", frames, frames, optimize=True), compute_uv=False)
    return np.degrees(np.arccos(np.clip(cosines, 0, 1)))


def group_singular_values(matrix: EmbeddingMatrix, labels: np.ndarray, k: int) -> np.ndarray:
    """(k, d) singular values of the rows of each group, largest first."""
    squares, _, _ = blocks.group_moments(matrix.rows, labels, k, matrix.weights if matrix.weighted else None, matrix.device)
    return np.sqrt(np.maximum([eigen.eigenvalues(each) for each in squares], 0))
