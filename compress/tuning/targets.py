"""What is asked of a compressed form, a size, an error or what a model loses, and the best setting of a method that meets it."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from compress.analysis.bound import gaussian_bound
from compress.analysis.curves import svd_errors
from compress.checks import real
from compress.matrix import EmbeddingMatrix
from compress.methods import ALONE, METHODS, SVD, Method
from compress.tuning.fits import Fits, error_of, felt, judged, judged_before
from compress.tuning.fitting import OutOfReach, largest_ratio, no_smaller
from compress.tuning.sweep import Trial
from compress.tuning.terms import Term

FAR = 4.0  # times the bytes of the best so far: where the search for the smallest form of another method ends
KEPT = 3  # combinations of other settings that go on after the first probe of a search
PROBES, CONFIRMED = 9, 4  # the most drafts and full fits that a search goes through for a combination
NEAR = 1.01  # the ratio at which a search by errors ends
EXACT = 1e-6  # an error that leaves nothing to win by more fits
AHEAD = 1.2  # times the bytes of the ideal coder: where a search begins
FIRST = 8.0  # the ratio that the model is asked about first
CHEAP = 20  # effort up to which the drafts of all combinations are made at each size
ASKED = 6  # the most fits of a method that it is asked about
LEAST = 0.05  # of what a model may lose: less is taken for this much, as a figure's own chance is larger
HOPE = 1.5  # times the limit: a draft that loses more than this, at the largest size, will not become enough by a full fit


USUAL = [name for name in ALONE if METHODS[name].lost is Method.lost]  # the others lower another error, and slowly


def is_slow(name: str) -> bool:
    """Whether a full fit of the method takes longer than its draft."""
    usual = METHODS[name]()
    return usual.draft != usual


@dataclass(frozen=True)
class SizeTarget:
    """At least so many times smaller: the least error is best."""

    asked: dict[str, float]
    ratio: float

    @property
    def verb(self) -> str:
        """What a method would have to do, for a sentence."""
        return f"reaches ratio {self.ratio:.4g}"

    @staticmethod
    def order(trial: Trial) -> tuple:
        """What trials are sorted by, the best first."""
        return error_of(trial), trial.figures["n_bytes"]

    def met(self, trial: Trial) -> bool:
        """Whether a trial is enough."""
        return trial.figures["ratio"] * (1 + 1e-9) >= self.ratio

    def best(self, fits: Fits, name: str, found: list[Trial]) -> Trial:
        """The best setting of a method by its drafts, fitted in full; none where a quicker method has no error to speak of."""
        done = next((trial for trial in found if error_of(trial) < EXACT), None)
        if done and is_slow(name):
            raise OutOfReach(f"not fitted, since {done.method.label} has an error of {error_of(done):.2g} already", math.inf)
        candidates = {setting: None for each in fits.settings(name) if (setting := fits.within(each, self.ratio))}
        if not candidates:
            most = largest_ratio(name, fits.matrix.shape, {})
            raise OutOfReach(no_smaller(name, fits.matrix.shape, {}), -most)
        if len(candidates) == 1:
            return fits.full(*candidates)
        return fits.full(min(candidates, key=lambda setting: error_of(fits.draft(setting))))

    @staticmethod
    def why(best: Trial, rest: list[Trial], weighted: bool) -> str:
        """Why the best is taken, in a sentence."""
        measure = "weighted" if weighted else "relative"
        told = f"{best.method.label} at {best.figures['ratio']:.3g}× has a {measure} error of {error_of(best):.3g}"
        if not rest:
            return f"{told}; no other method that was asked is as small."
        return f"{told}; the next, {rest[0].method.label}, has {error_of(rest[0]):.3g} in as many bytes."


class LossTarget(ABC):
    """At most such a loss: the smallest form is best.

    aim: the share of the limit that a search aims at. close: the share that is close enough to it. near: the ratio of the smallest
    form that is enough and one that is not, at which a search ends. slope: of log loss over log ratio, until two fits tell. flat:
    the share of the limit up to which a loss is no more than chance, and tells of no slope.
    """

    limit: float
    aim: ClassVar[float] = 1.0
    close: ClassVar[float] = math.inf
    near: ClassVar[float] = NEAR
    flat: ClassVar[float] = 0.0
    slope: ClassVar[float] = 2.0

    @abstractmethod
    def of(self, trial: Trial) -> float:
        """What a trial loses, in the unit of the limit."""

    @abstractmethod
    def told(self, trial: Trial, weighted: bool) -> str:
        """What a trial loses at its size, in words."""

    def why(self, best: Trial, rest: list[Trial], weighted: bool) -> str:
        """Why the best is taken, in a sentence."""
        told = self.told(best, weighted)
        if not rest:
            return f"{told}; no other method that was asked is near that size."
        times = rest[0].figures["n_bytes"] / best.figures["n_bytes"]
        more = f"{times:.2f} times the bytes" if times >= 1.005 else "as many bytes"
        return f"{told}; the next, {rest[0].method.label}, takes {more}."

    def order(self, trial: Trial) -> tuple:
        """What trials are sorted by, the best first."""
        return trial.figures["n_bytes"], self.of(trial)

    def met(self, trial: Trial) -> bool:
        """Whether a trial is enough."""
        return self.of(trial) <= self.limit

    @staticmethod
    def bounds(fits: Fits, name: str, found: list[Trial]) -> tuple[float, float]:
        """The ratios that a method is sought between. Raises OutOfReach where none of its forms is small enough to be of use."""
        high = largest_ratio(name, fits.matrix.shape, {})
        low = max(1.0, max((trial.figures["ratio"] for trial in found), default=0) / FAR)
        if low > high:
            why = no_smaller(name, fits.matrix.shape, {})
            raise OutOfReach(f"{why}: {low / high * FAR:.2g} times the bytes of the best", math.inf)
        return low, high

    def search(
        self, fit: Callable[[float], Trial | None], start: float, low: float, high: float, most: int, known: Iterable[Trial] = ()
    ) -> Trial:
        """The smallest fit from low to high that is enough, by bracket and secant on the logs of ratio and loss; where none of so
        many is, the one that loses least. fit(ratio) gives a form of that ratio or a larger one. known: fits of the same kind that
        are there already."""
        x, step, again = math.log(start), 0.0, False
        aim, close = math.log(max(self.aim * self.limit, 1e-300)), self.close * self.limit
        points = {math.log(trial.figures["ratio"]): math.log(max(self.of(trial), 1e-300)) for trial in known}
        tried, fitted = [*known], 0
        met = max((math.log(trial.figures["ratio"]) for trial in tried if self.met(trial)), default=-math.inf)
        missed = min((point for point in points if point > met), default=math.inf)
        for turn in range(4 * most):
            if turn or points:
                ended = met >= math.log(high) - 1e-9 or missed <= math.log(low) + 1e-9
                near = missed - met <= math.log(self.near) or any(close <= self.of(each) <= self.limit for each in tried)
                if ended or near or fitted >= (most if met in points else 2 * most):
                    break
                if met in points and missed in points:
                    share = (aim - points[met]) / max(points[missed] - points[met], 1e-9)
                    flat = math.exp(points[met]) <= self.flat * self.limit
                    x = met + (0.5 if flat else min(max(share, 0.1), 0.9)) * (missed - met)
                else:
                    edge = met if met in points else missed
                    told = max(abs(aim - points.get(edge, aim)) / slope_of(points, edge, self.slope), 0.03)
                    step = 2 * step if again else min(told, 1.0) + 0.02
                    up = min(met + step, math.log(high), (met + missed) / 2)
                    x = up if met in points else max(missed - step, math.log(low))
            trial = fit(math.exp(x))
            again = bool(tried) and trial is tried[-1]
            if trial is None:
                missed = x
                continue
            if not again:
                tried.append(trial)
                fitted += 1
            is_enough = self.met(trial)
            met, missed = (max(met, math.log(trial.figures["ratio"])), missed) if is_enough else (met, min(missed, x))
            points[met if is_enough else x] = math.log(max(self.of(trial), 1e-300))
        enough = [trial for trial in tried if self.met(trial)]
        return min(enough, key=self.order) if enough else min(tried, key=self.of)


@dataclass(frozen=True)
class ErrorTarget(LossTarget):
    """At most such an error, or one minus a mean cosine."""

    asked: dict[str, float]
    limit: float
    cosine: bool

    @property
    def verb(self) -> str:
        """What a method would have to do, for a sentence."""
        return f"keeps the mean cosine at {1 - self.limit:.6g}" if self.cosine else f"keeps the error within {self.limit:.3g}"

    def told(self, trial: Trial, weighted: bool) -> str:
        error = f"{'a weighted' if weighted else 'a relative'} error of {error_of(trial):.3g}"
        kept = f"a mean cosine of {trial.figures['mean_cosine']:.4g}" if self.cosine else error
        return f"{trial.method.label} has {kept} at {trial.figures['ratio']:.3g}×"

    def of(self, trial: Trial) -> float:
        """What a trial loses, in the unit of the limit."""
        return max(1 - trial.figures["mean_cosine"], 0.0) if self.cosine else error_of(trial)

    def best(self, fits: Fits, name: str, found: list[Trial]) -> Trial:
        """The smallest setting of a method whose full fit is enough: sought by drafts, confirmed by full fits."""
        low, high = self.bounds(fits, name, found)
        open_settings = fits.settings(name)

        def drafted(ratio: float) -> Trial | None:
            trials = {each: fits.draft(setting) for each in open_settings if (setting := fits.within(each, ratio))}
            order = sorted(trials, key=lambda each: self.of(trials[each]))
            open_settings[:] = order[:KEPT] or open_settings
            return trials[order[0]] if order else None

        def fitted(ratio: float) -> Trial | None:
            return fits.full(found) if (found := fits.within(nearest.method, ratio)) else None

        nearest = self.search(drafted, min(max(self.start(fits, name), low), high), low, high, PROBES)
        if nearest.method.draft != nearest.method and self.of(nearest) <= HOPE * self.limit:
            nearest = self.search(fitted, nearest.figures["ratio"], low, high, CONFIRMED)
        if not self.met(nearest):
            measure = f"a mean cosine of {1 - self.of(nearest):.4g}" if self.cosine else f"an error of {self.of(nearest):.3g}"
            most = f", {FAR:.0f} times the bytes of the best" if low > 1 and nearest.figures["ratio"] < low * NEAR else ""
            raise OutOfReach(f"still {measure} at ratio {nearest.figures['ratio']:.3g}{most}", self.of(nearest))
        return nearest

    def start(self, fits: Fits, name: str) -> float:
        """A ratio to begin at: of SVD the one that its exact curve gives, else a little below that of the ideal coder."""
        error = self.limit * (2 - self.limit) if self.cosine else self.limit  # of projections, whose cos² is 1 - error
        if METHODS[name] is SVD:
            reached = [1.0]
            for setting in fits.settings(name):
                assert isinstance(setting, SVD)
                ranks = np.flatnonzero(svd_errors(fits.matrix, setting.factor_bits)[0][1:] <= error) + 1
                if len(ranks):
                    reached.append(fits.matrix.n_bytes / replace(setting, j=int(ranks[0])).size(*fits.matrix.shape))
            return max(reached)
        return gaussian_bound(fits.matrix).ratio(error) / AHEAD


@dataclass(frozen=True)
class ModelTarget(LossTarget):
    """At most such a loss of the model, counted in shares of what is allowed.

    asked: the term, by name. figure: what it bounds, as trials have it, see `JudgedFits`. better: whether more or less of it is.
    """

    aim, close, near, slope, flat = 0.93, 0.85, 1.03, 4.0, LEAST
    limit = 1.0

    asked: dict[str, str]
    term: Term
    figure: str
    better: str

    @property
    def verb(self) -> str:
        """What a method would have to do, for a sentence."""
        return f"keeps {self.term}"

    def told(self, trial: Trial, weighted: bool) -> str:
        return f"{trial.method.label} at {trial.figures['ratio']:.3g}× has {self.words(trial)}"

    def words(self, trial: Trial) -> str:
        """The figure with a trial and without."""
        after, before = (trial.figures[name(self.figure)] for name in (judged, judged_before))
        return f"{self.figure} {after:.4g}, {before:.4g} before"

    def of(self, trial: Trial) -> float:
        after, before = trial.figures[judged(self.figure)], trial.figures[judged_before(self.figure)]
        lost = (after - before) * (1 if self.better == "less" else -1)
        return max(lost / self.term.allowed(before, self.better), LEAST)

    def best(self, fits: Fits, name: str, found: list[Trial]) -> Trial:
        """The smallest setting of a method with which the model loses no more, by fits that it is asked about; at each size of the
        combination of other settings whose draft errs least, where drafts take long of the one that does first."""
        low, high = self.bounds(fits, name, found)
        start = min(max((trial.figures["ratio"] for trial in found), default=FIRST), high)
        open_settings = fits.settings(name)

        def fitted(ratio: float) -> Trial | None:
            fitting = {each: setting for each in open_settings if (setting := fits.within(each, ratio))}
            if not fitting:
                return None
            chosen = min(fitting, key=lambda each: felt(fits.draft(fitting[each]))) if len(fitting) > 1 else next(iter(fitting))
            if METHODS[name].effort > CHEAP:
                open_settings[:] = [chosen]
            return fits.full(fitting[chosen])

        known = [trial for trial in fits.known[False].values() if trial.method.name == name]
        nearest = self.search(fitted, max(start, low), low, high, ASKED, known)
        if not self.met(nearest):
            most = f", {FAR:.0f} times the bytes of the best" if low > 1 and nearest.figures["ratio"] < low * self.near else ""
            raise OutOfReach(f"still {self.words(nearest)}, at ratio {nearest.figures['ratio']:.3g}{most}", self.of(nearest))
        return nearest


def slope_of(points: dict[float, float], edge: float, usual: float) -> float:
    """Of log loss over log ratio, from the point at the edge and the one next to it, the usual one where there is none."""
    other = min((x for x in points if x != edge), key=lambda x: abs(x - edge), default=None)
    if other is None or edge not in points:
        return usual
    return min(max((points[edge] - points[other]) / (edge - other), 0.5), 8.0)


def target_of(matrix: EmbeddingMatrix, **targets: float | None) -> SizeTarget | ErrorTarget:
    """The one target that is given. Raises ValueError where that is none or several, or where it is out of bounds."""
    asked = {name: value for name, value in targets.items() if value is not None}
    if len(asked) != 1:
        raise ValueError(f"give exactly one of {', '.join(targets)}, got {' and '.join(asked) or 'none'}")
    ((name, value),) = asked.items()
    if name in ("max_error", "min_cosine"):
        real(name, value, 0, 1)
        return ErrorTarget(asked, 1 - value if name == "min_cosine" else value, name == "min_cosine")
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        raise ValueError(f"{name} must be a number above 0, got {value!r}")
    return SizeTarget(asked, value if name == "ratio" else matrix.n_bytes / value)
