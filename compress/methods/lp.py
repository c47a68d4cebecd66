"""Robust low rank: one subspace for all rows under the ℓp error, which far rows pull less than they pull the squared one."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Self

import numpy as np

from compress.checks import one_of, random_seed, real, setting, whole
from compress.coding import factors
from compress.errors import Progress
from compress.form.compressed import Compressed
from compress.form.metrics import in_even_units
from compress.linalg import blocks
from compress.matrix import EmbeddingMatrix
from compress.methods.base import precision
from compress.methods.low_rank import LowRank
from compress.solvers import flats
from compress.solvers.ellipsoid import lowner
from compress.solvers.entries import fit_entries, lower_columns, lower_rows
from compress.solvers.lewis import lewis_axes
from compress.solvers.losses import LARGEST_P, Loss
from compress.solvers.sample import lewis_start, lowered, sample_of, scaled

OBJECTIVES = ("entries", "rows")
STARTS = ("lewis", "lowner")
LOWNER_COLUMNS = 64  # beyond this many the ellipsoid method takes too long
PREVIEW_ROWS = 8192
BEGINNING = 0.05  # share of a fit that the ellipsoid is


@dataclass(frozen=True)
class LpLowRank(LowRank):
    """A ≈ U Vᵀ of rank j with a small ℓp error: the robust low rank of Tukan, Maalouf, Weksler and Feldman (*Compressed Deep
    Networks: Goodbye SVD, Hello Robust Low-Rank Approximation*, arXiv 2009.05647).

    j: rank. p: exponent, 1 to 32; 2 gives SVD, above 2 far rows pull more than there.
    objective: "rows" lowers Σ wᵢ ‖aᵢ−bᵢ‖₂^p, "entries" lowers Σ wᵢ Σₗ |aᵢₗ−bᵢₗ|^p, from where "rows" settled.
    start: the ellipsoid near {x : ‖Ax‖_p ≤ 1} whose leading axes the fit starts from: "lewis", by Lewis weights (ours, for real
    sizes), or "lowner", by the paper's ellipsoid method, for at most 64 columns. steps: reweighted fits (ours) that lower the
    objective from there, at most; 0 keeps the start, 1 gives a preview. factor_bits: stored precision, 32, 16, 8 or 4.
    Numbers stored: n·j + j·d, as for SVD.
    """

    name = "lp"
    label = "ℓp low rank"
    place = 3
    effort = 100

    j: int = setting(60, whole, 1)
    p: float = setting(1.0, real, 1, LARGEST_P)
    objective: str = setting("entries", one_of, OBJECTIVES)
    start: str = setting("lewis", one_of, STARTS)
    steps: int = setting(12, whole, 0, 1000)
    factor_bits: int = precision()
    seed: int = random_seed()

    def fit(self, matrix: EmbeddingMatrix, progress: Progress | None = None, warm: Compressed | None = None) -> Compressed:
        """`warm`: a fit of the same rank to start from instead of an ellipsoid, such as that of a p nearby."""
        n, d = matrix.shape
        self.check(n, d)
        if self.p == 2:
            return self.project(matrix, matrix.axes[:, : self.j])
        if self.objective == "rows" and self.steps == 1 and self.p < 2:
            return self.project(matrix, self.drafted(matrix, warm), factors.least_squares)
        some = sample_nonzero(matrix, PREVIEW_ROWS, self.seed) if self.steps == 1 else matrix
        basis = self.first_basis(some, warm, progress)
        if self.objective == "rows":
            basis, weights = self.reweight(some, basis, progress)
            return self.project(matrix, basis, partial(factors.least_squares, weights=weights if some is matrix else None))
        basis = self.reweight(some, basis, None)[0] if warm is None else basis
        coefficients, basis = fit_entries(some, basis, self.p, self.steps, progress, 3 if some is matrix else 0)
        if some is not matrix:
            coefficients = blocks.project(matrix.rows, basis, matrix.device)
            lower_rows(matrix, coefficients, basis, self.p, rounds=1)
        return self.compress(matrix, coefficients, basis, partial(refit_entries, p=self.p))

    def drafted(self, matrix: EmbeddingMatrix, warm: Compressed | None) -> np.ndarray:
        """A basis (d, j) from a few refits to a sample of the rows."""
        sample = sample_of(matrix, seed=self.seed)
        lewis = warm is None and self.start == "lewis"
        basis = lewis_start(sample, self.p)[:, : self.j] if lewis else self.first_basis(matrix, warm, None)
        return lowered(sample, basis, scaled(self.rho, sample, basis))

    def reweight(
        self, matrix: EmbeddingMatrix, basis: np.ndarray, progress: Progress | None
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """The basis carried on to a low row-wise cost, and the row weights of its last refit."""
        found, view = flats.settle(flats.all_rows(matrix), flats.linear(basis), self.rho, self.steps, progress)
        return found.bases[0], view.weights

    @property
    def rho(self) -> Loss:
        """The loss of a row's distance, for the rows form."""
        return Loss("lp", self.p)

    def first_basis(self, matrix: EmbeddingMatrix, warm: Compressed | None, progress: Progress | None) -> np.ndarray:
        """(d, j), orthonormal: from the fit to start at, else the leading axes of the ellipsoid."""
        d = matrix.shape[1]
        if warm is not None:
            rank = getattr(warm.method, "j", None)
            if warm.shape[1] != d or rank != self.j:
                raise ValueError(f"a warm start must have {d} columns and rank {self.j}, got {warm.shape[1]} and {rank}")
            axes = factors.read_bases(warm.arrays)[0].T
        elif self.start == "lowner":
            axes = lowner(matrix.values, self.p, matrix.weights if matrix.weighted else None, progress=begun(progress)).axes
        else:
            axes = lewis_axes(matrix, self.p)
        few = axes.shape[1] < self.j  # where the rows have a lower rank
        axes = np.concatenate([axes, matrix.axes], axis=1) if few else axes[:, : self.j]
        return np.linalg.qr(axes)[0][:, : self.j].astype(np.float32)

    def check(self, n: int, d: int) -> None:
        super().check(n, d)
        if self.start == "lowner" and d > LOWNER_COLUMNS:
            raise ValueError(f"start must be lewis for more than {LOWNER_COLUMNS} columns (the matrix has {d:,}), got 'lowner'")

    def lost(self, matrix: EmbeddingMatrix, result: Compressed) -> float:
        """The objective over its value for a matrix of zeros."""
        matrix, result = in_even_units(matrix, result)
        left = whole = 0.0
        for rows, block in blocks.walk(matrix.rows):
            apart = block - result.rows(np.arange(rows.start, rows.stop))
            left += matrix.weights[rows] @ self.costs(apart)
            whole += matrix.weights[rows] @ self.costs(block)
        return float(left / max(whole, 1e-300))

    def costs(self, errors: np.ndarray) -> np.ndarray:
        """What every row of errors (n, d) adds to the objective, (n,)."""
        if self.objective == "rows":
            return blocks.squared_norms(errors) ** (self.p / 2)
        return (np.abs(errors) ** self.p).sum(axis=1, dtype=np.float64)

    @property
    def draft(self) -> Self:
        return replace(self, start="lewis", steps=1)

    @property
    def quick(self) -> bool:
        return self.p == 2 or super().quick

    @property
    def draft_words(self) -> str:
        return "from a sample of the rows"

    @property
    def fit_words(self) -> str:
        return ": p = 2 is SVD." if self.p == 2 else super().fit_words

    @classmethod
    def examples(cls) -> list[Self]:
        return [
            *(cls(j=3, p=1.0, objective="rows", factor_bits=bits) for bits in factors.BITS),
            *(cls(j=3, p=1.0, factor_bits=bits) for bits in factors.BITS),
            cls(j=2, p=1.5, start="lowner"),
            cls(j=2, p=3.0, objective="rows"),
            cls(j=2, p=3.0),
            cls(j=4, p=2.0),
            cls(j=11, p=1.0),
            cls(j=1, p=5.0, steps=1),
            cls(j=2, p=1.2, objective="rows", steps=0),
        ]


