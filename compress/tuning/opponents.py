"""What a compressed form is held against: SVD at its best in as many bytes, and the best that trials know in as many."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np

from compress.analysis.curves import svd_errors
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


def best_svd(matrix: EmbeddingMatrix, n_bytes: float, curve: Curve = svd_curve) -> Opponent | None:
    """SVD with the least error in at most so many bytes, at any precision and any j, the smallest of equal ones; None where no
    direction fits. curve: see `svd_curve`; another one of the same kind keeps what it found, or is by another error."""
    n, d = matrix.shape
    found = []
    for bits in BITS:
        largest = SVD(j=1, factor_bits=bits).within(n, d, n_bytes)
        if largest:
            errors = curve(matrix, bits, largest.j)[1 : largest.j + 1]
            best = replace(largest, j=int(np.argmin(errors)) + 1)  # the largest has not always the least error once rounded
            found.append(Opponent(best, best.size(n, d), float(errors[best.j - 1])))
    return min(found, key=lambda each: (each.error, each.n_bytes), default=None)


def best_trial(trials: Iterable[Trial], n_bytes: float, besides: Method | None = None) -> Opponent | None:
    """The trial of one matrix with the least error in at most so many bytes, those of one setting left out; None for none."""
    known = [trial for trial in trials if trial.figures["n_bytes"] <= n_bytes and trial.method != besides]
    if not known:
        return None
    best = min(known, key=lambda trial: (error_of(trial), trial.figures["n_bytes"]))
    seeds = sum(seedless(trial.method) == seedless(best.method) for trial in known)
    return Opponent(best.method, int(best.figures["n_bytes"]), error_of(best), seeds)


def seedless(method: Method) -> tuple:
    """A setting without its seed."""
    return method.name, *((name, value) for name, value in method.settings.items() if name != "seed")
