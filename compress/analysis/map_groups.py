"""Groups of points on a map: hills of their density, and where the rows of a category lie densest."""

import numpy as np

SIDE = 128  # cells across and down
CATEGORY = 3.0  # cells that the density of a category is smoothed over


def cells_of(positions: np.ndarray) -> np.ndarray:
    """(n,) the cell of each point (n, 2), from 0 to SIDE² - 1, in a square grid over them."""
    low = positions.min(axis=0)
    side = float(np.ptp(positions, axis=0).max()) or 1.0
    across = np.minimum(((positions - low) * (SIDE / side)).astype(np.int64), SIDE - 1)
    return across[:, 0] * SIDE + across[:, 1]


def hills(positions: np.ndarray, width: float, least: int) -> tuple[np.ndarray, np.ndarray]:
    """Hills of the points' density: the row at the top of each, (m,), of those with the most rows first, and of which hill each
    point is, (n,), -1 for one with fewer rows than `least`. width: cells that the density is smoothed over."""
    cells = cells_of(positions)
    density = smoothed(cells, width)
    top = summits(density)[cells]
    tops, labels, counts = np.unique(top, return_inverse=True, return_counts=True)
    order = [z for z in np.argsort(-counts, kind="stable") if counts[z] >= least]
    places = np.full(len(tops), -1)
    places[order] = np.arange(len(order))
    labels = places[labels]
    return np.array([nearest_to(positions, np.flatnonzero(labels == z), cells, density) for z in range(len(order))], int), labels


def nearest_to(positions: np.ndarray, rows: np.ndarray, cells: np.ndarray, density: np.ndarray) -> int:
    """Of these rows the one in the middle of those that lie where all are densest."""
    best = rows[density[cells[rows]] == density[cells[rows]].max()]
    middle = positions[best].mean(axis=0)
    return int(best[np.square(positions[best] - middle).sum(axis=1).argmin()])


def smoothed(cells: np.ndarray, width: float) -> np.ndarray:
    """(SIDE²,) how many points lie about each cell."""
    from scipy.ndimage import gaussian_filter

    counts = np.bincount(cells, minlength=SIDE * SIDE).reshape(SIDE, SIDE).astype(np.float64)
    return gaussian_filter(counts, width, mode="constant").ravel()


def summits(density: np.ndarray) -> np.ndarray:
    """(SIDE²,) the cell that one comes to from each, going always to the densest beside it."""
    rows, columns = np.divmod(np.arange(SIDE * SIDE), SIDE)
    up = np.arange(SIDE * SIDE)
    for down, across in [(a, b) for a in (-1, 0, 1) for b in (-1, 0, 1)]:
        beside = np.clip(rows + down, 0, SIDE - 1) * SIDE + np.clip(columns + across, 0, SIDE - 1)
        up = np.where(density[beside] > density[up], beside, up)
    while (further := up[up]).tobytes() != up.tobytes():
        up = further
    return up


def densest(positions: np.ndarray, codes: np.ndarray, n: int) -> np.ndarray:
    """(n, 2) a point of each category 0 to n - 1 where its own lie densest; NaN for one without. codes: (rows,), -1 for none."""
    cells = cells_of(positions)
    order = np.argsort(codes, kind="stable")
    ends = np.searchsorted(codes[order], np.arange(n + 1))
    found = np.full((n, 2), np.nan)
    for z in range(n):
        rows = order[ends[z] : ends[z + 1]]
        if len(rows):
            found[z] = positions[nearest_to(positions, rows, cells, smoothed(cells[rows], CATEGORY))]
    return found
