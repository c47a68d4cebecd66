"""The baseline: one subspace for all rows."""

from dataclasses import dataclass
from typing import Self

from compress.checks import setting, whole
from compress.coding import factors
from compress.errors import Progress
from compress.form.compressed import Compressed
from compress.matrix import EmbeddingMatrix
from compress.methods.base import precision
from compress.methods.low_rank import LowRank


@dataclass(frozen=True)
class SVD(LowRank):
    """A ≈ U_j V_jᵀ, the closest matrix of rank j (Eckart and Young 1936; with row weights, the weighted closest).

    j: dimension of the subspace. factor_bits: stored precision of the factors, 32, 16, 8 or 4.
    The basis comes from the d × d Gram matrix; numbers stored: n·j + j·d.
    """

    name = "svd"
    label = "SVD"
    place = 1

    j: int = setting(60, whole, 1)
    factor_bits: int = precision()

    def fit(self, matrix: EmbeddingMatrix, progress: Progress | None = None) -> Compressed:
        self.check(*matrix.shape)
        return self.project(matrix, matrix.axes[:, : self.j])

    @classmethod
    def examples(cls) -> list[Self]:
        return [*(cls(j=3, factor_bits=bits) for bits in factors.BITS), cls(j=1), cls(j=11)]
