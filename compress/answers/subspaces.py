"""The tables of Subspaces: the groups of rows that drafts find at every k, or at some and by splitting those at the others, and for
one k at some j, from which all j follow."""

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

import numpy as np

from compress.analysis.groupings import Grouping, grouping, packed, split, unpacked
from compress.errors import Progress, Step
from compress.matrix import EmbeddingMatrix
from compress.methods import ProjectiveClustering

Arrays = dict[str, np.ndarray]
Keep = Callable[[Arrays], None]

MOST_K = 32
FIRST = (5, 6, 4, 1, 2, 3, 8, 12, 16, 24, 32)  # k that drafts are made at: about what a page opens on, then over the whole range
PART = 6  # of the most that j can be: where drafts begin
WORK = 5e10  # products of a pass over the rows, above which a draft at one of many j is left out
SMALL = 1_000_000  # entries of a matrix of which a draft takes some tenths of a second at most
NEAR = 1.5  # times the j that groups were found for, or as many times less, up to which they are as good as a draft's own
OFTEN = 2.0  # seconds between what is kept


def groups(
    matrix: EmbeddingMatrix,
    keep: Keep,
    progress: Progress,
    k: int | None = None,
    j: int | None = None,
    affine: bool = False,
    loss: str = "lp",
    p: float = 2.0,
    scale: float | None = None,
    seed: int = 0,
) -> Arrays:
    """Groups of k = 1 … 32 at one j, or of one k at the `anchors` of j; settings as those of `ProjectiveClustering`. Raises
    ValueError unless one of k and j is given."""
    if (k is None) == (j is None):
        raise ValueError(f"groups are told of every k at one j or of one k at every j, got k = {k} and j = {j}")
    search = ProjectiveClustering(
        k=1 if k is None else k, j=1 if j is None else j, affine=affine, loss=loss, p=p, scale=scale, seed=seed
    )
    return drafts(matrix, keep, progress, every_k(search, matrix.shape) if k is None else every_j(search, matrix.shape))


def tables_of(method: ProjectiveClustering, shape: tuple[int, int]) -> dict[str, dict]:
    """The settings of the tables `k` and `j` of searches as a method's: every k at about its j, and its k at every j."""
    same = search_of(method)
    return {"k": {"j": anchor(method.j, min(shape)), **same}, "j": {"k": method.k, **same}}


def search_of(method: ProjectiveClustering) -> dict:
    """The settings of a search, but k and j and how long it is."""
    return {name: getattr(method, name) for name in ("affine", "loss", "p", "scale", "seed")}


def every_k(search: ProjectiveClustering, shape: tuple[int, int]) -> list[ProjectiveClustering]:
    """A search at each k, in the order of drafts."""
    order = dict.fromkeys([*FIRST, *range(1, MOST_K + 1)])
    return [replace(search, k=k) for k in order if k <= shape[0]]


def every_j(search: ProjectiveClustering, shape: tuple[int, int]) -> list[ProjectiveClustering]:
    """A search at each anchor that does not take too long, in the order of drafts."""
    most = min(shape)
    order = sorted(anchors(most), key=lambda j: abs(np.log(j * PART / most)))
    quick = [j for j in order if shape[0] * shape[1] * search.k * j <= WORK] or [1]
    return [replace(search, j=j) for j in quick]


def anchors(most: int) -> list[int]:
    """The dimensions that groups are sought for, √2 apart: those found for one serve its neighbours."""
    return sorted({min(round(2 ** (half / 2)), most) for half in range(2 * most.bit_length() + 1)})


def anchor(j: int, most: int) -> int:
    """The one nearest to j by their ratio."""
    return min(anchors(most), key=lambda each: abs(np.log(each / j)))


def drafts(matrix: EmbeddingMatrix, keep: Keep, progress: Progress, methods: Sequence[ProjectiveClustering]) -> Arrays:
    """The groups of some settings, see `drafted`, in their order, as `groupings.packed` has them."""
    begun = getattr(keep, "begun", {})
    found = unpacked(begun) if begun else []
    known, last = {(each.k, each.j) for each in found}, time.monotonic()
    for method in methods:
        if (method.k, method.j) in known:
            continue
        found.append(drafted(matrix, method, found))
        progress(Step(len(found) / len(methods), f"k = {method.k}, j = {method.j}", {"k": method.k, "j": method.j}))
        if time.monotonic() - last > OFTEN:
            keep(packed(found))
            last = time.monotonic()
    return packed(found)


def drafted(matrix: EmbeddingMatrix, method: ProjectiveClustering, found: Sequence[Grouping] = ()) -> Grouping:
    """The groups that the draft of a setting finds; of a large matrix between two k of FIRST, for a fifth of the work, those found
    for the lower one, split."""
    fewer = 0 if method.k in FIRST else coarser(matrix, method, {each.k for each in found})
    if not fewer:
        return grouping(matrix, method, method.draft.search(matrix)[1])
    return split(matrix, method, next(each for each in found if each.k == fewer))


def coarser(matrix: EmbeddingMatrix, method: ProjectiveClustering, ks: Collection[int]) -> int:
    """The largest of some k whose groups can be split into those of the method, where that takes less than a draft; 0 for none."""
    if matrix.size <= SMALL or not method.rho.plain:
        return 0
    return max((k for k in ks if k < method.k), default=0)


def reach(matrix: EmbeddingMatrix) -> float:
    """How far from a j, see `groupings.near`, groups may have been found that a preview there takes: of a large matrix anywhere."""
    return NEAR if matrix.size <= SMALL else np.inf
