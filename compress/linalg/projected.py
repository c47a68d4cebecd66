"""Coordinates of rows in a few directions, as an array or, of rows that stay in their file, made when they are asked for."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from compress.linalg import blocks
from compress.linalg.lazy import LazyRows, Table


@dataclass(frozen=True, eq=False)
class Projected(LazyRows):
    """Vᵀaᵢ of rows A with the basis V of each row's own group. rows: A (n, d). bases: (k, d, j). labels: (n,)."""

    rows: LazyRows
    bases: np.ndarray
    labels: np.ndarray
    device: str = "cpu"

    @cached_property
    def shape(self) -> tuple[int, int]:  # type: ignore[override]
        return len(self.rows), self.bases.shape[2]

    def between(self, first: int, stop: int) -> np.ndarray:
        return self.of(slice(first, stop))

    def some(self, rows: np.ndarray) -> np.ndarray:
        return self.of(rows)

    def of(self, rows: slice | np.ndarray) -> np.ndarray:
        """The coordinates of some rows."""
        return blocks.group_projections(self.rows[rows], self.bases, self.labels[rows], self.device)

    def whole(self) -> np.ndarray:
        return blocks.group_projections(self.rows, self.bases, self.labels, self.device)


def group_projections(values: Table, bases: np.ndarray, labels: np.ndarray, device: str = "cpu") -> Table:
    """Vᵀaᵢ of every row, (n, j) float32, as in `blocks.group_projections`."""
    if isinstance(values, LazyRows):
        return Projected(values, bases, labels, device)
    return blocks.group_projections(values, bases, labels, device)


def project(values: Table, basis: np.ndarray, device: str = "cpu") -> Table:
    """A V for V (d, m): (n, m) float32, as in `blocks.project`."""
    if isinstance(values, LazyRows):
        return Projected(values, basis[None].astype(np.float32), np.broadcast_to(np.int8(0), len(values)), device)
    return blocks.project(values, basis, device)


def project_some(values: Table, rows: np.ndarray | slice, basis: np.ndarray, device: str = "cpu") -> np.ndarray:
    """A V for some of the rows, in memory: (r, m) float32. Few of those that stay in their file are read at a time."""
    if isinstance(values, np.ndarray):
        return blocks.project(values[rows], basis, device)
    numbers = np.arange(len(values))[rows]
    out = np.empty((len(numbers), basis.shape[1]), np.float32)
    for part in blocks.parts((len(numbers), values.shape[1])):
        out[part] = blocks.project(values[numbers[part]], basis, device)
    return out
