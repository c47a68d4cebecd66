"""Projective clustering: k subspaces, each row in the one nearest to it."""

from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import ClassVar

import numpy as np
from array_api_compat import array_namespace, device

from compress.checks import one_of, real, whole
from compress.coding import factors, packing
from compress.form.compressed import Compressed
from compress.form.trainable import Trainable
from compress.linalg import blocks
from compress.methods.base import Method, rank_bound
from compress.solvers.flats import find_flats
from compress.solvers.losses import LARGEST_P, Loss
from compress.solvers.losses import NAMES as LOSSES
from compress.threads import one_thread

GROUPS = (2, 5, 10)  # numbers of subspaces that are worth a try


@dataclass(frozen=True)
class ProjectiveClustering(Method):
    """Rows split over k subspaces of dimension j so that Σ wᵢ ρ(dist(aᵢ, nearest subspace)) is small: MESSI (Maalouf, Lang, Rus and
    Feldman, ICLR 2021).

    k: number of subspaces. j: their dimension. affine: flats with a point of their own instead of linear subspaces (+ k·d numbers,
    in float32).
    loss: ρ, one of lp (dist^p), huber, cauchy, geman_mcclure, welsch, tukey (see losses.py). p: exponent of lp, 1 to 32; 2 is least
    squares. scale: the distance from which the other losses hold a row for far; None to estimate it from the rows.
    restarts: starts tried on a sample. steps: passes over all rows at most; 1 gives a preview. factor_bits: stored precision of the
    factors, 32, 16, 8 or 4. The search is ours (see flats.py); numbers stored: n·j + k·j·d, and a label of ⌈log₂ k⌉ bits a row,
    which the paper leaves out of its count.
    """

    k: int = 5
    j: int = 60
    affine: bool = False
    loss: str = "lp"
    p: float = 2.0
    scale: float | None = None
    restarts: int = 8
    steps: int = 12
    factor_bits: int = 16
    seed: int = 0

    name: ClassVar[str] = "projective"
    label: ClassVar[str] = "k subspaces"
    knob: ClassVar[str] = "j"
    spanning: ClassVar[tuple[str, ...]] = ("bases", "offsets")

    def __post_init__(self):
        whole("k", self.k, 1, 65536)
        whole("j", self.j, 1)
        one_of("affine", self.affine, (False, True))
        one_of("loss", self.loss, LOSSES)
        real("p", self.p, 1, LARGEST_P)
        if self.scale is not None:
            real("scale", self.scale, 1e-15, 1e20)
        whole("restarts", self.restarts, 1, 1000)
        whole("steps", self.steps, 1, 1000)
        one_of("factor_bits", self.factor_bits, factors.BITS)
        whole("seed", self.seed, 0, 2**32 - 1)

    @classmethod
    def precisions(cls, n, d):
        return {"factor_bits": factors.BITS}

    @classmethod
    def choices(cls, n, d):
        return {**cls.precisions(n, d), "k": [k for k in GROUPS if k <= n]}

    def check(self, n, d):
        whole("k", self.k, 1, n, f"the matrix has {n:,} rows")
        whole("j", self.j, 1, *rank_bound(n, d))

    def fit(self, matrix, progress=None):
        n, d = matrix.shape
        self.check(n, d)
        with one_thread() if self == self.draft else nullcontext():
            flats, labels, weights = find_flats(
                matrix, self.k, self.j, self.affine, self.restarts, self.steps, self.seed, self.rho, progress
            )
        coefficients = blocks.group_projections(matrix.values, flats.bases, labels, matrix.device)
        bases = flats.bases.transpose(0, 2, 1)  # (k, j, d)
        refit = partial(factors.least_squares, weights=weights)
        arrays = factors.store(matrix, coefficients, bases, self.factor_bits, labels, flats.offsets, refit)
        if self.k > 1:
            arrays["labels"] = packing.pack_stream(labels, packing.width(self.k))
        if self.affine:
            arrays["offsets"] = flats.offsets
        return Compressed(self, arrays, matrix.shape, matrix.digest)

    @property
    def rho(self) -> Loss:
        """The loss of a row's distance."""
        return Loss(self.loss, self.p, self.scale) if self.loss != "lp" else Loss("lp", self.p)

    @property
    def draft(self):
        return replace(self, restarts=1, steps=1)

    def decode(self, arrays, rows, d):
        coefficients = factors.read_coefficients(arrays, rows, self.j)
        bases = factors.read_bases(arrays)
        if self.k == 1:
            decoded = coefficients @ bases[0]
            labels = 0 * rows
        else:
            labels = self.labels(arrays, rows)
            decoded = by_group(coefficients, bases, labels)
        if self.affine:
            decoded = decoded + arrays["offsets"][labels]
        return decoded

    def labels(self, arrays, rows):
        """The subspace of each of those rows, int64."""
        return packing.read_stream(arrays["labels"], packing.width(self.k), rows) if self.k > 1 else 0 * rows

    def trainable(self, arrays, n, d):
        parameters = factors.trainable(arrays, self.j) | ({"offsets": arrays["offsets"]} if self.affine else {})
        return Trainable(parameters, {"labels": arrays["labels"]} if self.k > 1 else {})

    def stored(self, arrays, parameters):
        return arrays | factors.stored(parameters, self.factor_bits) | ({"offsets": parameters["offsets"]} if self.affine else {})

    def layout(self, n, d):
        layout = factors.layout(n, d, self.k, self.j, self.factor_bits)
        if self.k > 1:
            layout["labels"] = ((n * packing.width(self.k) + 7) // 8,), np.uint8
        if self.affine:
            layout["offsets"] = (self.k, d), np.float32
        return layout

    def check_stored(self, arrays, n, d):
        super().check_stored(arrays, n, d)
        if self.labels(arrays, np.arange(n)).max() >= self.k:
            raise ValueError(f"a label is beyond the {self.k} subspaces")

    def parameter_count(self, n, d):
        return n * self.j + self.k * self.j * d + (self.k * d if self.affine else 0)


def by_group(coefficients, bases, labels):
    """Each row's coefficients (r, j) times the basis of its group, bases (k, j, d): (r, d).

    Equal to the paper's layer, k small layers in parallel joined by one of (k·j) × d whose input is zero outside the row's own
    part, without the products by zero.
    """
    xp = array_namespace(coefficients)
    order = xp.argsort(labels, stable=True)
    ordered, counts = (
        coefficients[order],
        xp.sum(labels[:, None] == xp.arange(bases.shape[0], device=device(labels)), axis=0),
    )
    parts, start = [], 0
    for z, count in enumerate(counts.tolist()):
        if count:
            parts.append(ordered[start : start + count] @ bases[z])
        start += count
    if not parts:
        return coefficients @ bases[0]  # no rows
    return xp.concat(parts, axis=0)[xp.argsort(order)]
