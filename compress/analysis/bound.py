"""What no coder of Gaussian rows can beat: the ideal error at every size, by reverse water-filling."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from compress.coding.classes import Classes, find_classes
from compress.linalg import blocks, eigen
from compress.matrix import EmbeddingMatrix

CLASSES = 8
BANDS = 64  # of row weights: rows of a band share the mean weight of their band
TABLE_BITS = 16  # of a class's mean and variance in every direction
AIMED_AT = 10.0  # the ratio whose ideal noise tells which differences between rows are worth a class
SAMPLE = 8192  # rows that classes are found in
NOTHING = 1e-14


@dataclass(frozen=True, eq=False)
class Bound:
    """The ideal error against size, from reverse water-filling (Cover and Thomas, *Elements of Information Theory*, ch. 10).

    A Gaussian source whose components have the variances vₗ, weighed by w, cannot be coded with less than Σ min(θ, w vₗ) at
    Σ ½ log₂⁺(w vₗ / θ) bits; any source with these second moments can be coded at least that well, by a long enough code.
    It is no lower limit for one given matrix: a method that uses more than second moments, k subspaces or classes of rows, can
    go below it. Bases, tables and the weights are taken as known, so that matrices of few rows stay further above it.

    powers: (m,) the values w v, descending and above 0. counts: (m,) rows that share each. whole: Σ wᵢ‖aᵢ‖². spent: bits that go
    before the first, such as labels. n_bytes: of the matrix in float32.
    """

    powers: np.ndarray
    counts: np.ndarray
    whole: float
    spent: float
    n_bytes: int

    def error(self, ratio: ArrayLike) -> np.ndarray:
        """Relative error at these ratios, weighted where the matrix is; 1 where the bits do not even pay for the labels."""
        bits, last = self.place(ratio)
        filled, _, tail, _ = self.filling
        return np.where(bits < 0, 1.0, np.minimum((self.level(ratio) * filled[last] + tail[last]) / self.whole, 1.0))

    def level(self, ratio: ArrayLike) -> np.ndarray:
        """θ, the error that is left in every component that gets bits."""
        bits, last = self.place(ratio)
        filled, logs, _, _ = self.filling
        return np.exp2((logs[last] - 2 * np.maximum(bits, 0)) / filled[last])

    def place(self, ratio: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """The bits at these ratios, and the last component that gets some of them."""
        with np.errstate(divide="ignore"):
            bits = 8 * self.n_bytes / np.asarray(ratio, np.float64) - self.spent
        return bits, np.maximum(np.searchsorted(self.filling[3], bits, "right") - 1, 0)

    def ratio(self, error: float) -> float:
        """The largest ratio whose ideal error is at most this; infinite for 1 and more, 0 for 0 and less."""
        if error >= 1 or error <= 0:
            return np.inf if error >= 1 else 0.0
        filled, logs, tail, _ = self.filling
        last = max(int(np.searchsorted(-(self.powers * filled + tail), -error * self.whole, "right")) - 1, 0)
        level = (error * self.whole - tail[last]) / filled[last]
        bits = max(logs[last] - filled[last] * np.log2(level), 0.0) / 2 + self.spent
        return float(8 * self.n_bytes / bits) if bits > 0 else np.inf

    @cached_property
    def filling(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Where the first m components get bits: how many these are, the sum of their log₂ powers, the power of the others, and the
        bits at which the last of them begins to get some."""
        filled, logs = np.cumsum(self.counts), np.cumsum(self.counts * np.log2(self.powers))
        power = self.counts * self.powers
        tail = np.append(np.cumsum(power[::-1])[::-1][1:], 0.0)
        return filled, logs, tail, np.maximum(logs - filled * np.log2(self.powers), 0.0) / 2


def gaussian_bound(matrix: EmbeddingMatrix) -> Bound:
    """The ideal coder of rows that all have the second moments of the matrix.

    With row weights these are the weighted moments Σ wᵢ aᵢ aᵢᵀ / n, so that no bits give an error of 1, and the source is one whose
    rows have them whatever their weight: row i is filled to the level θ / wᵢ, which minimises Σ wᵢ Dᵢ at Σ Rᵢ bits. More than
    BANDS different weights are taken in bands of as many rows each.
    """
    variances = np.maximum(eigen.eigenvalues(matrix.gram), 0) / matrix.shape[0]
    weights, counts = weight_bands(matrix.weights)
    return filled_bound(matrix, weights[:, None] * variances, np.broadcast_to(counts[:, None], (len(counts), len(variances))), 0.0)


def class_bound(matrix: EmbeddingMatrix, labels: ArrayLike | None = None, classes: int = CLASSES) -> Bound:
    """The ideal coder of rows that belong to classes, each with a mean and variances of its own in one basis for all, the principal
    axes; these are moments too, but of each class. labels: (n,) of every row; found here, for so many classes, where not given.

    Counted besides: the labels at their entropy, and for every class after the first a mean and a variance in each direction.
    """
    n, d = matrix.shape
    coordinates = blocks.project(matrix.rows, matrix.axes, matrix.device)
    labels = np.asarray(found_labels(matrix, coordinates, classes) if labels is None else labels)
    if labels.shape != (n,):
        raise ValueError(f"labels must be one for each of the {n:,} rows, got an array of shape {labels.shape}")
    present, labels = np.unique(labels, return_inverse=True)
    variances = Classes.of(coordinates, labels, matrix.weights, len(present)).variances
    powers, counts = [], []
    members = [np.flatnonzero(labels == z) for z in range(len(present))]
    for z, rows in enumerate(members):
        weights, count = weight_bands(matrix.weights[rows])
        powers.append((weights[:, None] * variances[z]).ravel())
        counts.append(np.repeat(count, d))
    shares = np.array([len(rows) for rows in members]) / n
    spent = -n * float(shares @ np.log2(shares)) + (len(members) - 1) * 2 * d * TABLE_BITS
    return filled_bound(matrix, np.concatenate(powers), np.concatenate(counts), spent)


def filled_bound(matrix: EmbeddingMatrix, powers: np.ndarray, counts: np.ndarray, spent: float) -> Bound:
    """The bound of components with these powers, of which what rounding cannot tell from nothing is left out."""
    whole = float(matrix.weights @ matrix.squared_norms)
    powers, counts = np.maximum(powers.ravel(), NOTHING * whole / counts.sum()), counts.ravel()
    order = np.argsort(-powers, kind="stable")
    order = order[powers[order] >= NOTHING * powers[order[0]]]
    return Bound(powers[order], counts[order].astype(np.float64), whole, max(spent, 0.0), matrix.n_bytes)


def weight_bands(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mean weight of every band, and its rows."""
    values, counts = np.unique(weights, return_counts=True)
    if len(values) <= BANDS:
        return values, counts
    parts = np.array_split(np.sort(weights), BANDS)
    return np.array([part.mean() for part in parts]), np.array([len(part) for part in parts])


def found_labels(matrix: EmbeddingMatrix, coordinates: np.ndarray, classes: int) -> np.ndarray:
    """(n,) the class of every row, from its coordinates (n, d), at the level that is ideal at ratio AIMED_AT."""
    sample = np.unique(np.linspace(0, len(coordinates) - 1, SAMPLE).astype(int))
    level = float(gaussian_bound(matrix).level(AIMED_AT))
    found = find_classes(coordinates[sample], matrix.weights[sample], classes, level)
    return np.concatenate([found.assign(block, matrix.weights[rows], level) for rows, block in blocks.walk(coordinates)])
