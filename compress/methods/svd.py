"""The baseline: one subspace for all rows."""

from dataclasses import dataclass
from typing import ClassVar

from compress import blocks, factors
from compress.compressed import Compressed
from compress.methods.base import Method, one_of, rank_bound, whole


@dataclass(frozen=True)
class SVD(Method):
    """A ≈ U_j V_jᵀ, the closest matrix of rank j (Eckart and Young 1936; with row weights, the weighted closest).

    j: dimension of the subspace. factor_bits: stored precision of the factors, 32, 16, 8 or 4.
    The basis comes from the d × d Gram matrix; numbers stored: n·j + j·d.
    """

    j: int = 60
    factor_bits: int = 16

    name: ClassVar[str] = "svd"
    label: ClassVar[str] = "SVD"
    knob: ClassVar[str] = "j"

    def __post_init__(self):
        whole("j", self.j, 1)
        one_of("factor_bits", self.factor_bits, factors.BITS)

    def check(self, n, d):
        whole("j", self.j, 1, *rank_bound(n, d))

    def fit(self, matrix, progress=None):
        self.check(*matrix.shape)
        basis = matrix.axes[:, : self.j]
        coefficients = blocks.project(matrix.values, basis, matrix.device)
        arrays = factors.store(matrix, coefficients, basis.T[None], self.factor_bits)
        return Compressed(self, arrays, matrix.shape, matrix.digest)

    def decode(self, arrays, rows, d):
        return factors.read_coefficients(arrays, rows, self.j) @ factors.read_bases(arrays)[0]

    def layout(self, n, d):
        return factors.layout(n, d, 1, self.j, self.factor_bits)

    def numbers(self, n, d):
        return n * self.j + self.j * d
