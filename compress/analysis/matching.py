"""Groups of one clustering named like those of another that hold the same rows, so that their colours stay."""

from collections.abc import Mapping

import numpy as np


def matched(before: np.ndarray, labels: np.ndarray, k: int) -> np.ndarray:
    """`labels` (n,), whole numbers below k, renamed so that as many rows as can be keep the number they have in `before` (n,): (n,)
    of the same type."""
    return names_kept(before, labels, k).astype(labels.dtype)[labels]


def names_kept(before: np.ndarray, labels: np.ndarray, k: int) -> np.ndarray:
    """What each of k labels must be renamed to, all from 0 to k - 1, so that as many rows as can be keep the number they have in
    `before` (n,): (k,), the best pairing there is (Kuhn 1955). labels: (n,), whole numbers below k."""
    from scipy.optimize import linear_sum_assignment

    if len(before) != len(labels):
        raise ValueError(f"both clusterings must be of the same rows, got {len(before)} and {len(labels)}")
    if len(labels) and not 0 <= labels.min() <= labels.max() < k:
        raise ValueError(f"labels must be between 0 and k - 1 = {k - 1}, got {labels.min()} to {labels.max()}")
    wide = max(k, int(before.max(initial=0)) + 1)
    both = np.bincount(labels.astype(np.int64) * wide + before, minlength=k * wide).reshape(k, wide)
    _, names = linear_sum_assignment(both[:, :k], maximize=True)
    return names


def chained(by_k: Mapping[int, np.ndarray]) -> np.ndarray:
    """Labels (n,) of clusterings by k, in the order of k, each renamed after the one before: (len(by_k), n) uint8."""
    found: list[np.ndarray] = []
    for k in sorted(by_k):
        labels = by_k[k].astype(np.uint8)
        found.append(matched(found[-1], labels, k) if found else labels)
    return np.stack(found)
