"""What Subspaces tells at every j and at every k, before a fit there."""

from dataclasses import replace

import numpy as np

from compress import EmbeddingMatrix, ProjectiveClustering
from compress.analysis.groupings import Grouping, best, errors_of_j, errors_of_k, group_errors, near, rounded, rounding
from compress.answers.subspaces import MOST_K, reach
from compress.coding import factors
from pages.parts.cached import cached
from pages.parts.cards import setting_figures
from pages.parts.dial.answers import Answers, cut
from pages.parts.opponents import Rivals
from pages.parts.subspaces.found import Found
from pages.parts.subspaces.known import Known
from pages.parts.subspaces.settings import SUBSPACES

DIGITS = 4  # of the shares that rounding adds: more would only make equal answers differ


def subspace_answers(matrix: EmbeddingMatrix, fit: Found, groups: Grouping, known: Known, rivals: Rivals) -> dict[str, Answers]:
    """By the key of the dial. groups: of the fit that is shown, among those that are known."""
    method = fit.asked
    shares = 0.0, 0.0
    if method.factor_bits not in factors.FLOAT:
        relative, weighted = fit.errors
        shares = (
            round(rounding(groups.errors, relative, method.j), DIGITS),
            round(rounding(groups.weighted_errors, weighted, method.j), DIGITS),
        )
    return {
        SUBSPACES.j.key: j_answers(matrix, replace(method, j=1), groups, tuple(known[groups.k]), shares, rivals),
        SUBSPACES.k.key: k_answers(matrix, method, known, shares, rivals),
    }


def rivals_of(matrix: EmbeddingMatrix, method: ProjectiveClustering) -> Rivals:
    """Up to the size of the largest setting that the dials reach."""
    return Rivals(matrix, replace(method, k=MOST_K, j=min(matrix.shape)).size(*matrix.shape))


@cached(6)
def j_answers(
    matrix: EmbeddingMatrix,
    method: ProjectiveClustering,
    groups: Grouping,
    known: tuple[Grouping, ...],
    shares: tuple[float, float],
    rivals: Rivals,
) -> Answers:
    """At every j. method: at any. known: groups of as many subspaces as are shown. shares: what rounding adds to relative and
    weighted errors."""
    js = np.arange(1, min(matrix.shape) + 1)
    relative, weighted = map(rounded, errors_of_j(known, reach(matrix)), shares)
    return Answers(
        js,
        figures={
            "cards": [
                setting_figures(matrix, replace(method, j=int(j)), (float(relative[j]), float(weighted[j])), rivals) for j in js
            ]
        },
        marks={"group_spectra": [[cut(int(j))] for j in js]},
        traces={"sizes": {"relative error": {"y": rounded(group_errors(matrix, groups), shares[0])[:, js].T}}},
    )


def k_answers(
    matrix: EmbeddingMatrix, method: ProjectiveClustering, known: Known, shares: tuple[float, float], rivals: Rivals
) -> Answers:
    """At every k, at the j of the method."""
    ks, j = range(1, min(MOST_K, matrix.shape[0]) + 1), method.j
    known = {k: near(each, j, reach(matrix)) for k, each in known.items()}
    relative, weighted = map(rounded, errors_of_k(known, j, ks), shares)
    rows = np.full((len(ks), len(ks)), np.nan)
    errors = rows.copy()
    for k in ks:
        found = best(known.get(k, []), j)
        if found is not None:
            rows[k - 1, :k] = np.bincount(found.labels, minlength=k)
            errors[k - 1, :k] = rounded(group_errors(matrix, found)[:, j], shares[0])
    places = np.tile(np.arange(1.0, len(ks) + 1), (len(ks), 1))
    return Answers(
        ks,
        figures={
            "cards": [
                setting_figures(matrix, replace(method, k=k), (float(one), float(other)), rivals)
                for k, one, other in zip(ks, relative, weighted, strict=True)
            ]
        },
        traces={"sizes": {"rows": {"x": places, "y": rows}, "relative error": {"x": places, "y": errors}}},
    )
