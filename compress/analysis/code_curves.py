"""What binary codes of every length and rank will lose, from those of a few that are known.

The ideal coder of what rank r leaves (reverse water-filling, see analysis/bound.py) needs some bits a row to lose as much as a code
does; their share of the code's own bits is its efficiency. That changes smoothly from one length and rank to the next, where the
error itself falls by orders of magnitude. It is taken of every known setting, and between them sought by kriging (Rasmussen and
Williams, *Gaussian processes for machine learning*, ch. 2.7), which tells how far off it may be. Of the cosine, the ratio of
1 − cos to the error is sought in the same way.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from compress.analysis.bound import NOTHING, Bound
from compress.analysis.code_preview import FIGURES, Estimate
from compress.analysis.curves import svd_errors
from compress.matrix import EmbeddingMatrix
from compress.methods.light_token import LightToken

BITS, RANKS, STEP = (8, 512), (0, 64), 8  # within which settings are told, bits in steps
TREND = -1.4, -0.16  # of the logarithm of an efficiency, with 1 / √bits and with log(1 + bits a column), on tables of words
UNLIKE = 0.15  # standard deviation about it, where nothing like a setting is known
REACH = (4.0, 4.0, 0.5, 2.0)  # within which settings are alike: doublings of bits, of rank, shares of d, doublings of bits a column
ROUGH = 0.002, 0.25  # what no smooth curve has: a share of an error, and a share of its spread
TINY = 1e-12  # an error that is none
LEAST = 0.02  # of a code's bits that the ideal coder needs for it
CLEAR = 0.03  # of an error: two standard errors within which it is told
FAINT = 3e-4  # an error below which what rounding leaves has a large part, and no smooth curve

Figures = Mapping[str, Estimate]


@dataclass(frozen=True, eq=False)
class CodeCurves:
    """Figures of settings that differ from those known in bits and rank only.

    ideals: for the weighted and the relative error, the ideal coders of what rank 0, 1, … leaves. d: columns. known: the figures of
    some settings, at least one, by their names in Evaluation.
    """

    ideals: Mapping[str, Sequence[Bound]]
    d: int
    known: Mapping[LightToken, Figures]

    @cached_property
    def key(self) -> str:
        """What tells one from another of the same matrix."""
        return repr(self.known)

    def at(self, methods: Sequence[LightToken]) -> list[Figures]:
        """The figures of settings; those of a known one as they are."""
        return self.judged(methods)[0]

    def told(self, methods: Sequence[LightToken]) -> list[Figures]:
        """The same, NaN where they may be too far off."""
        found, clear = self.judged(methods)
        unknown = dict.fromkeys(FIGURES, Estimate(np.nan, np.nan))
        return [row if sure or method in self.known else unknown for method, row, sure in zip(methods, found, clear, strict=True)]

    def judged(self, methods: Sequence[LightToken]) -> tuple[list[Figures], np.ndarray]:
        """The figures of settings, and (m,) whether both errors are clear, were all that is known exact."""
        weights, doubts = self.kriged(methods)
        shares = np.abs(weights) / np.abs(weights).sum(axis=1, keepdims=True)
        found, clear = {}, np.ones(len(methods), bool)
        for name in self.ideals:
            told = [each[name] for each in self.known.values()]
            spreads = shares @ [each.spread / max(each.value, 1e-30) for each in told]
            values, steep = self.errors(methods, weights, name)
            clear &= (2 * doubts * steep <= CLEAR) & (values >= FAINT)
            found[name] = [Estimate(*each) for each in zip(values, values * np.hypot(2 * doubts * steep, spreads), strict=True)]
        ratios = np.exp(weights @ np.log([turn(each) for each in self.known.values()]))
        found["mean_cosine"] = [
            Estimate(1 - ratio * error.value, ratio * float(np.hypot(error.spread, 2 * doubt * error.value)))
            for ratio, doubt, error in zip(ratios, doubts, found["relative_error"], strict=True)
        ]
        rows = [dict(zip(found, row, strict=True)) for row in zip(*found.values(), strict=True)]
        return [self.known.get(method, row) for method, row in zip(methods, rows, strict=True)], clear

    def doubts(self, methods: Sequence[LightToken]) -> np.ndarray:
        """(m,) two standard errors of the error of settings, as shares of it, were all that is known exact; 0 of faint ones."""
        weights, doubts = self.kriged(methods)
        values, steep = self.errors(methods, weights, next(iter(self.ideals)))
        return np.where(values < FAINT, 0.0, 2 * doubts * steep)

    def errors(self, methods: Sequence[LightToken], weights: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
        """(m,) the error of that name, and by how many percent it falls with one more percent of bits."""
        bits = np.exp(weights @ self.logs[name] + self.trend(methods)) * [row_bits(each) for each in methods]
        ranks, values, steep = np.array([each.rank for each in methods]), np.empty(len(bits)), np.empty(len(bits))
        for rank in np.unique(ranks):
            ideal, of = self.ideals[name][rank], ranks == rank
            values[of], less = ideal.error(8 / bits[of]), ideal.error(8 / (1.01 * bits[of]))
            steep[of] = np.log(values[of] / less) / np.log(1.01)
        return values, steep

    @cached_property
    def logs(self) -> dict[str, np.ndarray]:
        """The logarithm of the efficiency of every known setting beside the trend, for each error."""
        return {
            name: np.array([log_efficiency(ideals[method.rank], method, told[name].value) for method, told in self.known.items()])
            - self.trend([*self.known])
            for name, ideals in self.ideals.items()
        }

    def trend(self, methods: Sequence[LightToken]) -> np.ndarray:
        """(m,) what the logarithm of the efficiency of settings has in common on most matrices."""
        bits, columns = np.array([(each.bits, max(self.d - each.rank, 1)) for each in methods], float).T
        return TREND[0] / np.sqrt(bits) + TREND[1] * np.log1p(bits / columns)

    @cached_property
    def likeness(self) -> np.ndarray:
        """The inverse of the covariance of what is known, (m, m)."""
        known, name = [*self.known], next(iter(self.ideals))
        steep = self.errors(known, np.eye(len(known)), name)[1]
        spreads = np.array([each[name].spread / max(each[name].value, 1e-30) for each in self.known.values()])
        rough = (ROUGH[0] + ROUGH[1] * spreads) / np.maximum(steep, LEAST)
        places = self.places(known)
        return np.linalg.inv(covariance(places, places) + np.diag(rough**2))

    def kriged(self, methods: Sequence[LightToken]) -> tuple[np.ndarray, np.ndarray]:
        """The weights (q, m) with which what is known tells of other settings, in all 1 each, and the standard deviations (q,)."""
        near = covariance(self.places(methods), self.places([*self.known]))
        weights, ones = near @ self.likeness, self.likeness.sum(axis=0)
        missing = 1 - weights.sum(axis=1)
        variance = UNLIKE**2 - (weights * near).sum(axis=1) + missing**2 / ones.sum()
        return weights + np.outer(missing, ones / ones.sum()), np.sqrt(np.maximum(variance, 0))

    def places(self, methods: Sequence[LightToken]) -> np.ndarray:
        """(m, 4) where settings lie; those near each other are alike."""
        bits, rank = np.array([(each.bits, each.rank) for each in methods], float).T
        columns = np.maximum(self.d - rank, 1)
        return np.stack([np.log2(bits + 12), np.log2(rank + 4), rank / self.d, np.log2(bits / columns + 0.3)], axis=1) / REACH


def covariance(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Matérn's, of smoothness 5/2, between places (m, 4) and others (q, 4): (m, q)."""
    apart = np.sqrt(5 * np.square(one[:, None] - other).sum(axis=2))
    return UNLIKE**2 * (1 + apart + apart**2 / 3) * np.exp(-apart)


