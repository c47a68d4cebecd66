"""What is asked of a compressed form, a size or an error, and the best setting of a method that meets it."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from compress.analysis.bound import gaussian_bound
from compress.analysis.curves import svd_errors
from compress.checks import real
from compress.matrix import EmbeddingMatrix
from compress.methods import METHODS, SVD
from compress.tuning.fits import Fits, error_of
from compress.tuning.fitting import OutOfReach, largest_ratio, no_smaller
from compress.tuning.sweep import Trial

FAR = 4.0  # times the bytes of the best so far: where the search for the smallest form of another method ends
KEPT = 3  # combinations of other settings that go on after the first probe of a search
PROBES, CONFIRMED = 9, 4  # the most drafts and full fits that a search goes through for a combination
NEAR = 1.01  # the ratio between the smallest form that is enough and one that is not, at which a search ends
EXACT = 1e-6  # an error that leaves nothing to win by more fits
AHEAD = 1.2  # times the bytes of the ideal coder: where a search begins
SLOPE = 2.0  # of log error over log ratio, until two fits tell it
HOPE = 1.5  # times the limit: a draft that loses more than this, at the largest size, will not become enough by a full fit


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


@dataclass(frozen=True)
class ErrorTarget:
    """At most such an error, or one minus a mean cosine: the smallest form is best."""

    asked: dict[str, float]
    limit: float
    cosine: bool

    @property
    def verb(self) -> str:
        """What a method would have to do, for a sentence."""
        return f"keeps the mean cosine at {1 - self.limit:.6g}" if self.cosine else f"keeps the error within {self.limit:.3g}"

    def why(self, best: Trial, rest: list[Trial], weighted: bool) -> str:
        """Why the best is taken, in a sentence."""
        error = f"{'a weighted' if weighted else 'a relative'} error of {error_of(best):.3g}"
        kept = f"a mean cosine of {best.figures['mean_cosine']:.4g}" if self.cosine else error
        told = f"{best.method.label} has {kept} at {best.figures['ratio']:.3g}×"
        if not rest:
            return f"{told}; no other method that was asked is near that size."
        times = rest[0].figures["n_bytes"] / best.figures["n_bytes"]
        more = f"{times:.2f} times the bytes" if times >= 1.005 else "as many bytes"
        return f"{told}; the next, {rest[0].method.label}, takes {more}."

    def of(self, trial: Trial) -> float:
        """What a trial loses, in the unit of the limit."""
        return max(1 - trial.figures["mean_cosine"], 0.0) if self.cosine else error_of(trial)

    def order(self, trial: Trial) -> tuple:
        """What trials are sorted by, the best first."""
        return trial.figures["n_bytes"], self.of(trial)

    def met(self, trial: Trial) -> bool:
        """Whether a trial is enough."""
        return self.of(trial) <= self.limit

    def best(self, fits: Fits, name: str, found: list[Trial]) -> Trial:
        """The smallest setting of a method whose full fit is enough: sought by drafts, confirmed by full fits."""
        high = largest_ratio(name, fits.matrix.shape, {})
        low = max(1.0, max((trial.figures["ratio"] for trial in found), default=0) / FAR)
        if low > high:
            why = no_smaller(name, fits.matrix.shape, {})
            raise OutOfReach(f"{why}: {low / high * FAR:.2g} times the bytes of the best", math.inf)
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

    def search(self, fit: Callable[[float], Trial | None], start: float, low: float, high: float, most: int) -> Trial:
        """The smallest fit from low to high that is enough, by bracket and secant on the logs of ratio and loss; where none of so
        many is, the one that loses least. fit(ratio) gives a form of that ratio or a larger one."""
        x, step = math.log(start), 0.0
        aim = math.log(max(self.limit, 1e-300))
        met, missed = -math.inf, math.inf  # log ratios
        points: dict[float, float] = {}
        tried: list[Trial] = []
        for _ in range(4 * most):
            trial = fit(math.exp(x))
            again = bool(tried) and trial is tried[-1]
            if trial is None:
                missed = x
            else:
                tried += [] if again else [trial]
                is_enough = self.met(trial)
                met, missed = (max(met, math.log(trial.figures["ratio"])), missed) if is_enough else (met, min(missed, x))
                points[met if is_enough else x] = math.log(max(self.of(trial), 1e-300))
            ended = met >= math.log(high) - 1e-9 or missed <= math.log(low) + 1e-9
            if ended or missed - met <= math.log(NEAR) or len(tried) >= (most if met in points else 2 * most):
                break
            if met in points and missed in points:
                share = (aim - points[met]) / max(points[missed] - points[met], 1e-9)
                x = met + min(max(share, 0.1), 0.9) * (missed - met)
                continue
            edge = met if met in points else missed
            step = 2 * step if again else min(max(abs(aim - points.get(edge, aim)) / slope_of(points, edge), 0.03), 1.0) + 0.02
            x = min(met + step, math.log(high), (met + missed) / 2) if met in points else max(missed - step, math.log(low))
        enough = [trial for trial in tried if self.met(trial)]
        return min(enough, key=self.order) if enough else min(tried, key=self.of)


def slope_of(points: dict[float, float], edge: float) -> float:
    """Of log loss over log ratio, from the point at the edge and the one next to it."""
    other = min((x for x in points if x != edge), key=lambda x: abs(x - edge), default=None)
    if other is None or edge not in points:
        return SLOPE
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
