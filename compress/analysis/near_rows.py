"""The search for rows that are nearly equal: faiss says which rows may be near, and those are compared.

Rows are sketched by products with random directions. Two rows of cosine ρ have sketches whose cosine is the correlation of m pairs
of normals; its Fisher transform lies around artanh ρ by 1 / √m (Fisher 1915), which says how far below t a sketch may come. Of many
rows only those are compared that lie in one cell of a coarse quantizer (J. Johnson, M. Douze and H. Jégou, Billion-scale similarity
search with GPUs, 2017) or in cells next to each other. What comes near is then compared in all columns.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from compress.analysis.duplicates import Forest, Near, components, equal_rows
from compress.errors import InputError, Progress, Step
from compress.linalg import blocks
from compress.matrix import EmbeddingMatrix

LEAST, LOWEST = 0.5, 0.90  # cosines from which on rows may be sought, and are unless given
SKETCH, SPREAD = 96, 3.0  # columns of a sketch; standard deviations that its cosine may lie below
ALL = 32_768  # rows up to which each is compared with all others
CELLS, PROBES = 2, 24  # times √n, how many cells there are; in how many of them a row is compared
TRAINED, PASSES = 40, 6  # rows a cell that the cells are made from, and passes of k-means
BLOCK = 1 << 22  # pairs that are compared at a time
SCATTERED, CROWDED = 2, 8  # near ones a row in a block: up to which each is compared by itself; from which on not all are kept
SAME = 1 - 1e-6  # a cosine that is 1 but for rounding
CHECKED = 1024  # rows that are compared with all others to see what was missed


def near_rows(matrix: EmbeddingMatrix, lowest: float = LOWEST, progress: Progress | None = None, seed: int = 0) -> Near:
    """Which rows have a cosine of at least `lowest`, zero rows and those near zero with none. Up to ALL rows each is compared with
    all others, of more with those in cells next to it; `Near.found` says what of the near pairs of some rows is found so. Raises
    InputError for a cosine that is not between LEAST and 1."""
    if not LEAST <= lowest <= 1:
        raise InputError(f"cosine must be between {LEAST} and 1, got {lowest:g}.")
    tell, n = progress or (lambda step: None), matrix.shape[0]
    tell(Step(0.0, "finding equal rows"))
    equal = equal_rows(matrix)
    one = ~empty(matrix)
    one[equal.spare] = False
    asked = np.flatnonzero(one)
    forest = Forest(n, np.stack([equal.first, equal.rows], axis=1)[equal.rows != equal.first])
    tell(Step(0.1, "sorting rows into cells"))
    sketches, bound = sketched(matrix, asked, lowest, seed)
    told = 0.0
    for done, members, visitors in compared(sketches, seed):
        if done > told + 0.01:
            told = done
            tell(Step(0.4 + 0.5 * told, f"comparing rows, {told:.0%}"))
        like = sketches[visitors] @ sketches[members].T
        forest.add(*near_between(matrix, like, asked[members], asked[visitors], lowest, bound))
    tell(Step(0.9, "comparing some rows with all"))
    return checked(matrix, Near(n, lowest, *forest.joined()), asked, seed)


def empty(matrix: EmbeddingMatrix) -> np.ndarray:
    """(n,) bool: rows of zeros, and those so near 0 beside the others that they hold nothing."""
    return blocks.near_zero(matrix.squared_norms) | (matrix.squared_norms == 0)


def sketched(matrix: EmbeddingMatrix, rows: np.ndarray, lowest: float, seed: int) -> tuple[np.ndarray, float]:
    """Sketches (m, SKETCH) of some rows, each of length 1, and the cosine that those of near ones have; rows of no more columns are
    their own sketches."""
    d = matrix.shape[1]
    whole = d <= SKETCH
    out = np.empty((len(rows), d if whole else SKETCH), np.float32)
    directions = np.random.default_rng(seed).standard_normal((d, SKETCH)).astype(np.float32)
    for part in blocks.parts((len(rows), d)):
        unit = blocks.unit_rows(matrix.rows[rows[part]])
        out[part] = unit if whole else blocks.unit_rows(unit @ directions)
    return out, min(lowest, SAME) - 1e-6 if whole else float(np.tanh(np.arctanh(min(lowest, SAME)) - SPREAD / SKETCH**0.5))


def compared(sketches: np.ndarray, seed: int) -> Iterator[tuple[float, np.ndarray, np.ndarray]]:
    """Members (m,) and visitors (v,) that are to be compared, by their places in order, and which share of all was before."""
    n = len(sketches)
    if n <= ALL:
        for part in parts(n, 512):
            for near in parts(n - part.start, BLOCK // 512):
                visitors = np.arange(part.start + near.start, part.start + near.stop)
                yield 1 - (1 - part.start / n) ** 2, np.arange(part.start, part.stop), visitors
        return
    import faiss

    count = int(CELLS * n**0.5)
    some = sketches[blocks.sample_rows(n, TRAINED * count, np.random.default_rng(seed))]
    setting = {"niter": PASSES, "seed": seed, "spherical": True, "min_points_per_centroid": 1}
    means = faiss.Kmeans(sketches.shape[1], count, max_points_per_centroid=TRAINED, **setting)
    means.train(some)
    assert means.centroids is not None
    probes = faiss.knn(sketches, means.centroids, PROBES, metric=faiss.METRIC_INNER_PRODUCT)[1]
    own, visits = by_label(probes[:, 0], count), by_label(probes.ravel(), count)
    work = np.array([len(own[z]) * len(visits[z]) for z in range(count)], np.float64)
    done = work.cumsum() - work
    for z in np.flatnonzero(work):
        for part in parts(len(visits[z]), BLOCK // len(own[z])):
            yield float(done[z] / work.sum()), own[z], visits[z][part] // PROBES


def parts(n: int, step: int) -> Iterator[slice]:
    """Consecutive slices of so many of n."""
    for start in range(0, n, max(step, 1)):
        yield slice(start, min(start + max(step, 1), n))


def by_label(labels: np.ndarray, count: int) -> list[np.ndarray]:
    """The places of each of `count` labels, in order."""
    order = np.argsort(labels, kind="stable")
    return np.split(order, np.searchsorted(labels[order], np.arange(1, count)))


def near_between(
    matrix: EmbeddingMatrix, like: np.ndarray, members: np.ndarray, visitors: np.ndarray, lowest: float, bound: float
) -> tuple[np.ndarray, np.ndarray]:
    """Pairs (p, 2) of a visitor and a member, both by the numbers of their rows, and their cosines (p,), at least `lowest`. like:
    (v, m) cosines of their sketches, which is written to. Where there are very many, of each visitor the nearest, and of the others
    an even part, which join the same groups."""
    v, m = like.shape
    place = np.searchsorted(members, visitors).clip(max=m - 1)
    itself = np.flatnonzero(members[place] == visitors)
    like[itself, place[itself]] = -1
    hits = np.flatnonzero(like >= bound)
    if len(hits) <= SCATTERED * v:
        cosines = cosines_of(matrix, visitors[hits // m], members[hits % m])
    else:
        np.matmul(blocks.unit_rows(matrix.rows[visitors]), blocks.unit_rows(matrix.rows[members]).T, out=like)
        like[itself, place[itself]] = -1
        hits = np.flatnonzero(like >= min(lowest, SAME))
        if len(hits) > CROWDED * v:
            nearest = np.arange(v) * m + like.argmax(axis=1)
            hits = np.concatenate([hits[:: len(hits) // (CROWDED * v) + 1], nearest])
        cosines = like.ravel()[hits]
    cosines = np.where(cosines > SAME, 1, cosines)
    hits, cosines = hits[cosines >= lowest], cosines[cosines >= lowest]
    return np.stack([visitors[hits // m], members[hits % m]], axis=1), cosines


def cosines_of(matrix: EmbeddingMatrix, rows: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(m,) the cosine of each of some rows (m,) with another (m,)."""
    out = np.empty(len(rows), np.float32)
    for part in blocks.parts((len(rows), matrix.shape[1])):
        one, other = (blocks.unit_rows(matrix.rows[each[part]]) for each in (rows, others))
        out[part] = np.einsum("id,id->i", one, other)
    return out


def checked(matrix: EmbeddingMatrix, near: Near, asked: np.ndarray, seed: int) -> Near:
    """The same, with how many near pairs some of the rows have among all, and how many of those its trees hold."""
    some = asked[blocks.sample_rows(len(asked), CHECKED, np.random.default_rng(seed))]
    unit, trees, one = blocks.unit_rows(matrix.rows[some]), components(near.n, near.pairs), np.zeros(near.n, bool)
    one[asked] = True
    pairs = found = 0
    for rows, block in blocks.walk(matrix.rows):
        left, right = np.nonzero(unit @ blocks.unit_rows(block).T >= min(near.lowest, SAME))
        right += rows.start
        told = (some[left] != right) & one[right]
        pairs += int(told.sum())
        found += int((trees[some[left]] == trees[right])[told].sum())
    return replace(near, compared=pairs, found=found)
