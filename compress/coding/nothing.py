"""Which rows are 0, whatever they are coded as: those that their code is farther from than 0 is. A byte for each such row."""

from typing import Any

import numpy as np
from array_api_compat import array_namespace, device

from compress.coding.layout import Layout

GAP = 255  # so many rows further, and not that row


def gaps(rows: np.ndarray) -> np.ndarray:
    """(g,) uint8 that tell rows (z,), in order: how many rows each is further than the one before."""
    further = np.diff(rows, prepend=0)
    found = np.full(len(rows) + int((further // GAP).sum()), GAP, np.uint8)
    found[np.cumsum(further // GAP + 1) - 1] = further % GAP
    return found


def within(rows: np.ndarray, norms: np.ndarray, room: int) -> np.ndarray:
    """Of rows (z,) the shortest, as many as so many bytes tell, in order. norms: (n,) of all rows."""
    order, chosen = rows[np.argsort(norms[rows], kind="stable")], rows
    while (over := len(gaps(chosen)) - max(room, 0)) > 0:
        chosen = np.sort(order[: max(len(chosen) - max(over // 2, 1), 0)])
    return chosen


def stored(rows: np.ndarray) -> dict[str, np.ndarray]:
    """The array that keeps such rows; none where there are none."""
    return {"nothing": gaps(rows)} if len(rows) else {}


def layout(arrays: dict[str, np.ndarray], n: int) -> Layout:
    """Of what `stored` gives for n rows. Raises ValueError where it cannot be."""
    if "nothing" not in arrays:
        return {}
    found = np.asarray(arrays["nothing"])
    if found.ndim != 1 or not len(found) or found.sum(dtype=np.int64) >= n:
        raise ValueError("array 'nothing' has rows that are not there")
    return {"nothing": (found.shape, np.uint8)}


def opened(arrays: dict[str, Any], n: int) -> dict[str, Any]:
    """What `decode` multiplies n rows by, (n, 1) float32; nothing where all are as they are coded."""
    if "nothing" not in arrays:
        return {}
    xp, found = array_namespace(arrays["nothing"]), arrays["nothing"]
    rows = xp.cumulative_sum(xp.astype(found, xp.int64))[found < GAP]
    there = xp.ones((n, 1), dtype=xp.float32, device=device(found))
    there[rows] = 0.0
    return {"there": there}
