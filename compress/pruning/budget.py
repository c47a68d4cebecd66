"""How many channels of each space are kept within a budget.

By sensitivity one ε for all layers gives each its share: a layer with sensitivities s_j, S = Σ s_j and p_j = s_j/S needs
m(ε) = ⌈3·(6+2ε)·S·K/ε²⌉ samples for a relative error of ε, K = 6·log(8·(places+1)·κ/δ), which keep ⌈Σ_j 1−(1−p_j)^m⌉ channels in
the mean. `places` are those of the output and κ, here, is the number of outputs that must hold at once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, log

import numpy as np

from compress.pruning.channels import Channels, Space
from compress.pruning.sensitivity import DELTA

MOST, LEAST = 1e12, 1e-6  # of ε
STEPS = 60


@dataclass(frozen=True)
class Demand:
    """What a space asks for: p, sums to 1 (or is 0 where nothing is felt); total, the sum S; k, the paper's K."""

    p: np.ndarray
    total: float
    k: float

    def samples(self, epsilon: float) -> int:
        return max(ceil(3 * (6 + 2 * epsilon) * self.total * self.k / epsilon**2), 1)

    def kept(self, epsilon: float) -> int:
        mean = -np.expm1(self.samples(epsilon) * np.log1p(-np.minimum(self.p, 1 - 1e-12))).sum()
        return max(ceil(mean - 1e-9), 1)


def demand(channels: Channels, space: Space, values: np.ndarray, delta: float = DELTA) -> Demand:
    """values: the sensitivities of the space's channels."""
    readers = [channels.layers[name] for name in space.readers]
    k = max((6 * log(8 * (layer.positions + 1) * len(layer.writes) / delta) for layer in readers), default=1.0)
    total = float(values.sum())
    return Demand(values / total if total else np.zeros_like(values), total, k)


def least_epsilon(demands: list[Demand], fits: Callable[[list[int]], bool]) -> float:
    """The smallest ε whose counts fit the budget."""
    if fits([each.kept(LEAST) for each in demands]):
        return LEAST
    return float(np.exp(fitting(lambda at: fits([each.kept(np.exp(at)) for each in demands]), log(MOST), log(LEAST))))


def largest_share(counts_at: Callable[[float], list[int]], fits: Callable[[list[int]], bool]) -> list[int]:
    """Counts at the largest share, from 0 to 1, that fits."""
    if fits(counts_at(1.0)):
        return counts_at(1.0)
    return counts_at(fitting(lambda share: fits(counts_at(share)), 0.0, 1.0))


def fitting(fits: Callable[[float], bool], inside: float, outside: float) -> float:
    """The number nearest to `outside` that fits, from one end that does to one that does not."""
    for _ in range(STEPS):
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if fits(middle) else (inside, middle)
    return inside
