"""The best setting of a method within a size."""

from dataclasses import fields, replace

from compress.compressed import Compressed
from compress.matrix import EmbeddingMatrix
from compress.methods import METHODS, Method
from compress.methods.base import rank_bound

GROUPS = (2, 5, 10)  # numbers of subspaces that fit_to tries


def fit_to(matrix: EmbeddingMatrix, method: str, ratio: float, **settings) -> Compressed:
    """The best fit of a method that is at least `ratio` times smaller than the matrix, every setting not given chosen here.

    Candidates are compared by what their drafts lose, see Method.lost: the relative error, or what ℓp low rank lowers. The best one
    is fitted in full.
    Raises ValueError where nothing fits, naming the largest ratio that the method reaches.
    """
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, got {method!r}")
    if not ratio > 0:
        raise ValueError(f"ratio must be above 0, got {ratio}")
    candidates = [
        found
        for each in variants(method, settings, matrix.shape[0])
        if (found := within(each, matrix.shape, ratio, each.knob in settings))
    ]
    if not candidates:
        raise ValueError(
            f"{method} cannot reach ratio {ratio:g} here; {largest_ratio(method, matrix.shape, settings):.3g} is its most"
        )
    if len(candidates) > 1:
        candidates.sort(key=lambda each: each.lost(matrix, each.draft.fit(matrix)))
    return candidates[0].fit(matrix)


def within(method: Method, shape: tuple[int, int], ratio: float, keep: bool = False) -> Method | None:
    """The method with the largest knob, its j or its bits, whose size is at most the matrix's bytes / ratio; as it is where it has
    none or that is to be kept; None if too large."""
    n, d = shape
    budget = 4 * n * d / ratio * (1 + 1e-9)  # a ratio taken from a size gives that size back

    def fits(candidate):
        return candidate.size(n, d) <= budget

    if keep or method.knob is None:
        return method if fits(method) else None
    low, high = 0, rank_bound(n, d)[0] if method.knob == "j" else n - 1
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(replace(method, **{method.knob: middle})) else (low, middle - 1)
    return replace(method, **{method.knob: low}) if low else None


def variants(method: str, settings: dict, n: int) -> list[Method]:
    """Every combination of factor precision and number of subspaces (of n rows) that `settings` leaves open."""
    kind = METHODS[method]
    names = {field.name for field in fields(kind)}
    precisions = [settings["factor_bits"]] if "factor_bits" in settings else kind.precisions
    groups = [settings["k"]] if "k" in settings else [k for k in GROUPS if k <= n]
    found = [dict(settings)]
    if "factor_bits" in names:
        found = [{**each, "factor_bits": bits} for each in found for bits in precisions]
    if "k" in names:
        found = [{**each, "k": k} for each in found for k in groups]
    return [kind(**each) for each in found]


def largest_ratio(method: str, shape: tuple[int, int], settings: dict) -> float:
    n, d = shape
    smallest = [
        replace(each, **{each.knob: 1}) if each.knob and each.knob not in settings else each
        for each in variants(method, settings, n)
    ]
    return 4 * n * d / min(each.size(n, d) for each in smallest)
