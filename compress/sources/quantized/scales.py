"""Scales of a table: one for all of it, one a row, one a group of columns, or one a block."""

from collections.abc import Callable

import numpy as np

USUAL = 128  # rows and columns of a block


def spread(scale: np.ndarray, n: int, d: int, block: tuple[int | None, int | None] = (None, None)) -> Callable | None:
    """What gives, for the rows from one number to another, their scales as they are multiplied with (rows, d). block: how many rows
    and columns have one scale, where that is told. None where scales of that shape are no table's of n rows by d columns."""
    if scale.size == 1:
        return lambda first, stop: scale.reshape(1, 1)
    if scale.ndim == 3 and 1 in scale.shape:
        scale = scale.squeeze(scale.shape.index(1))
    if scale.ndim == 1:
        scale = scale[:, None] if len(scale) == n else scale[None]
    if scale.ndim != 2:
        return None
    height, width = height_of(n, scale.shape[0], block[0]), height_of(d, scale.shape[1], block[1])
    if height is None or width is None:
        return None
    rows, columns = np.arange(n) // height, np.arange(d) // width

    def of(first: int, stop: int) -> np.ndarray:
        found = scale[rows[first:stop]]
        return found if scale.shape[1] == 1 else found[:, columns]

    return of


def height_of(size: int, count: int, told: int | None) -> int | None:
    """How many of `size` rows share a scale where there are so many scales; None where no number does."""
    for height in (told, USUAL, size // count if count and size % count == 0 else None):
        if height and -(-size // height) == count:
            return height
    return next((1 << power for power in range(31) if -(-size // (1 << power)) == count), None)
