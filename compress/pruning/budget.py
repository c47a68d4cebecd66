"""How many channels of each space are kept within a budget.

By sensitivity one ε for all layers gives each its share: a layer with sensitivities s_j, S = Σ s_j and p_j = s_j/S needs
m(ε) = ⌈3·(6+2ε)·S·K/ε²⌉ samples for a relative error of ε, K = 6·log(8·(places+1)·κ/δ), which keep ⌈Σ_j 1−(1−p_j)^m⌉ channels in
the mean. `places` are those of the output and κ, here, is the number of outputs that must hold at once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import log

import numpy as np

from compress.pruning.channels import Channels, Space
from compress.pruning.sensitivity import DELTA

MOST, LEAST = 1e12, 1e-6  # of ε
STEPS = 60
Fits = Callable[[np.ndarray], np.ndarray]  # whether counts of channels (m, spaces), a row a budget, are within it


@dataclass(frozen=True)
class Demand:
    """What a space asks for: p, sums to 1 (or is 0 where nothing is felt); total, the sum S; k, the paper's K."""

    p: np.ndarray
    total: float
    k: float

    def samples(self, epsilon: np.ndarray) -> np.ndarray:
        """At every ε (m,)."""
        return np.maximum(np.ceil(3 * (6 + 2 * epsilon) * self.total * self.k / epsilon**2), 1)

    def kept(self, epsilon: np.ndarray) -> np.ndarray:
        """At every ε (m,)."""
        logs = np.log1p(-np.minimum(self.p, 1 - 1e-12))
        mean = -np.expm1(self.samples(epsilon)[:, None] * logs).sum(1)  # (m,)
        return np.maximum(np.ceil(mean - 1e-9), 1).astype(int)


def demand(channels: Channels, space: Space, values: np.ndarray, delta: float = DELTA) -> Demand:
    """values: the sensitivities of the space's channels."""
    readers = [channels.layers[name] for name in space.readers]
    k = max((6 * log(8 * (layer.positions + 1) * len(layer.writes) / delta) for layer in readers), default=1.0)
    total = float(values.sum())
    return Demand(values / total if total else np.zeros_like(values), total, k)


def least_epsilon(demands: list[Demand], fits: Fits, m: int) -> np.ndarray:
    """(m,): the smallest ε of each budget whose counts fit it."""

    def within(logs: np.ndarray) -> np.ndarray:
        return fits(counts_at(demands, np.exp(logs)))

    most, least = np.full(m, log(MOST)), np.full(m, log(LEAST))
    return np.where(fits(counts_at(demands, np.full(m, LEAST))), LEAST, np.exp(fitting(within, most, least)))


def counts_at(demands: list[Demand], epsilon: np.ndarray) -> np.ndarray:
    """(m, spaces) at every ε (m,)."""
    return np.stack([each.kept(epsilon) for each in demands], axis=1)


def largest_share(counts_at: Callable[[float], list[int]], fits: Fits) -> list[int]:
    """Counts at the largest share, from 0 to 1, that fits."""

    def within(shares: np.ndarray) -> np.ndarray:
        return fits(np.array([counts_at(share) for share in shares]))

    whole, none = np.ones(1), np.zeros(1)
    return counts_at(float(whole[0] if within(whole) else fitting(within, none, whole)[0]))


def fitting(fits: Callable[[np.ndarray], np.ndarray], inside: np.ndarray, outside: np.ndarray) -> np.ndarray:
    """(m,): the numbers nearest to `outside` that fit, each from one end that does to one that does not."""
    for _ in range(STEPS):
        middle = (inside + outside) / 2
        fit = fits(middle)
        inside, outside = np.where(fit, middle, inside), np.where(fit, outside, middle)
    return inside
