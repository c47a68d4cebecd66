"""Projective clustering: k subspaces, each row in the one nearest to it."""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Self

import numpy as np
from array_api_compat import array_namespace, device

from compress.checks import one_of, random_seed, real, setting, whole
from compress.coding import factors, packing
from compress.coding.layout import Layout
from compress.errors import Progress
from compress.form.compressed import Compressed
from compress.form.metrics import FAR
from compress.form.trainable import Trainable
from compress.linalg.projected import group_projections
from compress.matrix import EmbeddingMatrix
from compress.methods.base import Method, precision, rank_bound, worse_than_nothing
from compress.solvers.flats import Flats, find_flats, flats_of
from compress.solvers.losses import LARGEST_P, Loss
from compress.solvers.losses import NAMES as LOSSES
from compress.threads import one_thread

GROUPS = (2, 5, 10)  # numbers of subspaces that are worth a try
FEW = 3  # subspaces up to which one start alone may end far off, and a second one is quick


@dataclass(frozen=True)
class ProjectiveClustering(Method):
    """Rows split over k subspaces of dimension j so that Σ wᵢ ρ(dist(aᵢ, nearest subspace)) is small: MESSI (Maalouf, Lang, Rus and
    Feldman, ICLR 2021).

    k: number of subspaces. j: their dimension. affine: flats with a point of their own instead of linear subspaces (+ k·d numbers,
    in float32); rows near 0 that would lose far more than others, and more than all of themselves, are kept as 0.
    loss: ρ, one of lp (dist^p), huber, cauchy, geman_mcclure, welsch, tukey (solvers/losses.py). p: exponent of lp, 1 to 32; 2 is
    least squares. scale: the distance from which the other losses hold a row for far; None to estimate it from the rows.
    restarts: starts tried on a sample. steps: passes over all rows at most; 1 gives a preview. factor_bits: stored precision of the
    factors, 32, 16, 8 or 4. The search is ours (solvers/flats.py); numbers stored: n·j + k·j·d, and a label of ⌈log₂ k⌉ bits a row,
    which the paper leaves out of its count.
    """

    name = "projective"
    label = "k subspaces"
    place = 2
    decoder = "factors"
    knob = "j"
    spanning = ("bases", "offsets")
    effort = 13

    k: int = setting(5, whole, 1, 65536)
    j: int = setting(60, whole, 1)
    affine: bool = setting(False, one_of, (False, True))
    loss: str = setting("lp", one_of, LOSSES)
    p: float = setting(2.0, real, 1, LARGEST_P)
    scale: float | None = setting(None, real, 1e-15, 1e20)
    restarts: int = setting(8, whole, 1, 1000)
    steps: int = setting(12, whole, 1, 1000)
    factor_bits: int = precision()
    seed: int = random_seed()

    def fit(self, matrix: EmbeddingMatrix, progress: Progress | None = None, axes: np.ndarray | None = None) -> Compressed:
        """`axes`: (d, d), as columns, that the preview of one subspace under another loss than least squares starts at."""
        return self.form(matrix, *self.search(matrix, progress, axes))

    def search(
        self, matrix: EmbeddingMatrix, progress: Progress | None = None, axes: np.ndarray | None = None, passes: int | None = None
    ) -> tuple[Flats, np.ndarray, np.ndarray | None]:
        """See `find_flats`: what `fit` then stores. passes: at most over all rows, `steps` unless given; none are quick."""
        self.check(*matrix.shape)
        steps = self.steps if passes is None else passes
        with one_thread() if self == self.draft else nullcontext():
            return find_flats(matrix, self.k, self.j, self.affine, self.restarts, steps, self.seed, self.rho, progress, axes)

    def of_groups(self, matrix: EmbeddingMatrix, labels: np.ndarray) -> Compressed:
        """The matrix with given labels (n,), each group's rows in the subspace that is best for them: no search."""
        self.check(*matrix.shape)
        with one_thread():
            flats, weights = flats_of(matrix, labels, self.k, self.j, self.affine, self.rho)
        return self.form(matrix, flats, labels, weights)

    def form(self, matrix: EmbeddingMatrix, flats: Flats, labels: np.ndarray, weights: np.ndarray | None) -> Compressed:
        """What is stored of rows in these flats. weights: of the rows in a refit of rounded bases."""
        coefficients = group_projections(matrix.rows, flats.bases, labels, matrix.device)
        bases = flats.bases.transpose(0, 2, 1)  # (k, j, d)
        refit = partial(factors.least_squares, weights=weights)
        arrays = factors.store(matrix, coefficients, bases, self.factor_bits, labels, flats.offsets, refit)
        if self.k > 1:
            arrays["labels"] = packing.pack_stream(labels, packing.width(self.k))
        if self.affine:
            arrays["offsets"] = flats.offsets
            lost = worse_than_nothing(matrix, lambda rows: self.decode(arrays, rows, matrix.shape[1]), FAR)
            arrays = factors.at_zero(arrays, lost, self.j, self.factor_bits)
        return Compressed(self, arrays, matrix.shape, matrix.digest)

    def in_units(self, exponent: int) -> Self:
        return self if self.scale is None else replace(self, scale=float(np.clip(np.ldexp(self.scale, -exponent), 1e-15, 1e20)))

    @property
    def rho(self) -> Loss:
        """The loss of a row's distance."""
        return Loss(self.loss, self.p, self.scale) if self.loss != "lp" else Loss("lp", self.p)

    def decode(self, arrays: dict[str, Any], rows: Any, d: int) -> Any:
        coefficients = factors.read_coefficients(arrays, rows, self.j)
        bases = factors.read_bases(arrays)
        if self.affine:
            there = coefficients[:, :1] > factors.NOTHING[self.factor_bits]
            coefficients = coefficients * there
        if self.k == 1:
            decoded = coefficients @ bases[0]
            labels = 0 * rows
        else:
            labels = self.labels(arrays, rows)
            decoded = by_group(coefficients, bases, labels)
        if self.affine:
            decoded = decoded + arrays["offsets"][labels] * there
        return decoded

    def labels(self, arrays: dict[str, Any], rows: Any) -> Any:
        """The subspace of each of those rows, int64."""
        return packing.read_stream(arrays["labels"], packing.width(self.k), rows) if self.k > 1 else 0 * rows

    def trainable(self, arrays: dict[str, np.ndarray], n: int, d: int) -> Trainable:
        parameters = factors.trainable(arrays, self.j) | ({"offsets": arrays["offsets"]} if self.affine else {})
        return Trainable(parameters, {"labels": arrays["labels"]} if self.k > 1 else {})

    def stored(self, arrays: dict[str, np.ndarray], parameters: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        moved = arrays | factors.stored(parameters, self.factor_bits)
        if not self.affine:
            return moved
        first = factors.read_coefficients(arrays, np.arange(len(arrays["coefficients"])), self.j)[:, 0]
        lost = np.flatnonzero(first <= factors.NOTHING[self.factor_bits])
        return factors.at_zero(moved, lost, self.j, self.factor_bits) | {"offsets": parameters["offsets"]}

    def layout(self, n: int, d: int) -> Layout:
        layout = factors.layout(n, d, self.k, self.j, self.factor_bits)
        if self.k > 1:
            layout["labels"] = ((n * packing.width(self.k) + 7) // 8,), np.uint8
        if self.affine:
            layout["offsets"] = (self.k, d), np.float32
        return layout

    def parameter_count(self, n: int, d: int) -> int:
        return n * self.j + self.k * self.j * d + (self.k * d if self.affine else 0)

    def check(self, n: int, d: int) -> None:
        whole("k", self.k, 1, n, f"the matrix has {n:,} rows")
        whole("j", self.j, 1, *rank_bound(n, d))

    def check_stored(self, arrays: dict[str, np.ndarray], n: int, d: int) -> None:
        super().check_stored(arrays, n, d)
        if self.labels(arrays, np.arange(n)).max() >= self.k:
            raise ValueError(f"a label is beyond the {self.k} subspaces")

    @classmethod
    def precisions(cls, n: int, d: int) -> dict[str, Sequence[int]]:
        return {"factor_bits": factors.BITS}

    @classmethod
    def choices(cls, n: int, d: int) -> dict[str, Sequence[Any]]:
        return {**cls.precisions(n, d), "k": [k for k in GROUPS if k <= n]}

    @property
    def draft(self) -> Self:
        return replace(self, restarts=2 if self.k <= FEW else 1, steps=1)

    @property
    def draft_words(self) -> str:
        return "from a sample of the rows" if self.k > 1 else super().draft_words

    @property
    def fit_words(self) -> str:
        return f": the best of {self.restarts} restarts, carried on over all rows." if self.k > 1 else super().fit_words

    @classmethod
    def examples(cls) -> list[Self]:
        return [
            *(cls(k=3, j=3, restarts=2, factor_bits=bits) for bits in factors.BITS),
            *(cls(k=4, j=3, affine=True, restarts=2, factor_bits=bits) for bits in factors.BITS),
            cls(k=1, j=3, factor_bits=4),
            cls(k=1, j=2, affine=True),
            cls(k=2, j=11, restarts=1),
            cls(k=2, j=2, p=1.0, restarts=1, factor_bits=8),
            cls(k=2, j=2, loss="tukey", restarts=1),
            cls(k=1, j=2, loss="huber", scale=0.5),
            cls(k=9, j=1, restarts=1, steps=1, seed=5),
        ]


def by_group(coefficients: Any, bases: Any, labels: Any) -> Any:
    """Each row's coefficients (r, j) times the basis of its group, bases (k, j, d): (r, d).

    Equal to the paper's layer, k small layers in parallel joined by one of (k·j) × d whose input is zero outside the row's own
    part, without the products by zero. In a graph of torch, which branches on no data, it is that layer.
    """
    xp = array_namespace(coefficients)
    if in_graph(coefficients):
        own = labels[:, None] == xp.arange(bases.shape[0], device=device(labels))
        beside = own[:, :, None] * coefficients[:, None, :]  # (r, k, j)
        return xp.reshape(beside, (-1, bases.shape[0] * bases.shape[1])) @ xp.reshape(bases, (-1, bases.shape[2]))
    order = xp.argsort(labels, stable=True)
    ordered = coefficients[order]
    counts = xp.sum(labels[:, None] == xp.arange(bases.shape[0], device=device(labels)), axis=0)
    parts, start = [], 0
    for z, count in enumerate(counts.tolist()):
        if count:
            parts.append(ordered[start : start + count] @ bases[z])
        start += count
    if not parts:
        return coefficients @ bases[0]  # no rows
    return xp.concat(parts, axis=0)[xp.argsort(order)]


def in_graph(array: Any) -> bool:
    """Whether it is a tensor of a graph that torch is exporting or compiling, which no data may branch."""
    if isinstance(array, np.ndarray):
        return False
    import torch

    return torch.compiler.is_compiling()
