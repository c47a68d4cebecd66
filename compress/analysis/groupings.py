"""Rows split into groups, and what that says of one subspace a group at every dimension j at once.

The best subspace of given rows is spanned by the leading eigenvectors of their second moments, and loses the eigenvalues that are
left: so the groups that a fit at one j found tell the error at any other j with the same groups, before any fit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b

import numpy as np

from compress.form import metrics
from compress.linalg import blocks, eigen
from compress.matrix import EmbeddingMatrix
from compress.methods import ProjectiveClustering
from compress.solvers.flats import flats_of, in_two
from compress.threads import one_thread

FAR = 2.0  # times, from one k to the next that is known, up to which errors between them follow

Moments = tuple[np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True, eq=False)
class Grouping:
    """Rows in k groups, and what the best subspaces (or flats) of the groups lose at every j from 0.

    labels: (n,) of the rows. j: the dimension they were found for. lost: (k, d + 1) Σ‖aᵢ − bᵢ‖² over the rows of a group,
    as a share of Σ‖aᵢ‖² over all rows. weighted: the same with each row times its weight, above and below.
    """

    labels: np.ndarray
    j: int
    lost: np.ndarray
    weighted: np.ndarray

    @property
    def k(self) -> int:
        return len(self.lost)

    @cached_property
    def key(self) -> str:
        """Other rows in a group, another key."""
        return blake2b(self.labels.astype(np.uint32).tobytes(), digest_size=12).hexdigest()

    @cached_property
    def errors(self) -> np.ndarray:
        """(d + 1,) relative error at j = 0, 1, …, with exact factors."""
        return self.lost.sum(axis=0)

    @cached_property
    def weighted_errors(self) -> np.ndarray:
        """(d + 1,) weighted error."""
        return self.weighted.sum(axis=0)


def group_errors(matrix: EmbeddingMatrix, groups: Grouping) -> np.ndarray:
    """(k, d + 1) relative error of each group's rows at j = 0, 1, …, with exact factors."""
    whole = np.bincount(groups.labels, matrix.squared_norms, groups.k)
    return groups.lost * matrix.squared_norms.sum() / np.maximum(whole, 1e-300)[:, None]


def grouping(matrix: EmbeddingMatrix, method: ProjectiveClustering, labels: np.ndarray) -> Grouping:
    """What labels (n,) say of the errors of a method's form at every j. A loss that is no least squares weighs the rows as it does
    at the method's own j; the errors are of squares all the same. Rows that a form of affine flats keeps as 0 lose themselves."""
    k, own = method.k, matrix.weights if matrix.weighted else None
    with one_thread():
        plain = method.rho.plain
        used = own if plain else flats_of(matrix, labels, k, method.j, method.affine, method.rho)[1]
        moments = group_moments(matrix, labels, k, used)
        centres = moments[1] / np.maximum(moments[2], 1e-300)[:, None] * method.affine  # (k, d)
        axes, whole = None, moments  # of least squares linear subspaces lose their smallest eigenvalues
        if used is not None or method.affine:
            axes = np.array([eigen.eigenvectors(each) for each in about(moments, centres)])
        if used is not None:
            whole = group_moments(matrix, labels, k)
        lost = tails(about(whole, centres), axes)
        energy = max(matrix.squared_norms.sum(), 1e-300)
        gain, own_gain = np.zeros((2, *lost.shape))
        if method.affine and axes is not None:
            gain, own_gain = spared(matrix, labels, centres, axes, lost.sum(axis=0) / energy)
        lost = (lost - gain) / energy
        if own is None:
            return Grouping(labels, method.j, lost, lost)
        seen = moments if plain else group_moments(matrix, labels, k, own)
        weighted = (tails(about(seen, centres), axes) - own_gain) / max(matrix.weights @ matrix.squared_norms, 1e-300)
    return Grouping(labels, method.j, lost, weighted)


