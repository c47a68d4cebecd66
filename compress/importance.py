"""Which rows of a table, and which directions of its rows, what uses it depends on."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from compress.form.compressed import Compressed
from compress.linalg import blocks
from compress.matrix import EmbeddingMatrix


@dataclass(frozen=True, eq=False)
class Importance:
    """weights: (n,) what an error in a row costs, mean 1. metric: (d, d) H, symmetric: an error δ in a row of weight 1 costs δᵀHδ;
    mean eigenvalue 1. floor: the least eigenvalue that is believed, the smaller ones being measured worst."""

    weights: np.ndarray
    metric: np.ndarray
    floor: float = 0.05

    @cached_property
    def root(self) -> np.ndarray:
        """(d, d) M, symmetric and invertible, with M² = H but for what lies below the floor."""
        values, vectors = np.linalg.eigh(self.metric)
        return (vectors * np.sqrt(np.maximum(values, self.floor))) @ vectors.T

    def weighted(self, matrix: EmbeddingMatrix) -> EmbeddingMatrix:
        """The matrix with these weights."""
        return EmbeddingMatrix(matrix.rows, weights=self.weights, name=matrix.name, device=matrix.device)

    def error(self, matrix: EmbeddingMatrix, result: Compressed) -> float:
        """Σ wᵢ‖(aᵢ−bᵢ)M‖² / Σ wᵢ‖aᵢM‖² of a compressed form of the matrix."""
        lost = whole = 0.0
        for rows, block in blocks.walk(matrix.rows):
            apart = block - result.rows(np.arange(rows.start, rows.stop))
            lost += self.weights[rows] @ blocks.squared_norms((apart @ self.root).astype(np.float32))
            whole += self.weights[rows] @ blocks.squared_norms((block @ self.root).astype(np.float32))
        return float(lost / whole)
