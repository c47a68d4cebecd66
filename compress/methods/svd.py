"""The baseline: one subspace for all rows."""

from dataclasses import dataclass
from typing import ClassVar

from compress.checks import one_of, whole
from compress.coding import factors
from compress.methods.low_rank import LowRank


@dataclass(frozen=True)
class SVD(LowRank):
    """A ≈ U_j V_jᵀ, the closest matrix of rank j (Eckart and Young 1936; with row weights, the weighted closest).

    j: dimension of the subspace. factor_bits: stored precision of the factors, 32, 16, 8 or 4.
    The basis comes from the d × d Gram matrix; numbers stored: n·j + j·d.
    """

    j: int = 60
    factor_bits: int = 16

    name: ClassVar[str] = "svd"
    label: ClassVar[str] = "SVD"

    def __post_init__(self):
        whole("j", self.j, 1)
        one_of("factor_bits", self.factor_bits, factors.BITS)

    def fit(self, matrix, progress=None):
        self.check(*matrix.shape)
        return self.projected(matrix, matrix.axes[:, : self.j])
