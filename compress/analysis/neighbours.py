"""Which rows are near which by cosine, and how that differs after compression; where along the vocabulary the error lies."""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from compress.form.compressed import Compressed
from compress.form.metrics import Evaluation
from compress.linalg.blocks import unit_rows
from compress.matrix import EmbeddingMatrix
from compress.sources.order import order_of, ranks

COUNT = 10
GRAIN = 1 << 20  # cosines are told apart in steps of 1 / GRAIN, so that equal rows are equally near whatever rounding did
QUERIES, GROUP = 256, 64  # rows that are searched for at a time; rows of which only the nearest is looked at first
Table = np.ndarray | EmbeddingMatrix | Compressed


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The rows nearest to one row by cosine, before and after compression.

    before, after: (c,) rows, the nearest first; of equally near ones the lower number is first. before_cosines, after_cosines: (c,)
    theirs. before_ranks: (c,) the place before, from 1, of each row in `after`; after_ranks: (c,) the place after of each row in
    `before`.
    """

    row: int
    before: np.ndarray
    before_cosines: np.ndarray
    after_ranks: np.ndarray
    after: np.ndarray
    after_cosines: np.ndarray
    before_ranks: np.ndarray

    @cached_property
    def lost(self) -> np.ndarray:
        """Rows that are near before only."""
        return self.before[~np.isin(self.before, self.after)]

    @cached_property
    def gained(self) -> np.ndarray:
        """Rows that are near after only."""
        return self.after[~np.isin(self.after, self.before)]

    @cached_property
    def reordered(self) -> np.ndarray:
        """Rows that are near both times, in another place."""
        places = np.arange(1, len(self.before) + 1)
        return self.before[(self.after_ranks <= len(self.after)) & (self.after_ranks != places)]

    @property
    def overlap(self) -> float:
        """The share of the nearest that is kept."""
        return 1 - len(self.lost) / len(self.before)


@dataclass(frozen=True, eq=False)
class Changed:
    """The rows whose neighbourhoods changed most, the most changed first.

    rows: (m,). overlap: (m,) the share that is kept of each one's nearest. shift: (m,) how many places these moved, in the mean.
    """

    rows: np.ndarray
    overlap: np.ndarray
    shift: np.ndarray


@dataclass(frozen=True, eq=False)
class ErrorByUse:
    """The relative error of rows in bins, the rows in order of use, for rows that are not zero.

    by: what tells the use: "weight", or "order" of the vocabulary. first, last: (b,) places in that order, from 1. rows: (b,) how
    many rows each bin has. error: (b,) Σ‖a−b‖² / Σ‖a‖² over them. low, median, high: (b,) quartiles of the rows' own.
    """

    by: str
    first: np.ndarray
    last: np.ndarray
    rows: np.ndarray
    error: np.ndarray
    low: np.ndarray
    median: np.ndarray
    high: np.ndarray


def neighbours(before: Table, after: Table, row: int, count: int = COUNT) -> Neighbours:
    """The rows nearest to one, before and after. before, after: arrays (n, d), a matrix, a compressed one. Raises IndexError for a
    row that is not there, ValueError for tables of two shapes."""
    before, after = two_tables(before, after)
    asked = checked_rows(np.array([row]), len(before))
    count = min(count, len(before) - 1)
    cosines = [cosines_of(unit, asked) for unit in (before, after)]
    (was,), (now,) = (ordered(each, count) for each in cosines)
    return Neighbours(
        int(row),
        was,
        cosines[0][0, was].astype(np.float64) / GRAIN,
        places(cosines[1], was[None])[0],
        now,
        cosines[1][0, now].astype(np.float64) / GRAIN,
        places(cosines[0], now[None])[0],
    )


def overlap(before: Table, after: Table, rows: np.ndarray | None = None, count: int = COUNT) -> np.ndarray:
    """The share that is kept of the `count` nearest rows of each of those rows, all unless given: (len(rows),)."""
    before, after = two_tables(before, after)
    rows = checked_rows(np.arange(len(before)) if rows is None else np.asarray(rows), len(before))
    count, out = min(count, len(before) - 1), np.empty(len(rows))
    for first in range(0, len(rows), QUERIES):
        asked = rows[first : first + QUERIES]
        was, now = (ordered(cosines_of(unit, asked), count) for unit in (before, after))
        out[first : first + QUERIES] = (was[:, :, None] == now[:, None]).any(axis=2).mean(axis=1)
    return out


def most_changed(before: Table, after: Table, rows: np.ndarray | None = None, limit: int = 20, count: int = COUNT) -> Changed:
    """Of those rows, all unless given, the ones that keep the least of their nearest; among equals, those whose nearest moved most
    places in the mean."""
    before, after = two_tables(before, after)
    rows = checked_rows(np.arange(len(before)) if rows is None else np.asarray(rows), len(before))
    kept, count = overlap(before, after, rows, count), min(count, len(before) - 1)
    worst = np.sort(kept)[min(limit, len(kept)) - 1] if len(kept) else 0
    rows, kept = rows[kept <= worst], kept[kept <= worst]
    shift = np.empty(len(rows))
    for first in range(0, len(rows), QUERIES):
        asked = rows[first : first + QUERIES]
        was = ordered(cosines_of(before, asked), count)
        moved = places(cosines_of(after, asked), was) - np.arange(1, count + 1)
        shift[first : first + QUERIES] = np.abs(moved).mean(axis=1)
    order = np.lexsort((rows, -shift, kept))[:limit]
    return Changed(rows[order], kept[order], shift[order])


def error_by_use(matrix: EmbeddingMatrix, evaluation: Evaluation, bins: int = 24) -> ErrorByUse:
    """The error along the rows in order of use: by weight where they are weighted, else by the order of the rows, see
    order.ranks. Bins grow with the place, as counts of tokens fall."""
    n = matrix.shape[0]
    if matrix.weighted:
        by, order = "weight", np.argsort(-matrix.weights, kind="stable")
    else:
        told = matrix.has_tokens and order_of(matrix).tells
        by, order = "order", np.argsort(ranks(matrix.tokens)) if told else np.arange(n)
    edges = np.unique(np.geomspace(1, n + 1, bins + 1).round().astype(np.int64))
    edges[-1] = n + 1
    found = []
    for first, end in pairwise(edges):
        members = order[first - 1 : end - 1]
        members = members[matrix.squared_norms[members] > 0]
        if len(members):
            errors, norms = evaluation.row_errors[members], matrix.squared_norms[members]
            found.append((first, end - 1, len(members), errors @ norms / norms.sum(), *np.quantile(errors, [0.25, 0.5, 0.75])))
    return ErrorByUse(by, *(np.array(column) for column in zip(*found, strict=True)))


def nearest(unit: np.ndarray, row: int, count: int = COUNT) -> tuple[np.ndarray, np.ndarray]:
    """The rows nearest to one of them by cosine, the nearest first, and their cosines."""
    cosines = cosines_of(unit, np.array([row]))
    (found,) = ordered(cosines, min(count, len(unit) - 1))
    return found, cosines[0, found] / np.float32(GRAIN)


def cosines_of(unit: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """(r, n) cosines of some rows with all, in whole steps of 1 / GRAIN; of a row with itself −∞."""
    cosines = (unit[rows] * np.float32(GRAIN)) @ unit.T
    np.rint(cosines, out=cosines)
    cosines[np.arange(len(rows)), rows] = -np.inf
    return cosines


def ordered(scores: np.ndarray, count: int) -> np.ndarray:
    """(r, count) places of the largest of every row of scores (r, n), the largest first, of equals the lower place first.

    What is among the `count` largest lies in one of the `count` groups of columns whose largest are the largest.
    """
    r, n = scores.shape
    groups = -(-n // GROUP)
    whole = n // GROUP * GROUP
    tops = scores[:, :whole].reshape(r, -1, GROUP).max(axis=2)
    if whole < n:
        tops = np.concatenate([tops, scores[:, whole:].max(axis=1, keepdims=True)], axis=1)
    chosen = np.sort(np.argsort(-tops, axis=1, kind="stable")[:, : min(count, groups)], axis=1)
    columns = (chosen[:, :, None] * GROUP + np.arange(GROUP)).reshape(r, -1)
    found = np.where(columns < n, np.take_along_axis(scores, np.minimum(columns, n - 1), axis=1), -np.inf)
    best = np.argsort(-found, axis=1, kind="stable")[:, :count]
    return np.take_along_axis(columns, best, axis=1)


def places(scores: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """(r, c) the places, from 1, that some columns (r, c) have in the order of every row of scores (r, n)."""
    own = np.take_along_axis(scores, columns, axis=1)
    out = np.empty(columns.shape, np.int64)
    for at in range(columns.shape[1]):
        mine = own[:, at, None]
        out[:, at] = 1 + np.count_nonzero(scores > mine, axis=1)
        for row in np.flatnonzero(np.count_nonzero(scores == mine, axis=1) > 1):
            out[row, at] += np.count_nonzero(scores[row, : columns[row, at]] == mine[row])
    return out


def two_tables(before: Table, after: Table) -> tuple[np.ndarray, np.ndarray]:
    """Both as rows of length 1."""
    tables = [
        each.values
        if isinstance(each, EmbeddingMatrix)
        else each.reconstruct()
        if isinstance(each, Compressed)
        else np.asarray(each)
        for each in (before, after)
    ]
    if tables[0].shape != tables[1].shape or tables[0].ndim != 2 or len(tables[0]) < 2:
        raise ValueError(
            f"before and after must be tables of one shape with 2 rows or more, got {tables[0].shape} and {tables[1].shape}"
        )
    return unit_rows(tables[0].astype(np.float32, copy=False)), unit_rows(tables[1].astype(np.float32, copy=False))


def checked_rows(rows: np.ndarray, n: int) -> np.ndarray:
    """The row numbers as int64; IndexError where one is not of n rows."""
    outside = rows[(rows < 0) | (rows >= n)]
    if len(outside):
        raise IndexError(f"rows must be between 0 and {n - 1}, got {outside[0]}")
    return rows.astype(np.int64)
