"""What is shown of a setting: its full fit, or a preview by a draft or by groups of rows that are known."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from compress import Compressed, EmbeddingMatrix, Evaluation, ProjectiveClustering
from compress.analysis.groupings import Grouping, group_errors, grouping
from compress.analysis.spectrum import group_singular_values, principal_angles
from compress.coding import factors
from compress.threads import one_thread
from pages.parts.cached import cached, keyed
from pages.parts.fits import Fit, draft, shown, taken_up
from pages.parts.work.queue import QUEUE


@keyed
@dataclass(frozen=True, eq=False)
class Grouped:
    """The preview of a setting by groups of its rows, which tell its errors: it is fitted when more is asked for. history: the
    steps of the search for them, if there was one. Members as those of a Fit."""

    matrix: EmbeddingMatrix
    asked: ProjectiveClustering
    groups: Grouping
    history: tuple[dict, ...] = ()

    preview: ClassVar[bool] = True

    @property
    def key(self) -> str:
        return f"{self.asked!r} {self.groups.key}"

    @property
    def labels(self) -> np.ndarray:
        return self.groups.labels

    @property
    def errors(self) -> tuple[float, float]:
        """Relative and weighted, with exact factors."""
        return float(self.groups.errors[self.asked.j]), float(self.groups.weighted_errors[self.asked.j])

    @property
    def result(self) -> Compressed:
        return by_groups(self.matrix, self.asked, self.groups).result

    @property
    def evaluation(self) -> Evaluation:
        return by_groups(self.matrix, self.asked, self.groups).evaluation


Found = Fit | Grouped


def found(matrix: EmbeddingMatrix, method: ProjectiveClustering, start: Grouping | None) -> Found:
    """The full fit of a setting where there is one yet, else its preview. start: the groups that one takes, sought unless given."""
    fit = taken_up(matrix, method)
    if fit is not None:
        return fit
    exact = method.factor_bits in factors.FLOAT  # else rounding has its part in the errors
    if start is not None:
        return Grouped(matrix, method, start) if exact else by_groups(matrix, method, start)
    told_by_groups = exact and method.k > 1 and method.rho.plain
    return Grouped(matrix, method, *sought(matrix, method)) if told_by_groups else draft(matrix, method)


@cached(16, slow=True)
def sought(matrix: EmbeddingMatrix, method: ProjectiveClustering) -> tuple[Grouping, tuple[dict, ...]]:
    """The groups that the draft of a setting finds, in a crowd without a pass over all rows, and the steps of its search."""
    history: list[dict] = []
    with one_thread():  # steady beside a browser that is drawing
        passes = 0 if QUEUE.crowded else None
        labels = method.draft.search(matrix, lambda step: history.append(step.row()), passes=passes)[1]
        return grouping(matrix, method, labels), tuple(history)


@cached(8)
def by_groups(matrix: EmbeddingMatrix, method: ProjectiveClustering, groups: Grouping) -> Fit:
    """The preview of a setting that known groups give."""
    with one_thread():
        return shown(matrix, method, method.of_groups(matrix, groups.labels.astype(np.int64)), [], True)


def errors_inside(matrix: EmbeddingMatrix, fit: Found) -> np.ndarray:
    """(k,) the relative error of each subspace's rows."""
    if isinstance(fit, Grouped):
        return group_errors(matrix, fit.groups)[:, fit.asked.j]
    errors, norms, k = fit.evaluation.row_errors, matrix.squared_norms, fit.asked.k
    left = np.where(np.isfinite(errors), errors, 0) * norms
    return np.bincount(fit.labels, left, k) / np.maximum(np.bincount(fit.labels, norms, k), 1e-300)


@cached(12)
def angles_of(fit: Found) -> np.ndarray:
    return principal_angles(factors.read_bases(fit.result.arrays))


@cached(12)
def group_spectra_of(matrix: EmbeddingMatrix, fit: Found) -> np.ndarray:
    return group_singular_values(matrix, fit.labels, fit.asked.k)
