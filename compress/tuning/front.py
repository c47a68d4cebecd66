"""Which points are worth taking: those that no other beats in both size and error."""

import numpy as np
from numpy.typing import ArrayLike


def front(n_bytes: ArrayLike, errors: ArrayLike) -> np.ndarray:
    """The rows of the points that no other point beats: none is as small with less error, none smaller with as little (the Pareto
    front). Ascending in bytes, so descending in error; the first of equal points stands for all; an error that is NaN never counts.
    """
    n_bytes, errors = np.asarray(n_bytes, np.float64), np.asarray(errors, np.float64)
    if n_bytes.ndim != 1 or n_bytes.shape != errors.shape:
        raise ValueError(f"sizes and errors must be two lists of one length, got {n_bytes.shape} and {errors.shape}")
    order = np.lexsort([errors, n_bytes])  # by bytes, then by error; NaN last
    order = order[~np.isnan(errors[order])]
    least = np.minimum.accumulate(np.concatenate([[np.inf], errors[order]]))
    return order[errors[order] < least[:-1]]


def best_within(n_bytes: ArrayLike, errors: ArrayLike, budgets: ArrayLike) -> np.ndarray:
    """(m,) for each of m budgets in bytes the row of the point with the least error that is no larger, the smallest of equal ones;
    -1 where every point is larger."""
    rows = front(n_bytes, errors)
    sizes = np.asarray(n_bytes, np.float64)[rows]
    budgets = np.asarray(budgets, np.float64) * (1 + 1e-9)  # a budget taken from a ratio still holds the size of that ratio
    return np.concatenate([[-1], rows])[np.searchsorted(sizes, budgets, side="right")]
