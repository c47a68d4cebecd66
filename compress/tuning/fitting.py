"""The best setting of a method within a size."""

from itertools import product
from typing import Any

from compress.form.compressed import Compressed
from compress.matrix import EmbeddingMatrix
from compress.methods import METHODS, Method


class OutOfReach(ValueError):
    """A method does not meet a target; the message says how near it comes, `short` by how much, to compare methods by."""

    def __init__(self, message: str, short: float):
        super().__init__(message)
        self.short = short


def fit_to(matrix: EmbeddingMatrix, method: str, ratio: float, **settings: Any) -> Compressed:
    """The best fit of a method that is at least `ratio` times smaller than the matrix, every setting not given chosen here.

    Candidates are compared by what their drafts lose, see Method.lost: the relative error, or what ℓp low rank lowers. The best one
    is fitted in full.
    Raises OutOfReach where nothing fits, naming the largest ratio that the method reaches.
    """
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, got {method!r}")
    if not ratio > 0:
        raise ValueError(f"ratio must be above 0, got {ratio}")
    candidates = [
        found
        for each in variants(method, settings, matrix.shape)
        if (found := within(each, matrix.shape, ratio, each.knob in settings))
    ]
    if not candidates:
        most = largest_ratio(method, matrix.shape, settings)
        raise OutOfReach(f"{method} cannot reach ratio {ratio:g} here; {most:.4g} is its most", -most)
    if len(candidates) > 1:
        candidates.sort(key=lambda each: each.lost(matrix, each.draft.fit(matrix)))
    return candidates[0].fit(matrix)


def within(method: Method, shape: tuple[int, int], ratio: float, keep: bool = False) -> Method | None:
    """The method with the largest knob, such as its j or its bits, whose size is at most the matrix's bytes / ratio; as it is where
    it has none or that is to be kept; None if too large."""
    n, d = shape
    budget = 4 * n * d / ratio * (1 + 1e-9)  # a ratio taken from a size gives that size back
    if keep:
        return method if method.size(n, d) <= budget else None
    return method.within(n, d, budget)


def variants(method: str, settings: dict, shape: tuple[int, int]) -> list[Method]:
    """Every combination of the method's choices for a shape that `settings` leaves open."""
    kind = METHODS[method]
    open_settings = {name: values for name, values in kind.choices(*shape).items() if name not in settings}
    return [kind(**settings, **dict(zip(open_settings, values, strict=True))) for values in product(*open_settings.values())]


def largest_ratio(method: str, shape: tuple[int, int], settings: dict) -> float:
    """The ratio of the method's smallest form, with these settings."""
    n, d = shape
    smallest = [each if each.knob in settings else each.smallest(n, d) for each in variants(method, settings, shape)]
    return 4 * n * d / min(each.size(n, d) for each in smallest)
