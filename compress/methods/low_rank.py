"""What methods with one subspace for all rows share: what they store, its size, and how it is decoded."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from compress.checks import whole
from compress.coding import factors
from compress.coding.layout import Layout
from compress.form.compressed import Compressed
from compress.form.trainable import Trainable
from compress.linalg.lazy import Table
from compress.linalg.projected import project
from compress.matrix import EmbeddingMatrix
from compress.methods.base import Method, rank_bound


def decoded(arrays: dict[str, Any], rows: Any, j: int) -> Any:
    """Those rows of a form of rank j."""
    return factors.read_coefficients(arrays, rows, j) @ factors.read_bases(arrays)[0]


class LowRank(Method):
    """A ≈ U Vᵀ of rank j, factors stored at `factor_bits`; numbers stored: n·j + j·d."""

    decoder = "factors"
    knob = "j"
    spanning = ("bases",)

    j: int
    factor_bits: int

    def project(self, matrix: EmbeddingMatrix, basis: np.ndarray, refit: Callable | None = None) -> Compressed:
        """The rows' projections on a basis (d, j), stored."""
        return self.compress(matrix, project(matrix.rows, basis, matrix.device), basis, refit)

    def compress(self, matrix: EmbeddingMatrix, coefficients: Table, basis: np.ndarray, refit: Callable | None) -> Compressed:
        """Coefficients (n, j) and their basis (d, j), stored."""
        arrays = factors.store(matrix, coefficients, basis.T[None], self.factor_bits, refit=refit)
        return Compressed(self, arrays, matrix.shape, matrix.digest)

    def decode(self, arrays: dict[str, Any], rows: Any, d: int) -> Any:
        return decoded(arrays, rows, self.j)

    def trainable(self, arrays: dict[str, np.ndarray], n: int, d: int) -> Trainable:
        return Trainable(factors.trainable(arrays, self.j), {})

    def stored(self, arrays: dict[str, np.ndarray], parameters: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        return factors.stored(parameters, self.factor_bits)

    def layout(self, n: int, d: int) -> Layout:
        return factors.layout(n, d, 1, self.j, self.factor_bits)

    def parameter_count(self, n: int, d: int) -> int:
        return n * self.j + self.j * d

    def check(self, n: int, d: int) -> None:
        whole("j", self.j, 1, *rank_bound(n, d))

    @classmethod
    def precisions(cls, n: int, d: int) -> dict[str, Sequence[int]]:
        return {"factor_bits": factors.BITS}
