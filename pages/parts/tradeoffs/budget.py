"""What each method does best within a budget: its cards, its marks on the chart, and how near the best comes to the ideal coder."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from compress import METHODS, Bound, EmbeddingMatrix
from compress.charts.figure import FLOOR
from compress.files import bytes_text
from compress.form.metrics import error_text
from compress.methods import ALONE
from compress.tuning.fitting import largest_ratio
from compress.tuning.front import best_within
from compress.tuning.recalls import RECALL
from pages.parts.cached import cached
from pages.parts.cards import change_text
from pages.parts.dial.answers import Answers, Figure, Line, Mark, Ring
from pages.parts.pins import describe
from pages.parts.tradeoffs.points import Point, Points, bounds_of, svd_front, table_of, within
from pages.parts.tradeoffs.settings import BUDGETS


@dataclass(frozen=True, eq=False)
class Budgets:
    """At each of the budgets, by its place: the best point of every method, the least error first, and all that is told of them.
    answers: the same for the dial."""

    best: Sequence[Sequence[Point]]
    cards: Sequence[Sequence[Figure]]
    least: Sequence[str]
    ideal: Sequence[str]
    marks: Sequence[Sequence[Mark]]
    answers: Answers


@cached(4)
def budgets_of(matrix: EmbeddingMatrix, points: Points, measure: str, log: bool) -> Budgets:
    """What Trade-offs tells at every budget."""
    best, bounds = best_points(matrix, points, measure), bounds_of(matrix, measure)
    svd = svd_front(matrix, measure)
    figures = {point: method_figure(point, svd, measure) for point in {point for each in best for point in each}}
    cards = [[figures[point] for point in each] for each in best]
    most = {name: largest_ratio(name, matrix.shape, {}) for name in ALONE if METHODS[name].has_settings()}
    least = [least_words(matrix, each, ratio, measure, most) for each, ratio in zip(best, BUDGETS, strict=True)]
    ideal = [ideal_words(bounds, each, ratio) for each, ratio in zip(best, BUDGETS, strict=True)]
    marks = [marks_of(matrix, each, ratio, log) for each, ratio in zip(best, BUDGETS, strict=True)]
    told = Answers(
        np.arange(len(BUDGETS)), {"cards": cards}, {"tradeoffs": [*map(whole, marks)]}, sentences={"least": least, "ideal": ideal}
    )
    return Budgets(best, cards, least, ideal, marks, told)


def best_points(matrix: EmbeddingMatrix, points: Points, measure: str) -> list[list[Point]]:
    """At each budget the best setting of every method, the least error first; of SVD among all its settings."""
    budgets = matrix.n_bytes / np.array(BUDGETS)
    svd = svd_front(matrix, measure)
    found = [[within(svd, n_bytes * (1 + 1e-9)) for n_bytes in budgets]]
    for _, rows in table_of(points).groupby("method", sort=False):
        places = best_within(rows["n_bytes"], rows["error"], budgets)
        if rows["method"].iloc[0] != "svd":
            found.append([points.points[rows.index[place]] if place >= 0 else None for place in places])
    return [sorted(filter(None, each), key=lambda point: (point.error, point.n_bytes)) for each in zip(*found, strict=True)]


def method_figure(point: Point, front: list[Point], measure: str) -> Figure:
    """A setting's error, or recall, and how it compares with SVD in as many bytes. front: of SVD."""
    size, svd = bytes_text(point.n_bytes), within(front, point.n_bytes)
    delta, color, about, beside = size, "off", None, ""
    if svd and point.method.name != "svd" and svd.error > 0:
        word = "lost" if measure == RECALL else "error"
        delta, color, about = change_text(point.error, svd.error), "inverse", f"{word} against SVD in {size}"
        beside = f". Held against {describe(svd.method)}"
    preview = ". A preview, over all rows; the full fit is no worse as a rule" if point.kind == "preview" else ""
    return Figure(
        describe(point.method),
        f"{1 - point.error:.3f}" if measure == RECALL else error_text(point.error, point.kind == "preview"),
        delta,
        color,
        about,
        f"{describe(point.method)}: {point.n_bytes:,} bytes, ratio {point.ratio:.3g}{beside}{preview}",
    )


def least_words(matrix: EmbeddingMatrix, best: Sequence[Point], ratio: float, measure: str, most: dict[str, float]) -> str:
    """The setting that loses least, and the methods of which nothing at this size is known yet. most: the ratio each reaches."""
    if not best:
        return f"Nothing here is {ratio:g} times smaller than this matrix. Move the budget to the left."
    known = {point.method.name for point in best}
    names = [METHODS[name].label for name, reached in most.items() if reached >= ratio and name not in known]
    lacking = f" Not fitted at this size yet: {', '.join(names)}; Sweep and Advise fit them." if names else ""
    least = f"Most {measure}" if measure == RECALL else f"Least {measure}"
    return f"{least} in {bytes_text(matrix.n_bytes / ratio)}: {describe(best[0].method)}.{lacking}"


def ideal_words(bounds: dict[str, Bound], best: Sequence[Point], ratio: float) -> str:
    """What the ideal coders have at a ratio, and how near the best point comes to the first of them."""
    if not bounds:
        return ""
    ideal, classes = (error_text(float(bound.error(ratio))) for bound in bounds.values())
    told = f"At ratio {ratio:g} the ideal Gaussian coder has an error of {ideal}, with row classes {classes}."
    near = nearness(best[0], next(iter(bounds.values()))) if best else ""
    return f"{told} {near}".strip()


def nearness(best: Point, bound: Bound) -> str:
    """How near a point comes to the ideal coder at its own size; nothing where both have hardly any error."""
    ideal = float(bound.error(best.ratio))
    if min(best.error, ideal) <= 1e-9:  # a quotient of roundings
        return ""
    apart = 10 * math.log10(best.error / ideal)
    side = f"{abs(apart):.1f} dB {'above' if apart >= 0 else 'below'}"
    more = f" ({best.error / ideal - 1:+.0%} in error)" if abs(apart) < 10 else ""
    here = f"The best here, {best.method.label} with {error_text(best.error)} at {best.ratio:.3g} ×"
    return f"{here}, is {side} the ideal at its own size{more}."


def marks_of(matrix: EmbeddingMatrix, best: Sequence[Point], ratio: float, log: bool) -> list[Mark]:
    """The upright line at the budget, and a ring around the best point of every method."""
    rings = [Ring(point.method.name, point.n_bytes, max(point.error, FLOOR) if log else point.error) for point in best]
    return [Line("budget", matrix.n_bytes / ratio, f"{ratio:g} ×"), *rings]


def whole(marks: Sequence[Mark]) -> list[Mark]:
    """The marks with a ring nowhere for every method that has none, so that one which another budget has is not left standing."""
    return [*marks, *(Ring(name, math.nan, math.nan) for name in METHODS if name not in {mark.name for mark in marks})]
