"""The groups of rows that are known by now, from drafts made ahead and from what was shown: at once a preview of any k and j."""

import math

import numpy as np
import streamlit as st

from compress import EmbeddingMatrix, ProjectiveClustering
from compress.analysis.groupings import Grouping, best, grouping, near, split, unpacked
from compress.answers.subspaces import FIRST, MOST_K, coarser, reach, search_of, tables_of
from pages.parts.cached import cached
from pages.parts.fits import Fit
from pages.parts.subspaces.found import Found, Grouped
from pages.parts.work.ahead import ahead
from pages.parts.work.queue import QUEUE

Known = dict[int, list[Grouping]]  # by how many they are

FEW = 12_000  # rows of which a map is sent the labels at every k
SHOWN, LAST = "groups shown", "groups of every k"  # in the session's state


def known_groups(matrix: EmbeddingMatrix, method: ProjectiveClustering, every_k: list[Grouping]) -> Known:
    """Those of searches as this one, at any j. every_k: of the drafts at every k."""
    same = search_of(method)
    arrays = ahead(matrix, "j", **tables_of(method, matrix.shape)["j"])
    found = every_k + (unpacked(arrays) if arrays else [])
    whose, shown, _ = st.session_state.get(SHOWN, (None, None, None))
    if shown is not None and whose == (matrix.key, same):
        found.append(shown)
    by_k: Known = {}
    for each in found:
        add(by_k, each)
    return by_k


def drafts_of_k(matrix: EmbeddingMatrix, method: ProjectiveClustering) -> list[Grouping]:
    """Those of drafts at every k, so far, in the order they were made."""
    same = search_of(method)
    arrays = ahead(matrix, "k", **tables_of(method, matrix.shape)["k"])
    if arrays:
        st.session_state[LAST] = (matrix.key, same), arrays
    elif st.session_state.get(LAST, [None])[0] == (matrix.key, same):
        arrays = st.session_state[LAST][1]  # of another j, until there is that of this one
    return unpacked(arrays) if arrays else []


def colours_of_k(drafts: list[Grouping]) -> dict[int, np.ndarray]:
    """The labels of those drafts by k, more at some steps: few are sent again when one is added. Of many rows only at the first k,
    which lie all over the range and take a quarter of the bytes."""
    some = [each for each in drafts if each.k in FIRST or len(each.labels) <= FEW]
    sent = max((step for step in (1, 2, 4, 8, len(FIRST), MOST_K) if step <= len(some)), default=0)
    return {each.k: each.labels for each in some[:sent]}


def add(known: Known, groups: Grouping) -> None:
    """Groups beside those that are known, unless they are among them."""
    beside = known.setdefault(groups.k, [])
    if groups.key not in [each.key for each in beside]:
        beside.append(groups)


def start_of(matrix: EmbeddingMatrix, method: ProjectiveClustering, known: Known) -> Grouping | None:
    """The groups that a preview of the method takes; None where a draft is better, or is shown, or there are none."""
    if st.session_state.get(SHOWN, (None, None, None))[2] == (matrix.key, method):
        return None
    found = best(near(known.get(method.k, []), method.j, reach_now(matrix)), method.j)
    fewer = best(known.get(coarser(matrix, method, known), []), method.j)
    return halved(matrix, method, fewer) if found is None and fewer is not None else found


def reach_now(matrix: EmbeddingMatrix) -> float:
    """See `reach`; in a crowd that of a large matrix."""
    return math.inf if QUEUE.crowded else reach(matrix)


@cached(16)
def halved(matrix: EmbeddingMatrix, method: ProjectiveClustering, groups: Grouping) -> Grouping:
    return split(matrix, method, groups)


def groups_of(matrix: EmbeddingMatrix, fit: Found, known: Known) -> Grouping:
    """The groups of a fit, from now on among those that are known, in the next run of the page too."""
    method = fit.asked
    if isinstance(fit, Grouped):
        found = fit.groups
    else:
        told = Grouping(fit.labels, method.j, np.empty(0), np.empty(0))
        same = (each for each in known.get(method.k, []) if each.key == told.key)
        found = next(same, None) or grouped(matrix, fit)
    add(known, found)
    drafted = (matrix.key, fit.asked) if fit.preview and fit.history else None
    st.session_state[SHOWN] = (matrix.key, search_of(method)), found, drafted
    return found


@cached(6)
def grouped(matrix: EmbeddingMatrix, fit: Fit) -> Grouping:
    return grouping(matrix, fit.result.method, fit.labels)
