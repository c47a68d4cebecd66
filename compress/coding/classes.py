"""Classes of rows that share one basis and have their own means and variances there."""

from dataclasses import dataclass, replace

import numpy as np

from compress.linalg.blocks import NEAR, near_zero
from compress.threads import one_thread

STEPS, SETTLED = 40, 0.002  # of the search, and the share of rows that move in its last


@dataclass(frozen=True, eq=False)
class Classes:
    """Statistics of c classes of rows in m directions, weighted rows counted by their weights.

    means, variances: (c, m). shares: (c,) of the rows. weights: (c,) mean weight of a class's rows.
    """

    means: np.ndarray
    variances: np.ndarray
    shares: np.ndarray
    weights: np.ndarray

    @staticmethod
    def of(coefficients: np.ndarray, labels: np.ndarray, weights: np.ndarray, count: int) -> "Classes":
        """The classes of rows (n, m) with labels (n,) below `count`; a class without rows has none of the statistics, and the mean
        of one near 0 is 0."""
        means, variances = np.zeros((2, count, coefficients.shape[1]))
        rows, totals = np.bincount(labels, minlength=count), np.bincount(labels, weights, count)
        for z in np.flatnonzero(totals):
            members = labels == z
            own, shares = coefficients[members], (weights[members] / totals[z]).astype(np.float32)
            means[z] = shares @ own
            own -= means[z].astype(np.float32)
            own *= own
            variances[z] = shares @ own
        energy = (variances + means**2).sum(axis=1)
        near = energy < NEAR * (rows @ energy) / len(labels)
        variances[near] += means[near] ** 2
        means[near] = 0
        return Classes(means, variances, rows / len(labels), totals / np.maximum(rows, 1))

    def along(self, directions: np.ndarray) -> "Classes":
        """The classes in some of the directions."""
        return replace(self, means=self.means[:, directions], variances=self.variances[:, directions])

    def rates(self, level: float) -> np.ndarray:
        """(c, m) bits of each number by reverse water-filling: ½ log₂⁺(w σ² / θ) at the level θ of weighted error."""
        return 0.5 * np.log2(np.maximum(self.weights[:, None] * self.variances / level, 1))

    def error(self, level: float) -> float:
        """The weighted error of a row in the mean that an ideal coder leaves at that level."""
        return float(self.shares @ np.minimum(self.weights[:, None] * self.variances, level).sum(axis=1))

    def assign(self, coefficients: np.ndarray, weights: np.ndarray, level: float) -> np.ndarray:
        """(n,) the class in which each row costs the least, bits and error at the exchange rate of the level together."""
        floor = level / np.maximum(self.weights, 1e-30)[:, None]
        inverse = 1 / np.maximum(self.variances, floor)
        away = coefficients**2 @ inverse.T.astype(np.float32) - 2 * coefficients @ (self.means * inverse).T.astype(np.float32)
        away = (away + (self.means**2 * inverse).sum(axis=1)) * floor[:, 0]  # error, numbers that are coded by θ each
        bits = self.rates(level).sum(axis=1)
        bits[self.shares == 0] = np.inf
        return (bits + weights[:, None] * away / (2 * np.log(2) * level)).argmin(axis=1)


def find_classes(coefficients: np.ndarray, weights: np.ndarray, count: int, level: float) -> Classes:
    """Classes of rows (n, m): first rows near 0, which need no bits, and the others by like weighted length, then step by step by
    what a row costs at a level, see Classes.assign."""
    count = min(count, len(coefficients))
    energy = np.einsum("im,im->i", coefficients, coefficients)
    near = near_zero(energy)
    first = int(count > 1 and near.any())
    order = np.argsort(np.where(near & (first > 0), -1, weights * energy), kind="stable")
    labels, rest = np.zeros(len(order), np.int64), order[first * np.count_nonzero(near) :]
    labels[rest] = first + np.arange(len(rest)) * (count - first) // len(rest)
    with one_thread():  # the search goes other ways where sums are rounded otherwise
        for _ in range(STEPS if count > 1 else 0):
            classes = Classes.of(coefficients, labels, weights, count)
            before, labels = labels, classes.assign(coefficients, weights, level)
            if (labels != before).mean() < SETTLED:
                break
    return Classes.of(coefficients, labels, weights, count)
