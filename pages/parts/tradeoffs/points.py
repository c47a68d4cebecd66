"""The settings that Trade-offs shows: what is exact at once, what a sweep found, what is pinned."""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
import pandas as pd

from compress import Bound, EmbeddingMatrix, Method, class_bound, gaussian_bound
from compress.analysis.curves import svd_figures
from compress.coding.factors import BITS
from compress.methods import SVD, LightToken
from compress.threads import one_thread
from compress.tuning import opponents
from compress.tuning.front import front
from compress.tuning.recalls import RECALL, key_of
from pages.parts.cached import cached, keyed, plain_of, rounded_of
from pages.parts.fits import draft, previewable
from pages.parts.hash_codes.fits import previewed, whole_of
from pages.parts.kept import known
from pages.parts.opponents import ROUNDED
from pages.parts.pins import told_apart
from pages.parts.quick_fits import finished, quick
from pages.parts.tradeoffs.settings import MEASURES, RELATIVE, WEIGHTED

MOST_ON_A_CURVE = 150
KNOTS = 32  # ranks at which the other measures of SVD are computed; in between they are interpolated


@dataclass(frozen=True)
class Point:
    """A setting with its size and its error by the measure asked for. beside: its error by the other measure that is told with
    that one, see `told_with`. kind: "curve" for a point of SVD that needs no fit, "fit", or "preview"."""

    method: Method
    n_bytes: int
    ratio: float
    error: float
    kind: str
    beside: float | None = None

    @property
    def bits(self) -> int:
        return getattr(self.method, "factor_bits", getattr(self.method, "bits", 0))


def told_with(matrix: EmbeddingMatrix, measure: str) -> str | None:
    """The measure whose figures stand beside those asked for: where rows are weighted, the weighted or the plain error."""
    return (RELATIVE if measure == WEIGHTED else WEIGHTED) if matrix.weighted else None


@keyed
@dataclass(frozen=True, eq=False)
class Points:
    """What is known of a matrix by a measure, one point a setting. key: says of which, and what is known."""

    points: tuple[Point, ...]
    key: str

    def rows(self, methods: Iterable[Method]) -> list[int]:
        """Where settings stand among the points, those that do."""
        found = {point.method: row for row, point in enumerate(self.points)}
        return [found[method] for method in methods if method in found]


def points_of(matrix: EmbeddingMatrix, measure: str, pinned: Iterable[Method]) -> Points:
    """Everything that is known now."""
    if measure == RECALL:
        points = tuple(counted_points(matrix))
        return Points(points, f"{matrix.key} {measure} {blake2b(repr(points).encode(), digest_size=8).hexdigest()}")
    fitted = {point.method: point for point in [*rounded_points(matrix, measure), *trial_points(matrix, measure)]}
    for method in pinned:
        point = None if method in fitted else pinned_point(matrix, method, measure)
        if point:
            fitted[method] = point
    points = tuple({point.method: point for point in [*svd_points(matrix, measure), *fitted.values()]}.values())
    told = blake2b(repr([*fitted.values()]).encode(), digest_size=8).hexdigest()
    return Points(points, f"{matrix.key} {measure} {told}")


def counted_points(matrix: EmbeddingMatrix) -> list[Point]:
    """Settings whose recall is counted, each with the share that it loses."""
    trials = known(key_of(matrix))
    found = {each.method: each.figures for each in trials}
    return [sized(matrix, method, int(told["n_bytes"]), 1 - told[RECALL], "fit", None) for method, told in found.items()]


@cached(8)
def svd_points(matrix: EmbeddingMatrix, measure: str) -> list[Point]:
    """SVD at every precision and every j, or at some hundred of them where there are more."""
    most = min(matrix.shape)
    js = np.arange(1, most + 1)
    if most > MOST_ON_A_CURVE:
        js = np.unique(np.geomspace(1, most, MOST_ON_A_CURVE).round().astype(int))
    whole_bytes = np.unique(np.minimum(js + js % 2, most))  # at 4 bits an odd j takes the bytes of the next even one
    settings = [SVD(j=int(j), factor_bits=bits) for bits in BITS for j in (whole_bytes if bits == 4 else js)]
    curves = svd_curves(matrix, measure)
    return [svd_point(matrix, method, curves) for method in settings]


def svd_curves(matrix: EmbeddingMatrix, measure: str) -> dict[int, tuple[np.ndarray, np.ndarray | None]]:
    """The errors of SVD at every j from 0, by the bits of its factors, and those by the measure that is told with that one."""
    other = told_with(matrix, measure)
    return {bits: (svd_errors(matrix, bits, measure), svd_errors(matrix, bits, other) if other else None) for bits in BITS}


def svd_point(matrix: EmbeddingMatrix, method: SVD, curves: dict[int, tuple[np.ndarray, np.ndarray | None]]) -> Point:
    errors, beside = curves[method.factor_bits]
    return point_of(matrix, method, errors[method.j], "curve", None if beside is None else beside[method.j])


def svd_errors(matrix: EmbeddingMatrix, bits: int, measure: str) -> np.ndarray:
    """The error of SVD at every j from 0."""
    if measure in (RELATIVE, WEIGHTED):
        return (plain_of if measure == RELATIVE else rounded_of)(matrix, bits)
    return interpolated(matrix, 16 if bits == 32 else bits)[MEASURES[measure]]


