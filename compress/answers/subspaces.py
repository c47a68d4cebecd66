"""The tables of Subspaces: the groups of rows that drafts find at every k, and for one k at some j, from which all j follow."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from compress.analysis.groupings import Grouping, grouping, packed, unpacked
from compress.errors import Progress, Step
from compress.matrix import EmbeddingMatrix
from compress.methods import ProjectiveClustering

Arrays = dict[str, np.ndarray]
Keep = Callable[[Arrays], None]

MOST_K = 32
FIRST = (5, 6, 4, 1, 2, 3, 8, 12, 16, 24, 32)  # about what a page opens on, then over the whole range
PART = 6  # of the most that j can be: where drafts begin
WORK = 5e10  # products of a pass over the rows, above which a draft at one of many j is left out
OFTEN = 2.0  # seconds between what is kept


def every_k(
    matrix: EmbeddingMatrix,
    keep: Keep,
    progress: Progress,
    j: int,
    affine: bool = False,
    loss: str = "lp",
    p: float = 2.0,
    scale: float | None = None,
    seed: int = 0,
) -> Arrays:
    """Drafts of k = 1 … 32 at one j; settings as those of `ProjectiveClustering`."""
    usual = ProjectiveClustering(k=1, j=j, affine=affine, loss=loss, p=p, scale=scale, seed=seed)
    order = dict.fromkeys([*FIRST, *range(1, MOST_K + 1)])
    return drafts(matrix, keep, progress, [replace(usual, k=k) for k in order if k <= matrix.shape[0]])


def every_j(
    matrix: EmbeddingMatrix,
    keep: Keep,
    progress: Progress,
    k: int,
    affine: bool = False,
    loss: str = "lp",
    p: float = 2.0,
    scale: float | None = None,
    seed: int = 0,
) -> Arrays:
    """Drafts of one k at the `anchors`; settings as those of `ProjectiveClustering`."""
    n, d = matrix.shape
    most = min(n, d)
    order = sorted(anchors(most), key=lambda j: abs(np.log(j * PART / most)))
    usual = ProjectiveClustering(k=k, j=1, affine=affine, loss=loss, p=p, scale=scale, seed=seed)
    quick = [j for j in order if n * d * k * j <= WORK] or [1]
    return drafts(matrix, keep, progress, [replace(usual, j=j) for j in quick])


def anchors(most: int) -> list[int]:
    """The dimensions that groups are sought for, √2 apart: those found for one serve its neighbours."""
    return sorted({min(round(2 ** (half / 2)), most) for half in range(2 * most.bit_length() + 1)})


def anchor(j: int, most: int) -> int:
    """The one nearest to j by their ratio."""
    return min(anchors(most), key=lambda each: abs(np.log(each / j)))


def drafts(matrix: EmbeddingMatrix, keep: Keep, progress: Progress, methods: Sequence[ProjectiveClustering]) -> Arrays:
    """The groups that the drafts of some settings find, in their order, as `groupings.packed` has them."""
    begun = getattr(keep, "begun", {})
    found = unpacked(begun) if begun else []
    known, last = {(each.k, each.j) for each in found}, time.monotonic()
    for method in methods:
        if (method.k, method.j) in known:
            continue
        found.append(drafted(matrix, method))
        progress(Step(len(found) / len(methods), f"k = {method.k}, j = {method.j}", {"k": method.k, "j": method.j}))
        if time.monotonic() - last > OFTEN:
            keep(packed(found))
            last = time.monotonic()
    return packed(found)


def drafted(matrix: EmbeddingMatrix, method: ProjectiveClustering) -> Grouping:
    """The groups that the draft of a setting finds."""
    return grouping(matrix, method, method.draft.search(matrix)[1])
