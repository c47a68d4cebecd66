"""What exact search finds before and after compression: queries stay as they are, rows are searched as they decode."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import blake2b
from typing import Any, Protocol
from weakref import WeakKeyDictionary

import numpy as np

from compress.checks import one_of
from compress.errors import InputError
from compress.form.compressed import Compressed
from compress.linalg.blocks import sample_rows, unit_rows
from compress.matrix import EmbeddingMatrix
from compress.threads import in_order

SIMILARITIES = ("cosine", "ip", "l2")
QUERIES = 1000  # rows that are held out, at most
WORK = 2e11  # multiplications of a search at most: of very large matrices fewer rows are held out
LEAST = 100  # but not fewer
COUNT = 10  # nearest rows that one figure is about
COUNTS = (1, 10, 100)  # those that recall is told of
TIES = 28  # rows that are as near as the last of the nearest, at most, which all count as right
GRAIN = 2.0**-20  # similarities that differ by less of the rows' lengths are equal, whatever rounding did
AT_ONCE = 2048  # rows that are scored at a time


class Rows(Protocol):
    """What another program keeps of a matrix, decoded some rows at a time."""

    @property
    def shape(self) -> tuple[int, ...]: ...
    def rows(self, rows: np.ndarray) -> np.ndarray:
        """(r, d) float32."""


Table = np.ndarray | EmbeddingMatrix | Compressed | Rows
Tell = Callable[[float], None]  # told the share that is done; may raise to stop
Visit = Callable[[np.ndarray, np.ndarray, int], None]


@dataclass(frozen=True, eq=False)
class Queries:
    """vectors: (q, d) float32. rows: (q,) the row that each one is, which is none of its own hits; -1 for what is no row."""

    vectors: np.ndarray
    rows: np.ndarray

    @cached_property
    def key(self) -> str:
        """A hash of all."""
        state = hashed(self.vectors, self.rows)
        return state.hexdigest()


@dataclass(frozen=True, eq=False)
class Truth:
    """What exact search finds in the rows as they are, the nearest first, of equally near ones the lower number.

    ids: (q, m) rows, m a little more than the largest count asked for, so that ties at its edge are seen. scores: (q, m), more is
    nearer: q·a, of unit vectors for cosine, less ‖a‖²/2 for l2. grain: (q, m) by how much scores may differ and be equal. n: rows.
    grain_after: the same of the scores of another code.
    """

    queries: Queries
    similarity: str
    ids: np.ndarray
    scores: np.ndarray
    grain: np.ndarray
    n: int
    grain_after: np.ndarray | None = None

    def nearest(self, count: int) -> np.ndarray:
        """(q, m) bool: which of the ids are among so many nearest, with all that are as near as the last of them."""
        last = self.scores[:, count - 1 : count] - self.grain[:, count - 1 : count]
        return self.scores >= last

    def asked_by(self, vectors: np.ndarray, similarity: str, grain: float) -> "Truth":
        """The same rows to be found by other vectors (q, d), another similarity and another grain, as some code has them."""
        queries = Queries(vectors, self.queries.rows)
        return replace(self, queries=queries, similarity=similarity, grain_after=np.full_like(self.grain, grain))

    def check(self, count: int) -> int:
        """The count, or as many rows as there are to be found."""
        return min(count, self.ids.shape[1])


@dataclass(frozen=True, eq=False)
class Found:
    """Where a search finds the rows of the truth. above: (q, m) how many rows it finds nearer than each of them; tied: (q, m) as
    near, with itself, whose order is taken to be any."""

    truth: Truth
    above: np.ndarray
    tied: np.ndarray

    def recalls(self, count: int = COUNT, among: int | None = None) -> np.ndarray:
        """(q,) the share that is found of each query's `count` nearest rows among the first `among`, that many unless given."""
        count = self.truth.check(count)
        among = count if among is None else max(among, count)
        there = np.clip((among - self.above) / self.tied, 0, 1) * self.truth.nearest(count)
        return np.minimum(there.sum(axis=1) / count, 1.0).round(9)

    def recall(self, count: int = COUNT, among: int | None = None) -> float:
        """Their mean."""
        return float(self.recalls(count, among).mean())

    def rescored(self, share: float = 0.99, count: int = COUNT) -> int:
        """How many of the first rows must be held against the original, for so much recall of the `count` nearest: exact."""
        low, high = self.truth.check(count) - 1, self.truth.n
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self.recall(count, middle) >= share - 1e-12 else (middle, high)
        return high