@cached(12)
def interpolated(matrix: EmbeddingMatrix, bits: int) -> dict[str, np.ndarray]:
    most = min(matrix.shape)
    knots = np.unique(np.geomspace(1, most, KNOTS).round().astype(int))
    every = np.arange(most + 1)
    with one_thread():  # its many small products would wait for a busy second core
        figures = svd_figures(matrix, bits, knots)
    return {name: np.interp(every, [0, *knots], [1, *found]) for name, found in figures.items()}


def point_of(matrix: EmbeddingMatrix, method: Method, error: float, kind: str, beside: float | None = None) -> Point:
    return sized(matrix, method, method.size(*matrix.shape), error, kind, beside)


def sized(matrix: EmbeddingMatrix, method: Method, n_bytes: int, error: float, kind: str, beside: float | None) -> Point:
    return Point(method, n_bytes, matrix.n_bytes / n_bytes, float(error), kind, beside)


def figured(matrix: EmbeddingMatrix, method: Method, figures: dict[str, float], measure: str, kind: str = "fit") -> Point:
    """The point of a fit with these figures of Evaluation."""
    other = told_with(matrix, measure)
    beside = figures[MEASURES[other]] if other else None
    return sized(matrix, method, figures["n_bytes"], figures[MEASURES[measure]], kind, beside)


def rounded_points(matrix: EmbeddingMatrix, measure: str) -> list[Point]:
    fits = [quick(matrix, method) for method in ROUNDED]
    return [figured(matrix, fit.result.method, fit.evaluation.figures(), measure) for fit in fits]


def trial_points(matrix: EmbeddingMatrix, measure: str) -> list[Point]:
    """What sweeps and advice have found, those that were stopped and those of other pages too."""
    rest = [trial for trial in known(matrix.key) if not isinstance(trial.method, SVD) and trial.method.has_settings()]
    return [figured(matrix, trial.method, trial.figures, measure) for trial in rest]


def pinned_point(matrix: EmbeddingMatrix, method: Method, measure: str) -> Point | None:
    """A pinned setting: as it is on disk, else its preview; None where this matrix has no such setting."""
    try:
        method.check(*matrix.shape)
    except ValueError:
        return None
    if isinstance(method, SVD):
        return svd_point(matrix, method, svd_curves(matrix, measure))
    fit = finished(matrix, method)
    kind = "fit" if fit else "preview"
    if not fit and not previewable(matrix, method):
        return None
    figures = fit.evaluation.figures() if fit else previewed_figures(matrix, method)
    return figured(matrix, method, figures, measure, kind)


def previewed_figures(matrix: EmbeddingMatrix, method: Method) -> dict[str, float]:
    """The figures of a preview; of codes, whose few passes would leave much, what Hash codes expects of the full fit."""
    figures = draft(matrix, method).evaluation.figures()
    if isinstance(method, LightToken) and method.bits:
        told = whole_of(previewed(matrix, method)).figures
        figures |= {name: each.value for name, each in told.items()}
    return figures


def svd_front(matrix: EmbeddingMatrix, measure: str) -> list[Point]:
    """SVD at every precision and every j, by recall at those that are counted: the settings that no other beats in both bytes and
    error, the smallest first."""
    if measure != RECALL:
        return error_front(matrix, measure)
    points = [point for point in counted_points(matrix) if isinstance(point.method, SVD)]
    return [points[row] for row in front([point.n_bytes for point in points], [point.error for point in points])]


@cached(8)
def error_front(matrix: EmbeddingMatrix, measure: str) -> list[Point]:
    """The same by an error, of all."""
    found = opponents.svd_front(matrix, np.inf, lambda matrix, bits, most: svd_errors(matrix, bits, measure))
    curves = svd_curves(matrix, measure)
    return [svd_point(matrix, each.method, curves) for each in found.best]


def within(front: list[Point], n_bytes: float) -> Point | None:
    """The last of the points of a front that is no larger than so many bytes; None where all are."""
    place = bisect_right(front, n_bytes, key=lambda point: point.n_bytes)
    return front[place - 1] if place else None


@cached(6)
def bounds_of(matrix: EmbeddingMatrix, measure: str) -> dict[str, Bound]:
    """The ideal coders under the points; none for a measure that they are not about."""
    if measure not in (RELATIVE, WEIGHTED):
        return {}
    if measure == RELATIVE and matrix.weighted:
        matrix = EmbeddingMatrix(matrix.rows, device=matrix.device)
    with one_thread():
        return {"ideal Gaussian coder": gaussian_bound(matrix), "ideal, with row classes": class_bound(matrix)}


@cached(4)
def table_of(shown: Points) -> pd.DataFrame:
    """One row a point, in the order of the points. Not to be written to."""
    points = shown.points
    columns = {
        "method": [point.method.name for point in points],
        "label": [point.method.label for point in points],
        "setting": told_apart(point.method for point in points),
        "k": pd.array([getattr(point.method, "k", None) for point in points], "Int64"),
        "j": pd.array([getattr(point.method, "j", None) for point in points], "Int64"),
        "bits": [point.bits for point in points],
        "n_bytes": [point.n_bytes for point in points],
        "ratio": [point.ratio for point in points],
        "error": [point.error for point in points],
        "beside": pd.array([point.beside for point in points], "Float64"),
        "curve": [point.kind == "curve" for point in points],
        "preview": [point.kind == "preview" for point in points],
    }
    return pd.DataFrame(columns)
