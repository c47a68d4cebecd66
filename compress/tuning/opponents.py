"""What a compressed form is held against: SVD at its best in as many bytes, and the best that trials know in as many."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from compress.analysis.curves import svd_errors
from compress.coding import factors
from compress.coding.factors import BITS
from compress.matrix import EmbeddingMatrix
from compress.methods import SVD, Method
from compress.tuning.fits import error_of
from compress.tuning.sweep import Trial

Curve = Callable[[EmbeddingMatrix, int, int], np.ndarray]


@dataclass(frozen=True)
class Opponent:
    """A setting, its size, and its error by what fits lower: relative, weighted where the matrix is. seeds: of how many that were
    tried it is the best."""

    method: Method
    n_bytes: int
    error: float
    seeds: int = 1


def svd_curve(matrix: EmbeddingMatrix, bits: int, most: int) -> np.ndarray:
    """(most + 1,) the error of SVD at j = 0, 1, … with factors of so many bits, weighted where rows are."""
    return svd_errors(matrix, bits, most)[0]


@dataclass(frozen=True, eq=False)
class SvdFront:
    """SVD with the least error in at most so many bytes, for every size up to a limit.

    sizes: (m,) bytes from which on a better one fits, rising. best: what fits from there on, the smallest of equal ones.
    """

    sizes: np.ndarray
    best: list[Opponent]

    def within(self, n_bytes: float) -> Opponent | None:
        """None where no direction fits."""
        fitting = np.searchsorted(self.sizes, n_bytes, side="right")
        return self.best[fitting - 1] if fitting else None


def svd_front(matrix: EmbeddingMatrix, n_bytes: float, curve: Curve = svd_curve) -> SvdFront:
    """SVD at any precision and any j, up to so many bytes. curve: see `svd_curve`; another one of the same kind keeps what it
    found, or is by another error."""
    n, d = matrix.shape
    every = []
    for bits in BITS:
        largest = SVD(j=1, factor_bits=bits).within(n, d, n_bytes)
        if largest:
            errors = curve(matrix, bits, largest.j)
            every += [(factors.n_bytes(n, d, 1, j, bits), float(errors[j]), j, bits) for j in range(1, largest.j + 1)]
    best: list[Opponent] = []
    for size, error, j, bits in sorted(every):  # a larger j has not always a smaller error once rounded
        if not best or error < best[-1].error:
            best.append(Opponent(SVD(j=j, factor_bits=bits), size, error))
    return SvdFront(np.array([each.n_bytes for each in best]), best)


def best_svd(matrix: EmbeddingMatrix, n_bytes: float, curve: Curve = svd_curve) -> Opponent | None:
    """The best SVD in at most so many bytes, see `svd_front`."""
    return svd_front(matrix, n_bytes, curve).within(n_bytes)


class Ranking:
    """The trials of one matrix, the least error first."""

    def __init__(self, trials: Iterable[Trial]):
        self.trials = sorted(trials, key=lambda trial: (error_of(trial), trial.figures["n_bytes"]))
        self.methods = {trial.method for trial in self.trials}
        self.seeds = Counter(map(seedless, self.methods))

    def best(self, n_bytes: float, besides: Method | None = None) -> Opponent | None:
        """The one with the least error in at most so many bytes, those of one setting left out; None for none."""
        fitting = (trial for trial in self.trials if trial.figures["n_bytes"] <= n_bytes and trial.method != besides)
        best = next(fitting, None)
        if best is None:
            return None
        others = self.seeds[seedless(best.method)]
        if besides in self.methods and seedless(besides) == seedless(best.method):
            others -= 1
        return Opponent(best.method, int(best.figures["n_bytes"]), error_of(best), others)


def seedless(method: Method) -> tuple:
    """A setting without its seed."""
    return method.name, *((name, value) for name, value in method.settings.items() if name != "seed")