def spared(
    matrix: EmbeddingMatrix, labels: np.ndarray, centres: np.ndarray, axes: np.ndarray, errors: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(k, d + 1) how much less is lost at j = 0, 1, … as rows that lose far more than others, and more than all of themselves, are
    kept as 0; and the same with each row times its weight. centres: (k, d) of the flats. axes: (k, d, d) theirs, as columns.
    errors: (d + 1,) relative, with no row at 0."""
    bound = np.maximum(1, metrics.FAR * errors)
    gain, own = np.zeros((2, len(centres), len(errors)))
    for rows, block in blocks.walk(matrix.rows):
        norms, near = matrix.squared_norms[rows], centres[labels[rows]].astype(np.float32)
        closer = 2 * (block * near).sum(axis=1) < (near**2).sum(axis=1)  # to 0 than to the centre
        for z in np.unique(labels[rows][closer]):
            at = np.flatnonzero(closer & (labels[rows] == z))
            along = (block[at] - near[at]) @ axes[z].astype(np.float32)
            left = np.zeros((len(at), len(errors)))
            left[:, :-1] = (along.astype(np.float64) ** 2)[:, ::-1].cumsum(axis=1)[:, ::-1]
            less = np.where(left > bound * norms[at, None], left - norms[at, None], 0)
            gain[z] += less.sum(axis=0)
            own[z] += matrix.weights[rows][at] @ less
    return gain, own


def split(matrix: EmbeddingMatrix, method: ProjectiveClustering, groups: Grouping) -> Grouping:
    """Groups for a method of least squares out of those for fewer subspaces: again and again the one that loses most is parted in
    two, by itself."""
    labels, lost = groups.labels.astype(np.int64), [*groups.weighted[:, method.j]]
    weights = matrix.weights if matrix.weighted else np.ones(len(labels))
    energy = max(weights @ matrix.squared_norms, 1e-300)
    with one_thread():
        for new in range(groups.k, method.k):
            z = int(np.argmax(lost))
            members = np.flatnonzero(labels == z)
            second, costs = in_two(matrix, members, method.j, method.affine, method.seed)
            labels[members[second]] = new
            lost[z] = costs[~second].sum() / energy
            lost.append(costs[second].sum() / energy)
    largest_first = np.argsort(-np.bincount(labels, minlength=method.k), kind="stable")
    return grouping(matrix, method, np.argsort(largest_first)[labels])


def group_moments(matrix: EmbeddingMatrix, labels: np.ndarray, k: int, weights: np.ndarray | None = None) -> Moments:
    """See `blocks.group_moments`."""
    return blocks.group_moments(matrix.rows, labels, k, weights, matrix.device)


def about(moments: Moments, centres: np.ndarray) -> np.ndarray:
    """(k, d, d) second moments of each group's rows about a centre of its own (k, d)."""
    squares, sums, totals = moments
    if not centres.any():
        return squares
    crossed = sums[:, :, None] * centres[:, None]
    return squares - crossed - crossed.transpose(0, 2, 1) + totals[:, None, None] * centres[:, :, None] * centres[:, None]


def tails(moments: np.ndarray, axes: np.ndarray | None) -> np.ndarray:
    """(k, d + 1) what is left of second moments (k, d, d) without the first 0, 1, … of the axes (k, d, d), as columns; without
    their own leading eigenvectors for None."""
    if axes is None:
        along = np.array([eigen.eigenvalues(each) for each in moments])
    else:
        along = np.einsum("kdi,kdi->ki", axes, moments @ axes)
    left = np.maximum(along, 0)[:, ::-1].cumsum(axis=1)[:, ::-1]
    return np.concatenate([left, np.zeros((len(left), 1))], axis=1)


def rounding(errors: np.ndarray, told: float, j: int) -> float:
    """What the rounding of factors adds, as a share of the energy that they hold: from the error that a fit has at one j, and those
    with exact factors (d + 1,)."""
    return float((told - errors[j]) / max(1 - errors[j], 1e-12))


def rounded(errors: np.ndarray, share: float) -> np.ndarray:
    """Errors with exact factors, and what rounding adds; share: see `rounding`."""
    return np.maximum(errors + share * (1 - errors), 0)


def near(groupings: Sequence[Grouping], j: int, reach: float) -> list[Grouping]:
    """Those that were found for a j at most `reach` times another, or as many times less."""
    return [each for each in groupings if j <= reach * each.j and each.j <= reach * j]


def errors_of_j(groupings: Sequence[Grouping], reach: float = np.inf) -> tuple[np.ndarray, np.ndarray]:
    """(d + 1,) relative and weighted errors at j = 0, 1, …, each those of the groups that lose least there; NaN where none are
    `near`."""
    weighted = np.array([each.weighted_errors for each in groupings])
    js, own = np.arange(weighted.shape[1]), np.array([[each.j] for each in groupings])
    told = (js <= reach * own) & (own <= reach * np.maximum(js, 1))
    least = np.where(told, weighted, np.inf).argmin(axis=0), js
    relative = np.array([each.errors for each in groupings])
    return np.where(told.any(axis=0), relative[least], np.nan), np.where(told.any(axis=0), weighted[least], np.nan)


def errors_of_k(by_k: Mapping[int, Sequence[Grouping]], j: int, ks: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Relative and weighted errors at one j and each of some k, of the best known groups; between two k that are known and at most
    FAR times apart, on a straight line of the logarithms; NaN elsewhere, of which nothing is known."""
    found = {k: groups for k, each in sorted(by_k.items()) if (groups := best(each, j)) is not None}
    if not found:
        return np.full(len(ks), np.nan), np.full(len(ks), np.nan)
    places, asked = np.array([*found]), np.asarray(ks)
    right = np.searchsorted(places, asked).clip(max=len(places) - 1)
    left = np.where(places[right] > asked, np.maximum(right - 1, 0), right)
    told = (places[left] <= asked) & (asked <= places[right]) & (places[right] <= FAR * places[left])
    curves = [each.errors[j] for each in found.values()], [each.weighted_errors[j] for each in found.values()]
    relative, weighted = (
        np.where(told, np.exp(np.interp(np.log(asked), np.log(places), np.log(np.maximum(each, 1e-30)))), np.nan) for each in curves
    )
    return relative, weighted


def best(groupings: Sequence[Grouping], j: int) -> Grouping | None:
    """The one that loses least at a j; None for none."""
    return min(groupings, key=lambda each: each.weighted_errors[j], default=None)


def packed(groupings: Sequence[Grouping]) -> dict[str, np.ndarray]:
    """Groupings of one matrix, of at most 256 groups each, as arrays for a file."""
    found = {
        "k": np.array([each.k for each in groupings]),
        "j": np.array([each.j for each in groupings]),
        "labels": np.array([each.labels for each in groupings], np.uint8),
        "lost": np.concatenate([each.lost for each in groupings]).astype(np.float32),
    }
    if any(each.weighted is not each.lost for each in groupings):
        found["weighted"] = np.concatenate([each.weighted for each in groupings]).astype(np.float32)
    return found


def unpacked(arrays: dict[str, np.ndarray]) -> list[Grouping]:
    """The groupings of such arrays."""
    ends = np.cumsum(arrays["k"])[:-1]
    lost = np.split(arrays["lost"], ends)
    weighted = np.split(arrays["weighted"], ends) if "weighted" in arrays else lost
    return [Grouping(*each) for each in zip(arrays["labels"], map(int, arrays["j"]), lost, weighted, strict=True)]
