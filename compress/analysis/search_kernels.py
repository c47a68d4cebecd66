"""What search does with every score, compiled."""

from typing import Any

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def keep_best(scores: Any, half: Any, first: Any, own: Any, best: Any, ids: Any) -> None:
    """Puts rows into the best (q, c) and their ids, which are in order, where they belong; of equal ones the first stays first."""
    last = best.shape[1] - 1
    for i in range(scores.shape[0]):
        for j in range(scores.shape[1]):
            score = scores[i, j] - half[j]
            if score > best[i, last] and first + j != own[i]:
                at = last
                while at > 0 and best[i, at - 1] < score:
                    best[i, at], ids[i, at] = best[i, at - 1], ids[i, at - 1]
                    at -= 1
                best[i, at], ids[i, at] = score, first + j


@njit(nogil=True, cache=True)
def count_beyond(scores: Any, half: Any, first: Any, own: Any, edges: Any, counts: Any) -> None:
    """Adds to counts (q, e + 1) how many scores are at or above exactly so many of the edges (q, e), which ascend."""
    for i in range(scores.shape[0]):
        least = edges[i, 0]
        for j in range(scores.shape[1]):
            score = scores[i, j] - half[j]
            if score >= least and first + j != own[i]:
                counts[i, np.searchsorted(edges[i], score, side="right")] += 1