def ideal_coders(matrix: EmbeddingMatrix) -> dict[str, list[Bound]]:
    """For each error the ideal coders of a row of what rank 0, 1, … leaves: its variances, as an offset costs no bits, and in
    directions that are stored what rounding to 8 bits leaves."""
    n, most = matrix.shape[0], min(RANKS[1], *matrix.shape)
    found = {}
    for name, weights, energies, errors in zip(
        FIGURES[1::-1], (matrix.weights, np.ones(n)), matrix.energies, svd_errors(matrix, 8, most), strict=True
    ):
        mean = weights.astype(np.float32) @ matrix.values @ matrix.axes / n
        shares = np.maximum(energies, 0) / energies.sum()
        varied = shares - n * mean**2 / energies.sum()
        found[name] = [ideal_coder(varied, rank, float(errors[rank] - shares[rank:].sum())) for rank in range(most + 1)]
    return found


def ideal_coder(variances: np.ndarray, rank: int, rounding: float) -> Bound:
    """variances: (d,) along the principal axes, of a whole of 1. rounding: what that rank as it is stored leaves besides."""
    powers = np.append(variances[rank:], np.full(rank, rounding / max(rank, 1)))
    return Bound(np.sort(np.maximum(powers, NOTHING))[::-1], np.ones(len(powers)), 1.0, 0.0, 1)


def log_efficiency(ideal: Bound, method: LightToken, error: float) -> float:
    """Of a code that loses so much."""
    return float(np.log(max(8 / ideal.ratio(max(error, TINY)) / row_bits(method), LEAST)))


def row_bits(method: LightToken) -> float:
    """The bits of a row's code with its gain."""
    return method.bits + float(np.log2(method.levels))


def turn(figures: Figures) -> float:
    """1 − cos for an error of 1."""
    return max((1 - figures["mean_cosine"].value) / max(figures["relative_error"].value, 1e-30), 1e-6)