def begun(progress: Progress | None) -> Progress | None:
    """Tells of the search for the ellipsoid as the beginning of the fit."""
    return progress and (lambda step: progress(replace(step, share=BEGINNING * step.share)))


def sample_nonzero(matrix: EmbeddingMatrix, count: int, seed: int) -> EmbeddingMatrix:
    """So many rows of the matrix, chosen at random from those that are not zero; the matrix itself where it has no more."""
    there = np.flatnonzero((matrix.squared_norms > 0) & (matrix.weights > 0))
    if len(there) <= count:
        return matrix
    rows = np.sort(np.random.default_rng(seed).choice(there, count, replace=False))
    return EmbeddingMatrix(matrix.rows[rows], weights=matrix.weights[rows], device=matrix.device)


def refit_entries(
    matrix: EmbeddingMatrix, codes: np.ndarray, bases: np.ndarray, labels: np.ndarray, offsets: np.ndarray, p: float
) -> np.ndarray:
    """The one basis of `bases` (1, j, d) lowered to the ℓp error that the given codes (n, j) allow."""
    basis = np.ascontiguousarray(bases[0].T)
    weights = matrix.weights if matrix.weighted else None
    lower_columns(matrix, codes.astype(np.float32), basis, p, weights, rounds=6)
    return basis.T[None]
