"""How well groups of rows agree with the categories of a column, beside what k-means and chance give.

The adjusted Rand index is the share of pairs of rows on which both agree, 0 in the mean for labels by chance and 1 where they are
the same (Hubert and Arabie 1985). Normalized mutual information is I(labels; categories) over the mean of their entropies; chance
gives more than 0 there, the more the more categories there are, so labels are shuffled to see how much.
"""

from dataclasses import dataclass

import numpy as np

from compress.errors import InputError
from compress.linalg import blocks
from compress.matrix import EmbeddingMatrix

SHUFFLES = 10  # of the labels, for chance
SHOWN = 11  # categories that are counted by themselves, the commonest
TRAINED, STARTS, PASSES = 16_384, 5, 20  # of k-means: rows that means are sought among, starts, and passes of each
MOST = 10_000  # categories


@dataclass(frozen=True)
class Agreement:
    """The adjusted Rand index and the normalized mutual information, and how far those of chance are spread."""

    rand: float
    information: float
    rand_spread: float = 0.0
    information_spread: float = 0.0


def agreement(labels: np.ndarray, codes: np.ndarray) -> Agreement:
    """Of labels (n,) with codes (n,) of categories, over the rows that have one. Raises InputError, see `compared`."""
    return indices(*compared(labels, codes))


def by_chance(labels: np.ndarray, codes: np.ndarray, seed: int = 0) -> Agreement:
    """The same of the labels shuffled, in the mean, with the standard deviations. Raises InputError, see `compared`."""
    (labels, codes), rng = compared(labels, codes), np.random.default_rng(seed)
    found = [indices(rng.permutation(labels), codes) for _ in range(SHUFFLES)]
    each = np.array([(one.rand, one.information) for one in found])
    return Agreement(*map(float, each.mean(axis=0)), *map(float, each.std(axis=0, ddof=1)))


def indices(labels: np.ndarray, codes: np.ndarray) -> Agreement:
    """Both of labels with codes, all rows counted."""
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

    return Agreement(float(adjusted_rand_score(codes, labels)), float(normalized_mutual_info_score(codes, labels)))


def compared(labels: np.ndarray, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Labels and codes of the rows with a category, code -1 being none. Raises InputError where no index says anything: fewer than
    2 categories or more than MOST."""
    if len(labels) != len(codes):
        raise ValueError(f"labels and codes must be of the same rows, got {len(labels)} and {len(codes)}")
    there = codes >= 0
    count = len(np.unique(codes[there]))
    if count == 0:
        raise InputError("No row has a category, so there is nothing to agree with; take another column.")
    if count == 1:
        raise InputError("Every row has the same category, so there is nothing to agree with; take another column.")
    if count > MOST:
        raise InputError(f"There are {count:,} categories, more than {MOST:,}: they name rows, they do not group them.")
    return labels[there], codes[there]


def counted(labels: np.ndarray, codes: np.ndarray, k: int, shown: int = SHOWN) -> tuple[np.ndarray, np.ndarray, int]:
    """How many rows of each category have each of k labels: the `shown` commonest categories by their codes (c,), the counts
    (c or c + 1, k), the last row being all others where there are any, and how many rows have no category."""
    there = codes >= 0
    sizes = np.bincount(codes[there])
    common = np.argsort(-sizes, kind="stable")[: min(shown, np.count_nonzero(sizes))]
    place = np.full(len(sizes) + 1, len(common))
    place[common] = np.arange(len(common))
    counts = np.bincount(place[codes[there]] * k + labels[there], minlength=(len(common) + 1) * k).reshape(-1, k)
    return common, counts if counts[-1].any() else counts[:-1], int(np.count_nonzero(~there))


def means_labels(matrix: EmbeddingMatrix, k: int, unit: bool, seed: int = 0) -> np.ndarray:
    """Labels (n,) of k-means (faiss), the best of a few starts, on the rows as they are or at length 1."""
    import faiss

    n, d = matrix.shape
    k, rng = min(k, n), np.random.default_rng(seed)
    matrix = matrix.even
    some = matrix.rows[blocks.sample_rows(n, TRAINED, rng)]
    setting = {"niter": PASSES, "nredo": STARTS, "seed": seed, "min_points_per_centroid": 1, "max_points_per_centroid": TRAINED}
    means = faiss.Kmeans(d, k, **setting)
    means.train(blocks.unit_rows(some) if unit else some)
    labels = np.empty(n, np.int64)
    for rows, block in blocks.walk(matrix.rows):
        labels[rows] = means.assign(blocks.unit_rows(block) if unit else block)[1]
    return labels
