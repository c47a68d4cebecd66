"""What a setting is held against on every page: SVD at its best in as many bytes, and the best that is known there."""

from functools import cached_property

import numpy as np

from compress import METHODS, SVD, EmbeddingMatrix, Method
from compress.tuning.opponents import Opponent, Ranking, SvdFront, best_svd, svd_front
from compress.tuning.sweep import Trial
from pages.parts.cached import both_of, cached, keyed
from pages.parts.kept import known
from pages.parts.quick_fits import quick

ROUNDED = tuple(method() for method in METHODS.values() if not method.has_settings())


def svd_within(matrix: EmbeddingMatrix, n_bytes: float) -> Opponent | None:
    return best_svd(matrix, n_bytes, curve_to)


def curve_to(matrix: EmbeddingMatrix, bits: int, most: int) -> np.ndarray:
    """See `opponents.svd_curve`. Up to the next power of two, so that small steps of a size ask for nothing new, and a wide table
    is not rounded at all its ranks for a few."""
    return both_of(matrix, bits, min(2 ** (most - 1).bit_length(), *matrix.shape))[0]


@keyed
class Rivals:
    """What settings of a matrix are held against, at any size. fitted: all that was fitted to all rows by the weights in use, SVD
    left out, which is known at every size. up_to: bytes that SVD is to be known to, where many sizes are asked for."""

    def __init__(self, matrix: EmbeddingMatrix, up_to: float = 0):
        self.matrix, self.up_to = matrix, up_to
        self.fitted = [trial for trial in known(matrix.key) if not isinstance(trial.method, SVD)]

    @cached_property
    def key(self) -> str:
        """What was fitted is told by its settings."""
        return f"{self.matrix.key} {hash(tuple(trial.method for trial in self.fitted))} {self.up_to}"

    def svd(self, n_bytes: float) -> Opponent | None:
        if n_bytes > self.up_to:
            return svd_within(self.matrix, n_bytes)
        return self.front.within(n_bytes)

    @cached_property
    def front(self) -> SvdFront:
        return front_to(self.matrix, self.up_to)

    @cached_property
    def ranking(self) -> Ranking:
        return ranking_of(self)

    def known(self, n_bytes: float, besides: Method | None = None) -> Opponent | None:
        """The best of all that, one setting left out."""
        return self.ranking.best(n_bytes, besides)


@cached(8)
def ranking_of(rivals: Rivals) -> Ranking:
    """What was fitted, and what is rounded as it is."""
    return Ranking([*rivals.fitted, *(rounded(rivals.matrix, each) for each in ROUNDED)])


@cached(8)
def front_to(matrix: EmbeddingMatrix, n_bytes: float) -> SvdFront:
    return svd_front(matrix, n_bytes, curve_to)


def rounded(matrix: EmbeddingMatrix, method: Method) -> Trial:
    fit = quick(matrix, method)
    return Trial(fit.result.method, fit.evaluation.figures())
