"""Rows in groups of equal or nearly equal ones, at every cosine: a forest joins rows over the largest cosines there are."""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np

from compress.errors import InputError
from compress.linalg import blocks
from compress.matrix import EmbeddingMatrix

BUFFER = 4_000_000  # pairs that are held until they go into the forest


@dataclass(frozen=True, eq=False)
class Groups:
    """Rows in groups of 2 or more, the largest group first. rows: (r,), those of a group together and in order. group: (r,), from
    0."""

    rows: np.ndarray
    group: np.ndarray

    def __len__(self) -> int:
        return int(self.group[-1]) + 1 if len(self.group) else 0

    @property
    def first(self) -> np.ndarray:
        """(r,) the first row of each one's group, which stays where the others go."""
        return self.rows[np.searchsorted(self.group, self.group)]

    @property
    def spare(self) -> np.ndarray:
        """The rows that are not the first of their group, in order."""
        return np.sort(self.rows[self.rows != self.first])


@dataclass(frozen=True, eq=False)
class Near:
    """Which of n rows are near which: pairs (m, 2) of rows and their cosines (m,), at least `lowest`, as a forest: two rows are in
    one tree where a chain of near rows leads from one to the other. compared, found: near pairs among those of some rows with all
    others, and how many of them the trees hold."""

    n: int
    lowest: float
    pairs: np.ndarray
    cosines: np.ndarray
    compared: int = 0
    found: int = 0

    def groups(self, cosine: float) -> Groups:
        """Rows that are joined over cosines of at least that. Raises InputError where that is below the lowest."""
        if not self.lowest <= cosine <= 1:
            raise InputError(f"cosine must be between {self.lowest:g}, from which pairs were sought, and 1, got {cosine:g}.")
        return grouped(components(self.n, self.pairs[self.cosines >= cosine]))

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """What a file keeps of it."""
        about = np.array([self.n, self.compared, self.found])
        return {"pairs": self.pairs, "cosines": self.cosines, "about": about, "lowest": np.array([self.lowest])}

    @classmethod
    def of(cls, arrays: dict[str, np.ndarray]) -> "Near":
        """The one that a file keeps."""
        n, compared, found = map(int, arrays["about"])
        return cls(n, float(arrays["lowest"][0]), arrays["pairs"], arrays["cosines"], compared, found)


class Forest:
    """Pairs of n rows that are taken in a few at a time, of which those stay that join rows over the largest cosines. equal: (m, 2)
    pairs of equal rows."""

    def __init__(self, n: int, equal: np.ndarray):
        self.n, self.pairs, self.cosines = n, [equal], [np.ones(len(equal))]
        self.held = 0

    def add(self, pairs: np.ndarray, cosines: np.ndarray) -> None:
        """Takes in pairs (m, 2) and their cosines (m,)."""
        self.pairs.append(pairs)
        self.cosines.append(cosines)
        self.held += len(pairs)
        if self.held > BUFFER:
            found = self.joined()
            self.pairs, self.cosines, self.held = [found[0]], [found[1]], 0

    def joined(self) -> tuple[np.ndarray, np.ndarray]:
        """Its pairs (m, 2), m < n, and their cosines (m,)."""
        from scipy.sparse.csgraph import minimum_spanning_tree

        pairs, cosines = np.sort(np.concatenate(self.pairs), axis=1).astype(np.int64), np.concatenate(self.cosines)
        _, once = np.unique(pairs[:, 0] * self.n + pairs[:, 1], return_index=True)
        tree = minimum_spanning_tree(graph(self.n, pairs[once], 2 - cosines[once])).tocoo()  # 0 would be no pair to it
        return np.stack([tree.row, tree.col], axis=1).astype(np.int64), 2 - tree.data


def graph(n: int, pairs: np.ndarray, weights: np.ndarray) -> Any:
    """Pairs (m, 2) of n rows as a sparse array."""
    from scipy.sparse import coo_array

    return coo_array((weights.astype(np.float64), tuple(pairs.T)), (n, n)).tocsr()


def components(n: int, pairs: np.ndarray) -> np.ndarray:
    """Labels (n,) of what pairs (m, 2) join."""
    from scipy.sparse.csgraph import connected_components

    return connected_components(graph(n, pairs, np.ones(len(pairs))), directed=False)[1]


def grouped(labels: np.ndarray) -> Groups:
    """The groups of 2 rows or more that have one label (n,), which is -1 of none."""
    counts = np.bincount(labels[labels >= 0], minlength=1)
    rows = np.flatnonzero(labels >= 0)
    rows = rows[counts[labels[rows]] > 1]
    rows = rows[np.lexsort((rows, labels[rows], -counts[labels[rows]]))]
    return Groups(rows, np.cumsum(np.diff(labels[rows], prepend=labels[rows[:1]]) != 0))


def equal_rows(matrix: EmbeddingMatrix) -> Groups:
    """Rows that are equal in every bit, those of zeros left out."""
    digests = np.empty((matrix.shape[0], 2), np.uint64)
    for rows, block in blocks.walk(matrix.rows):
        digests[rows] = [np.frombuffer(blake2b(row.data, digest_size=16).digest(), np.uint64) for row in block]
    labels = np.unique(digests, axis=0, return_inverse=True)[1].astype(np.int64)
    labels[matrix.squared_norms == 0] = -1
    return grouped(labels)
