"""ℓp Lewis weights: an ellipsoid near {x : ‖Ax‖_p ≤ 1} from a few Gram matrices, for matrices of any size."""

import numpy as np

from compress.linalg import blocks, eigen
from compress.matrix import EmbeddingMatrix

ROUNDS = 5
LARGEST = 4  # from here on the iteration does not converge; the principal axes serve


def lewis_axes(matrix: EmbeddingMatrix, p: float, rounds: int = ROUNDS) -> np.ndarray:
    """The axes (d, d) of the Lewis ellipsoid, as columns, first those in which the rows reach far: eigenvectors of Aᵀ T^(1−2/p) A.

    The weights τ satisfy τᵢ = (aᵢᵀ (Aᵀ T^(1−2/p) A)⁻¹ aᵢ)^(p/2); iterating that converges for p < 4 (Cohen and Peng 2015). With
    them ‖T^(1/2−1/p) A x‖₂ is within a factor of r^|1/2−1/p| of ‖Ax‖_p, r the rank. Row weights wᵢ count a row wᵢ times. For p = 2
    these are the principal axes, which also serve for p ≥ 4.
    """
    return matrix.axes if p == 2 or p >= LARGEST else eigen.eigenvectors(lewis_moments(matrix, p, rounds)[1])


def lewis_moments(matrix: EmbeddingMatrix, p: float, rounds: int = ROUNDS) -> tuple[np.ndarray, np.ndarray]:
    """The Lewis weights τ (n,), which sum to the rank, and the moments Aᵀ T^(1−2/p) A (d, d)."""
    if not 1 <= p < LARGEST:
        raise ValueError(f"p must be at least 1 and below {LARGEST} for Lewis weights, got {p!r}")
    times = matrix.weights if matrix.weighted else np.ones(matrix.shape[0])
    lengths = matrix.squared_norms
    tau = np.where((lengths > 0) & (times > 0), 1.0, 0.0)  # of one copy of the row
    for _ in range(rounds + 1):
        used = tau > 0
        importance = np.zeros_like(tau)
        importance[used] = times[used] * tau[used] ** (1 - 2 / p)
        moments = blocks.gram(matrix.rows, importance, matrix.device)
        values, vectors = np.linalg.eigh(moments)
        there = values > 1e-9 * values[-1]
        whitened = vectors[:, there] / np.sqrt(values[there])
        reach = blocks.squared_projections(matrix.rows, whitened, np.ones((there.sum(), 1)), matrix.device)[:, 0]
        last, tau = tau, np.where(used, np.maximum(reach.astype(np.float64), 1e-30) ** (p / 2), 0.0)
    return last * times, moments
