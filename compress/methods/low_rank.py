"""What methods with one subspace for all rows share: what they store, its size, and how it is decoded."""

from collections.abc import Callable
from typing import ClassVar

import numpy as np

from compress.checks import whole
from compress.coding import factors
from compress.form.compressed import Compressed
from compress.form.trainable import Trainable
from compress.linalg import blocks
from compress.matrix import EmbeddingMatrix
from compress.methods.base import Method, rank_bound


class LowRank(Method):
    """A ≈ U Vᵀ of rank j, factors stored at `factor_bits`; numbers stored: n·j + j·d."""

    knob: ClassVar[str] = "j"
    spanning: ClassVar[tuple[str, ...]] = ("bases",)

    @classmethod
    def precisions(cls, n, d):
        return {"factor_bits": factors.BITS}

    def check(self, n, d):
        whole("j", self.j, 1, *rank_bound(n, d))

    def projected(self, matrix: EmbeddingMatrix, basis: np.ndarray, refit: Callable | None = None) -> Compressed:
        """The rows' projections on a basis (d, j), stored."""
        return self.compressed(matrix, blocks.project(matrix.values, basis, matrix.device), basis, refit)

    def compressed(
        self, matrix: EmbeddingMatrix, coefficients: np.ndarray, basis: np.ndarray, refit: Callable | None
    ) -> Compressed:
        arrays = factors.store(matrix, coefficients, basis.T[None], self.factor_bits, refit=refit)
        return Compressed(self, arrays, matrix.shape, matrix.digest)

    def decode(self, arrays, rows, d):
        return factors.read_coefficients(arrays, rows, self.j) @ factors.read_bases(arrays)[0]

    def trainable(self, arrays, n, d):
        return Trainable(factors.trainable(arrays, self.j), {})

    def stored(self, arrays, parameters):
        return factors.stored(parameters, self.factor_bits)

    def layout(self, n, d):
        return factors.layout(n, d, 1, self.j, self.factor_bits)

    def parameter_count(self, n, d):
        return n * self.j + self.j * d
