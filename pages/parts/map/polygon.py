"""Which points lie inside a polygon."""

import numpy as np


def points_in_polygon(points: np.ndarray, polygon: np.ndarray) -> np.ndarray:
    """Whether each of `points` (n, 2) lies inside the closed `polygon` (m, 2), by the even–odd rule, as booleans (n,).

    A horizontal ray from the point crosses an odd number of edges where the point is inside; each edge owns its lower end and
    not its upper one, so that a shared corner counts once. Points are sorted by y and each edge visits only those at its height.
    Fewer than three corners hold nothing.
    """
    points, polygon = np.asarray(points, dtype=np.float64), np.asarray(polygon, dtype=np.float64)
    inside = np.zeros(len(points), dtype=bool)
    if len(polygon) < 3:
        return inside
    order = np.argsort(points[:, 1], kind="stable")
    x, y = points[order].T
    odd = np.zeros(len(points), dtype=bool)
    for (x0, y0), (x1, y1) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        if y0 > y1:
            x0, y0, x1, y1 = x1, y1, x0, y0
        at = slice(*np.searchsorted(y, (y0, y1)))
        if at.start < at.stop:
            odd[at] ^= x[at] < x0 + (y[at] - y0) * ((x1 - x0) / (y1 - y0))
    inside[order] = odd
    return inside
