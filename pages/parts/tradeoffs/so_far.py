"""What is known already to a size or an error that is asked for."""

import math
from collections.abc import Iterable

from compress import EmbeddingMatrix
from compress.tuning import advise
from compress.tuning.sweep import Trial
from pages.parts.cached import cached
from pages.parts.kept import known
from pages.parts.opponents import ROUNDED, rounded
from pages.parts.tradeoffs.points import svd_front
from pages.parts.tradeoffs.settings import RELATIVE, WEIGHTED


def so_far(matrix: EmbeddingMatrix, target: str, value: float, names: Iterable[str]) -> dict | None:
    """The advice that trials, rounding and the curves of SVD give, as `Advice.row` has it; None where nothing known will do."""
    trials = [*known(matrix.key), *(rounded(matrix, method) for method in ROUNDED), *svd_trials(matrix)]
    found = advise.so_far(matrix, trials, methods=names, **{target: value})
    return found and found.row()


@cached(4)
def svd_trials(matrix: EmbeddingMatrix) -> list[Trial]:
    """Those that no other beats, with the figures that are known without a fit."""
    found = []
    for point in svd_front(matrix, WEIGHTED if matrix.weighted else RELATIVE):
        relative = point.error if point.beside is None else point.beside
        errors = {"weighted_error": point.error, "relative_error": relative, "mean_cosine": math.nan}
        found.append(Trial(point.method, {**errors, "n_bytes": point.n_bytes, "ratio": point.ratio}))
    return found
