"""UMAP: every row placed in the plane so that rows with small cosine distances lie together (McInnes, Healy and Melville 2018).

Two rows are joined by an edge where one is among the nearest of the other, the weaker the further it is on the scale of that
row's own neighbourhood. The layout draws the ends of edges together, each as often as it is strong, and pushes rows apart that
are taken by chance. Steps are compiled once on a machine and kept beside this file, or in the user's cache folder.
"""

from collections.abc import Callable

import numba
import numpy as np

NEIGHBOURS = 15  # of a row, itself among them
EXACT = 100_000  # rows up to which neighbours are exact
PROBES = 32  # lists of rows looked at for each row of a larger matrix
BESIDE = 0.05  # how far from the row that it is nearest to one is placed which is not laid out
CHANCE = 5  # rows pushed away for each one that is drawn near
A, B = np.float32(1.7502250), np.float32(0.8420554)  # 1 / (1 + A d^2B) fits min(1, exp(0.05 − d)): points may lie 0.05 apart


def nearest_rows(unit: np.ndarray, others: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The `count` rows of `unit` (n, d) with the largest cosines to each of `others` (m, d), the largest first, and the cosines:
    both (m, count). All rows are of length 1."""
    import faiss

    n, dim = unit.shape
    if n <= EXACT:
        cosines, rows = faiss.knn(others, unit, count, metric=faiss.METRIC_INNER_PRODUCT)
        return rows, cosines
    index = faiss.IndexIVFFlat(faiss.IndexFlatIP(dim), dim, int(4 * n**0.5), faiss.METRIC_INNER_PRODUCT)
    index.train(unit[:: n // EXACT + 1])
    index.add(unit)
    index.nprobe = PROBES
    cosines, rows = index.search(others, count)
    return rows, cosines


def edges(unit: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Edges between rows of length 1, each in both directions: the row it leads from, the row it leads to, and its strength from 0
    to 1."""
    from scipy.sparse import coo_array

    n, count = len(unit), min(NEIGHBOURS, len(unit))
    rows, cosines = nearest_rows(unit, unit, count)
    known = (rows >= 0) & (rows != np.arange(n)[:, None])
    distances = np.where(known, np.maximum(1 - cosines, 0), np.inf).astype(np.float32)
    strengths = memberships(distances, np.log2(count))[known]
    one = coo_array((strengths, (np.repeat(np.arange(n), known.sum(axis=1)), rows[known])), shape=(n, n)).tocsr()
    both = (one + one.T - one * one.T).tocoo()  # either end may see the other as near
    return both.row.astype(np.int32), both.col.astype(np.int32), both.data


def memberships(distances: np.ndarray, total: float) -> np.ndarray:
    """How strongly each row belongs to its nearest, from their distances (n, c): exp(−(d − d₀) / s), with d₀ the smallest above
    zero and s such that a row's strengths sum up to `total`, found by halving."""
    first = np.where(distances > 0, distances, np.inf).min(axis=1, initial=np.inf)
    beyond = np.maximum(distances - np.where(np.isfinite(first), first, 0)[:, None], 0)
    typical = np.mean(beyond, axis=1, where=np.isfinite(beyond))
    low, high = np.zeros(len(beyond)), np.full(len(beyond), np.inf)
    scale = np.ones(len(beyond))
    for _ in range(40):
        more = np.exp(-beyond / scale[:, None]).sum(axis=1) > total
        low, high = np.where(more, low, scale), np.where(more, scale, high)
        scale = np.where(np.isfinite(high), (low + high) / 2, 2 * scale)
    return np.exp(-beyond / np.maximum(scale, 1e-3 * typical + 1e-12)[:, None])


def placed_beside(places: np.ndarray, unit: np.ndarray, others: np.ndarray, seed: int) -> np.ndarray:
    """Places (m, 2) for the rows `others` (m, d), each beside that of the row of `unit` (n, d) which is nearest to it."""
    rows, _ = nearest_rows(unit, others, 1)
    return places[rows[:, 0]] + BESIDE * np.random.default_rng(seed).standard_normal((len(others), 2)).astype(np.float32)


def lay_out(
    start: np.ndarray, unit: np.ndarray, epochs: int, seed: int, told: Callable[[float], None], rate: float = 1.0
) -> np.ndarray:
    """The places (n, 2) float32 of rows `unit` (n, d) of length 1, from where they `start` (n, 2). told: the share that is done.
    rate: of the first steps, which fall to none; small ones leave groups where they are."""
    heads, tails, strengths = edges(unit)
    most = strengths.max(initial=0)
    often = strengths * epochs >= most
    heads, tails, every = heads[often], tails[often], (most / strengths[often]).astype(np.float32)
    due, due_by_chance = every.copy(), every / CHANCE
    random = np.random.default_rng(seed)
    places = (start + 1e-4 * random.standard_normal(start.shape)).astype(np.float32)
    state = random.integers(1, 2**63, 1, dtype=np.uint64)
    for epoch in range(epochs):
        move(places, heads, tails, every, due, due_by_chance, np.float32(epoch), np.float32(rate * (1 - epoch / epochs)), state)
        if epoch % 10 == 9:
            told((epoch + 1) / epochs)
    return places


@numba.njit(inline="always")
def bounded(step):  # type: ignore[no-untyped-def]
    """A step along one axis, no longer than 4."""
    return min(max(step, np.float32(-4)), np.float32(4))


@numba.njit(cache=True, fastmath=True)
def move(places, heads, tails, every, due, due_by_chance, epoch, rate, state):  # type: ignore[no-untyped-def]
    """One epoch: edges whose turn it is draw their ends together, and push the first away from rows taken by chance."""
    two, near = np.float32(2), np.float32(0.001)
    for edge in range(len(heads)):
        if due[edge] > epoch:
            continue
        due[edge] += every[edge]
        head, tail = heads[edge], tails[edge]
        x, y = places[head, 0], places[head, 1]
        across, up = x - places[tail, 0], y - places[tail, 1]
        square = across * across + up * up
        if square > 0:
            power = A * square**B
            pull = two * B * power / (square * (power + 1))
            across, up = bounded(pull * across) * rate, bounded(pull * up) * rate
            x, y = x - across, y - up
            places[tail, 0] += across
            places[tail, 1] += up
        pushes = int((epoch - due_by_chance[edge]) * CHANCE / every[edge])
        due_by_chance[edge] += pushes * every[edge] / CHANCE
        for _ in range(pushes):
            state[0] ^= state[0] << np.uint64(13)
            state[0] ^= state[0] >> np.uint64(7)
            state[0] ^= state[0] << np.uint64(17)
            other = state[0] % np.uint64(len(places))
            across, up = x - places[other, 0], y - places[other, 1]
            square = across * across + up * up
            if square > 0:
                push = two * B / ((near + square) * (A * square**B + 1))
                x += bounded(push * across) * rate
                y += bounded(push * up) * rate
        places[head, 0], places[head, 1] = x, y
