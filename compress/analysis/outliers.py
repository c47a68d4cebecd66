"""Rows planted far away, to see which fit they pull."""

import numpy as np

from compress.errors import InputError
from compress.matrix import EmbeddingMatrix

LARGEST_DISTANCE = 1e6


def plant(matrix: EmbeddingMatrix, count: int, distance: float, seed: int = 0) -> tuple[EmbeddingMatrix, np.ndarray]:
    """The matrix with `count` of its rows, chosen at random, replaced by random directions `distance` times as long as its median
    row that is not zero, and the numbers of those rows, in order. Tokens and weights stay; the matrix itself is not changed.

    For one seed a larger count plants the same rows and more, and a distance only scales them. Raises InputError for a count that
    leaves no row, and a distance that is not above 0.
    """
    rows, values = planted_rows(matrix, count, distance, seed)
    if not count:
        return matrix, rows
    return matrix.with_rows(rows, values, f"{matrix.name} with {count:,} planted row{'s' if count > 1 else ''}"), np.sort(rows)


def planted_rows(matrix: EmbeddingMatrix, count: int, distance: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """The numbers (count,) of the rows that are planted, and their values (count, d)."""
    n, d = matrix.shape
    if isinstance(count, bool) or not isinstance(count, int | np.integer) or not 0 <= count < n:
        raise InputError(f"count must be a whole number between 0 and {n - 1} (the matrix has {n:,} rows), got {count!r}.")
    if isinstance(distance, bool) or not isinstance(distance, int | float) or not 0 < distance <= LARGEST_DISTANCE:
        raise InputError(f"distance must be a number above 0 and at most {LARGEST_DISTANCE:,.0f}, got {distance!r}.")
    places, numbers = (np.random.default_rng(each) for each in np.random.SeedSequence(seed).spawn(2))
    rows = places.permutation(n)[:count]
    directions = numbers.standard_normal((count, d))
    lengths = np.sqrt(matrix.squared_norms)
    reach = distance * np.median(lengths[lengths > 0])
    return rows, directions * (reach / np.linalg.norm(directions, axis=1, keepdims=True))
