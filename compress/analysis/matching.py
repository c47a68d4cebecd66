"""Groups of one clustering named like those of another that hold the same rows, so that their colours stay."""

import numpy as np


def matched(before: np.ndarray, labels: np.ndarray, k: int) -> np.ndarray:
    """`labels` (n,), whole numbers below k, renamed so that as many rows as can be keep the number they have in `before` (n,): (n,)
    of the same type. The new numbers are those from 0 to k - 1; the pairing is the best there is (Kuhn 1955)."""
    from scipy.optimize import linear_sum_assignment

    if len(before) != len(labels):
        raise ValueError(f"both clusterings must be of the same rows, got {len(before)} and {len(labels)}")
    if len(labels) and not 0 <= labels.min() <= labels.max() < k:
        raise ValueError(f"labels must be between 0 and k - 1 = {k - 1}, got {labels.min()} to {labels.max()}")
    wide = max(k, int(before.max(initial=0)) + 1)
    both = np.bincount(labels.astype(np.int64) * wide + before, minlength=k * wide).reshape(k, wide)
    _, names = linear_sum_assignment(both[:, :k], maximize=True)
    return names.astype(labels.dtype)[labels]
