"""Which channels of a space are kept: by sensitivity, filter norm, batch-norm scale, or at random."""

from dataclasses import dataclass

import numpy as np
from torch import Tensor, nn

from compress.pruning.budget import Fits, counts_at, demand, largest_share, least_epsilon
from compress.pruning.channels import Channels

BY = ("sensitivity", "norm", "random", "bn_scale")
VARIANTS = ("top", "sampled", "mixed")


@dataclass(frozen=True)
class Choice:
    """kept: (channels.n,) booleans; scale: (channels.n,), what weights that read a channel are multiplied with; epsilon: by
    sensitivity only."""

    kept: np.ndarray
    scale: np.ndarray
    epsilon: float | None = None


def by_sensitivity(channels: Channels, values: np.ndarray, fits: Fits, m: int, seed: int, variant: str) -> list[Choice]:
    """One for each of m budgets. values: (channels.n,). variant: "top" keeps the most sensitive; "sampled" draws with p_j and
    multiplies by count/(m·p_j); "mixed" keeps the upper half of the count for certain and draws the rest."""
    demands = [demand(channels, space, values[space.channels]) for space in channels.prunable]
    epsilons = least_epsilon(demands, fits, m)
    return [
        of_counts(channels, [each.p for each in demands], counts.tolist(), float(epsilon), seed, variant)
        for counts, epsilon in zip(counts_at(demands, epsilons), epsilons, strict=True)
    ]


def of_counts(channels: Channels, ps: list[np.ndarray], counts: list[int], epsilon: float, seed: int, variant: str) -> Choice:
    """So many channels of each space, whose shares of the sensitivity are p."""
    kept, scale = np.ones(channels.n, bool), np.ones(channels.n)
    rng = np.random.default_rng(seed)
    for space, p, count in zip(channels.prunable, ps, counts, strict=True):
        certain = {"top": count, "sampled": 0, "mixed": count // 2}[variant]
        kept[space.channels], scale[space.channels] = drawn(p, count, certain, rng)
    return Choice(kept, scale, epsilon)


def drawn(p: np.ndarray, count: int, certain: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Whether each channel is kept, and its factor: the `certain` largest, the rest drawn until there are `count`."""
    order = np.argsort(-p, kind="stable")
    kept, scale = np.zeros(len(p), bool), np.ones(len(p))
    kept[order[:certain]] = True
    rest = order[certain:]
    left = p[rest].sum()
    if count == certain:
        return kept, scale
    if left <= 0:
        kept[order[:count]] = True
        return kept, scale
    counts = counts_drawn(p[rest] / left, count - certain, rng)
    kept[rest] = counts > 0
    scale[rest] = np.divide(counts * left, counts.sum() * p[rest], out=np.ones(len(rest)), where=counts > 0)
    return kept, scale


def counts_drawn(p: np.ndarray, different: int, rng: np.random.Generator) -> np.ndarray:
    """Draws with replacement until so many are different, or all that can be drawn are."""
    counts, ends, seen = np.zeros(len(p), int), p.cumsum() / p.sum(), 0
    while seen < min(different, int((p > 0).sum())):
        at = ends.searchsorted(rng.random(), side="right")  # as rng.choice(len(p), p=p) does, which checks p each time
        seen += counts[at] == 0
        counts[at] += 1
    return counts


def by_norm(network: nn.Module, channels: Channels, fits: Fits) -> Choice:
    """The filters of largest ℓ2 norm, the same share of every space (Li et al. 2017)."""
    return by_share(channels, filter_norms(network, channels), fits)


def by_random(channels: Channels, fits: Fits, seed: int) -> Choice:
    """The same share of every space, any of its channels."""
    return by_share(channels, np.random.default_rng(seed).random(channels.n), fits)


def by_bn_scale(network: nn.Module, channels: Channels, fits: Fits) -> Choice:
    """The channels of largest batch-norm scale |γ|, one threshold for all spaces (network slimming, Liu et al. 2017)."""
    scales, spaces = norm_scales(network, channels), channels.prunable
    everywhere = np.sort(np.concatenate([scales[space.channels] for space in spaces]))[::-1]

    def counts_of(share: float) -> list[int]:
        least = everywhere[max(round(share * len(everywhere)), 1) - 1]
        return [max(int((scales[space.channels] >= least).sum()), 1) for space in spaces]

    return largest_of_each(channels, scales, largest_share(counts_of, fits))


def by_share(channels: Channels, values: np.ndarray, fits: Fits) -> Choice:
    """The channels of largest values, the same share of every space."""
    spaces = channels.prunable

    def counts_of(share: float) -> list[int]:
        return [max(round(share * len(space.channels)), 1) for space in spaces]

    return largest_of_each(channels, values, largest_share(counts_of, fits))


def largest_of_each(channels: Channels, values: np.ndarray, counts: list[int]) -> Choice:
    """So many channels of each space, those of largest values (channels.n,)."""
    kept = np.ones(channels.n, bool)
    for space, count in zip(channels.prunable, counts, strict=True):
        kept[space.channels] = False
        kept[space.channels[np.argsort(-values[space.channels], kind="stable")[:count]]] = True
    return Choice(kept, np.ones(channels.n))


def any_of_each(channels: Channels, counts: np.ndarray) -> np.ndarray:
    """(m, channels.n) booleans: of each space as many as counts (m, spaces) say, whichever, for what they cost does not depend on
    that."""
    kept = np.ones((len(counts), channels.n), bool)
    for space, count in zip(channels.prunable, counts.T, strict=True):
        kept[:, space.channels] = np.arange(len(space.channels)) < count[:, None]
    return kept


def filter_norms(network: nn.Module, channels: Channels) -> np.ndarray:
    """(channels.n,): ℓ2 norm of all filters that write a channel."""
    squares = np.zeros(channels.n)
    for name, layer in channels.layers.items():
        weight = network.get_parameter(f"{name}.weight").detach().double()
        np.add.at(squares, layer.writes, weight.square().flatten(1).sum(1).cpu().numpy())
    return np.sqrt(squares)


def norm_scales(network: nn.Module, channels: Channels) -> np.ndarray:
    """(channels.n,): the mean |γ| of the batch norms that a channel goes through.

    Raises ValueError where a space that can be pruned has none, naming it.
    """
    sums, counts = np.zeros(channels.n), np.zeros(channels.n)
    for name, reads in channels.norms.items():
        scale = network.get_submodule(name).weight
        if isinstance(scale, Tensor):
            np.add.at(sums, reads, scale.detach().abs().double().cpu().numpy())
            np.add.at(counts, reads, 1)
    for space in channels.prunable:
        if not counts[space.channels].all():
            raise ValueError(f"{space.name} is followed by no batch norm with a scale, so that it cannot be pruned by bn_scale")
    return sums / np.maximum(counts, 1)
