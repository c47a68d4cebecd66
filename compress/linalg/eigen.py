"""Eigenvalues of small symmetric matrices, largest first."""

import numpy as np

from compress.threads import one_thread


def eigenvalues(matrix: np.ndarray) -> np.ndarray:
    """(d,) float64."""
    with one_thread():
        return np.linalg.eigvalsh(matrix)[::-1]


def eigenvectors(matrix: np.ndarray) -> np.ndarray:
    """As columns, each with a sum that is not negative, (d, d) float64."""
    with one_thread():
        vectors = np.linalg.eigh(matrix)[1][:, ::-1]
    return vectors * np.where(vectors.sum(axis=0) < 0, -1.0, 1.0)


def leading(matrix: np.ndarray, j: int) -> tuple[np.ndarray, np.ndarray]:
    """The j largest eigenvalues and their vectors (d, j), in float32."""
    from scipy.linalg import eigh

    d = len(matrix)
    with one_thread():
        values, vectors = eigh(matrix.astype(np.float32), subset_by_index=[d - j, d - 1], driver="evr")
    return values[::-1], vectors[:, ::-1]
