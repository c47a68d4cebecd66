"""Rows that are made when they are asked for, so that a table of them is never whole in memory unless somebody wants it so."""

from abc import ABC, abstractmethod
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike


class LazyRows(ABC):
    """A table (n, d) of float32 that answers what sums over rows ask of an array: its shape, its length, and some of its rows."""

    shape: tuple[int, int]

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice | ArrayLike) -> np.ndarray:
        """Some rows, by a slice or by their numbers (r,), or whether each is meant (n,): (r, d), new and contiguous; one, (d,), by
        its number."""
        if isinstance(rows, slice):
            first, stop, step = rows.indices(len(self))
            return self.some(np.arange(first, stop, step)) if step != 1 else self.between(first, max(first, stop))
        numbers = np.asarray(rows)
        if numbers.ndim == 0:
            return self.some(numbers.reshape(1))[0]
        return self.some(np.flatnonzero(numbers) if numbers.dtype == bool else numbers.astype(np.int64, copy=False))

    @abstractmethod
    def between(self, first: int, stop: int) -> np.ndarray:
        """Consecutive rows, (stop − first, d)."""

    def top(self, first: int, stop: int) -> float:
        """The largest entry of consecutive rows, whatever its sign; not finite where one is not."""
        block = self.between(first, stop)
        return max(float(block.max()), -float(block.min()))

    @abstractmethod
    def some(self, rows: np.ndarray) -> np.ndarray:
        """Rows by their numbers (r,), in any order: (r, d)."""

    @abstractmethod
    def whole(self) -> np.ndarray:
        """All of them, (n, d), in memory or mapped. Raises InputError where memory does not hold them."""


Table: TypeAlias = np.ndarray | LazyRows