def held_out(matrix: EmbeddingMatrix, most: int = QUERIES, seed: int = 0) -> Queries:
    """Rows that are searched for, at most so many, drawn by a seed from those that are not zero."""
    n, d = matrix.shape
    there = np.flatnonzero(matrix.squared_norms > 0)
    most = min(most, max(LEAST, int(WORK / (n * d))))
    rows = there[sample_rows(len(there), most, np.random.default_rng(seed))]
    return Queries(np.ascontiguousarray(matrix.rows[rows]), rows)


def truth_of(
    matrix: EmbeddingMatrix, queries: Queries, similarity: str, most: int = max(COUNTS), tell: Tell | None = None
) -> Truth:
    """The `most` nearest rows of each query. What was found for a matrix last is kept as long as the matrix is."""
    one_of("similarity", similarity, SIMILARITIES)
    if queries.vectors.shape[1] != matrix.shape[1]:
        raise InputError(
            f"The queries have {queries.vectors.shape[1]:,} columns, the rows {matrix.shape[1]:,}; give vectors by the same model."
        )
    held, key = KEPT.setdefault(matrix, {}), (queries.key, similarity, most)
    if key not in held:
        if len(held) > 3:
            held.clear()
        held[key] = found_in(matrix, matrix, queries, similarity, most + TIES, tell)
    return held[key]


KEPT: WeakKeyDictionary[EmbeddingMatrix, dict] = WeakKeyDictionary()


def found_in(
    matrix: EmbeddingMatrix, table: Table, queries: Queries, similarity: str, most: int, tell: Tell | None = None
) -> Truth:
    """The `most` rows of a table, the matrix itself or a form of it, that are nearest to each query."""
    from compress.analysis import search_kernels

    n = matrix.shape[0]
    count = max(1, min(most, n - int((queries.rows >= 0).any())))
    best = np.full((len(queries.rows), count), -np.inf, np.float32)
    ids = np.full(best.shape, -1, np.int64)

    def visit(scores: np.ndarray, half: np.ndarray, first: int) -> None:
        search_kernels.keep_best(scores, half, first, queries.rows, best, ids)

    vectors = scan(matrix, table, queries, similarity, [visit], tell)
    return Truth(queries, similarity, ids, best, grain_of(matrix, vectors, ids, similarity), n)


def search(matrix: EmbeddingMatrix, table: Table, truth: Truth, tell: Tell | None = None, *visits: Visit) -> Found:
    """Where the truth's rows are found in a table of the same rows, a compressed form of them: exactly, with ties told apart from
    what is nearer. Blocks of rows are decoded one after another, and no whole table."""
    from compress.analysis import search_kernels

    check_table(matrix, table)
    queries, (q, m) = truth.queries, truth.ids.shape
    own = scores_of(matrix, table, truth)
    grain = truth.grain if truth.grain_after is None else truth.grain_after
    edges = np.concatenate([own - grain, own + grain], axis=1)  # (q, 2m)
    order = np.argsort(edges, axis=1, kind="stable")
    edges, counts = np.take_along_axis(edges, order, axis=1), np.zeros((q, 2 * m + 1), np.int64)

    def visit(scores: np.ndarray, half: np.ndarray, first: int) -> None:
        search_kernels.count_beyond(scores, half, first, queries.rows, edges, counts)

    scan(matrix, table, queries, truth.similarity, [visit, *visits], tell)
    beyond = np.empty((q, 2 * m), np.int64)  # rows at or above each edge
    np.put_along_axis(beyond, order, counts[:, :0:-1].cumsum(axis=1)[:, ::-1], axis=1)
    reach, above = beyond[:, :m], beyond[:, m:]
    return Found(truth, above, np.maximum(reach - above, 1))


def placed(truth: Truth, ids: np.ndarray) -> Found:
    """The same of another program's search: the rows (q, c) that it finds for each query, the nearest first, -1 for none."""
    above = np.full(truth.ids.shape, truth.n, np.int64)
    for place in range(ids.shape[1]):
        above[truth.ids == ids[:, place, None]] = place
    return Found(truth, above, np.ones_like(above))


