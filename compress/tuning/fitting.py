"""The best setting of a method within a size."""

from itertools import product
from typing import Any

from compress.files import bytes_text
from compress.form.compressed import Compressed
from compress.form.metrics import ratio_text
from compress.importance import Importance
from compress.matrix import EmbeddingMatrix
from compress.methods import METHODS, Method


class OutOfReach(ValueError):
    """A method does not meet a target; the message says how near it comes, `short` by how much, to compare methods by."""

    def __init__(self, message: str, short: float):
        super().__init__(message)
        self.short = short


def fit_to(matrix: EmbeddingMatrix, method: str, ratio: float, importance: Importance | None = None, **settings: Any) -> Compressed:
    """The best fit of a method that is at least `ratio` times smaller than the matrix, every setting not given chosen here.

    Candidates are compared by what their drafts lose, see Method.lost: the relative error, or what ℓp low rank lowers. The best one
    is fitted in full. With an importance, errors count as it says, in either.
    Raises OutOfReach where nothing fits, naming the smallest form that the method has and what takes most of it.
    """
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, got {method!r}")
    settings = METHODS[method].told_by(matrix) | settings
    if not ratio > 0:
        raise ValueError(f"ratio must be above 0, got {ratio}")
    candidates = [
        found
        for each in variants(method, settings, matrix.shape)
        if (found := within(each, matrix.shape, ratio, each.knob in settings))
    ]
    if not candidates:
        why = no_smaller(method, matrix.shape, settings)
        raise OutOfReach(f"{method} cannot reach ratio {ratio:g} here: {why}", -largest_ratio(method, matrix.shape, settings))
    if len(candidates) > 1:
        candidates.sort(key=lambda each: lost(each, matrix, importance))
    return candidates[0].fit_for(matrix, importance) if importance else candidates[0].fit(matrix)


def lost(method: Method, matrix: EmbeddingMatrix, importance: Importance | None) -> float:
    """What a draft loses, of the matrix or of what is important in it."""
    if importance is None:
        return method.lost(matrix, method.draft.fit(matrix))
    return importance.error(matrix, method.draft.fit_for(matrix, importance))


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
    return 4 * n * d / smallest(method, shape, settings).size(n, d)


def smallest(method: str, shape: tuple[int, int], settings: dict) -> Method:
    """The setting of the method's smallest form, with these settings."""
    n, d = shape
    least = [each if each.knob in settings else each.smallest(n, d) for each in variants(method, settings, shape)]
    return min(least, key=lambda each: each.size(n, d))


def no_smaller(method: str, shape: tuple[int, int], settings: dict) -> str:
    """Why a method reaches no larger ratio: its smallest form, and what takes most of that."""
    n, d = shape
    least = smallest(method, shape, settings)
    size, (part, most) = least.size(n, d), least.bulk(n, d)
    value = least.settings.get(least.knob or "")
    knob = f" at {least.knob} = {value}" if isinstance(value, int) else ""
    told = f"no smaller than {bytes_text(size)}{knob} ({ratio_text(4 * n * d / size)})"
    return f"{told}, of which {bytes_text(most)} are its {part.replace('_', ' ')}"