def scan(
    matrix: EmbeddingMatrix, table: Table, queries: Queries, similarity: str, visits: list[Visit], tell: Tell | None = None
) -> np.ndarray:
    """Every block of rows of a table scored for all queries: each visit is given the scores (q, b), what is to be taken from a
    row's (b,), and the first row. Others are decoded and scored meanwhile. Gives the vectors that were searched for."""
    vectors, n = searched_for(matrix, queries, similarity), matrix.shape[0]
    blocks = range(0, n, AT_ONCE)

    def scored(first: int) -> tuple[np.ndarray, np.ndarray]:
        rows, half = rows_of(matrix, table, slice(first, first + AT_ONCE), similarity)
        return vectors @ rows.T, half

    with closing(in_order(scored, blocks)) as made:  # at once where tell stops it
        for first, (scores, half) in zip(blocks, made, strict=True):
            for visit in visits:
                visit(scores, half, first)
            if tell:
                tell(min(1.0, (first + AT_ONCE) / n))
    return vectors


def rows_of(matrix: EmbeddingMatrix, table: Table, which: Any, similarity: str) -> tuple[np.ndarray, np.ndarray]:
    """Rows of a table as they are scored (b, d), and what is taken from the score of each (b,)."""
    if isinstance(table, EmbeddingMatrix):
        rows = table.values[which]
    elif isinstance(table, np.ndarray):
        rows = table[which].astype(np.float32, copy=False)
    else:
        rows = table.rows(np.arange(*which.indices(matrix.shape[0])) if isinstance(which, slice) else which)
    if similarity == "cosine":
        return unit_rows(rows), np.zeros(len(rows), np.float32)
    if matrix.exponent:
        rows = np.ldexp(rows, -matrix.exponent)
    half = np.einsum("id,id->i", rows, rows) / 2 if similarity == "l2" else np.zeros(len(rows), np.float32)
    return rows, half.astype(np.float32)


def searched_for(matrix: EmbeddingMatrix, queries: Queries, similarity: str) -> np.ndarray:
    """(q, d) the queries as rows are scored for them."""
    if similarity == "cosine":
        return unit_rows(queries.vectors)
    return np.ldexp(queries.vectors, -matrix.exponent) if matrix.exponent else queries.vectors


def scores_of(matrix: EmbeddingMatrix, table: Table, truth: Truth) -> np.ndarray:
    """(q, m) the scores that the truth's rows have in a table."""
    vectors, flat = searched_for(matrix, truth.queries, truth.similarity), truth.ids.ravel()
    order, found = np.argsort(flat, kind="stable"), np.empty(flat.shape, np.float32)
    ids, starts = np.unique(flat[order], return_index=True)
    ends = np.append(starts[1:], len(flat))
    blocks = range(0, len(ids), AT_ONCE)
    decoded = in_order(lambda first: rows_of(matrix, table, ids[first : first + AT_ONCE], truth.similarity), blocks)
    for first, (rows, half) in zip(blocks, decoded, strict=True):
        mine = order[starts[first] : ends[min(first + AT_ONCE, len(ids)) - 1]]
        at = np.searchsorted(ids[first : first + AT_ONCE], flat[mine])
        for part in range(0, len(mine), AT_ONCE):
            few, places = mine[part : part + AT_ONCE], at[part : part + AT_ONCE]
            products = np.einsum("id,id->i", vectors[few // truth.ids.shape[1]], rows[places])
            found[few] = products - half[places]
    return found.reshape(truth.ids.shape)


def grain_of(matrix: EmbeddingMatrix, vectors: np.ndarray, ids: np.ndarray, similarity: str) -> np.ndarray:
    """(q, m) by how much two scores of a query may differ and be equal: a share of both lengths."""
    if similarity == "cosine":
        return np.full(ids.shape, GRAIN, np.float32)
    lengths = np.sqrt(np.ldexp(matrix.squared_norms, -2 * matrix.exponent))[ids]
    own = np.linalg.norm(vectors, axis=1, keepdims=True)
    scale = lengths * own if similarity == "ip" else lengths * (lengths + own)
    return np.maximum(GRAIN * scale, np.finfo(np.float32).tiny).astype(np.float32)


def check_table(matrix: EmbeddingMatrix, table: Table) -> None:
    """Raises ValueError where a table has another shape than the matrix."""
    if tuple(table.shape) != matrix.shape:
        raise ValueError(f"the table searched must be {matrix.shape[0]} × {matrix.shape[1]} as the matrix is, got {table.shape}")


def hashed(*arrays: np.ndarray) -> Any:
    """The state of a hash of arrays."""
    state = blake2b(digest_size=16)
    for array in arrays:
        state.update(repr(array.shape).encode())
        state.update(np.ascontiguousarray(array).data)
    return state
