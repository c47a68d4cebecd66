"""Which channels of a space are kept: by sensitivity, filter norm, batch-norm scale, or at random."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from torch import Tensor, nn

from compress.pruning.budget import demand, largest_share, least_epsilon
from compress.pruning.channels import Channels, Space

BY = ("sensitivity", "norm", "random", "bn_scale")
VARIANTS = ("top", "sampled", "mixed")
Fits = Callable[[np.ndarray], bool]  # whether kept channels, (channels.n,) booleans, are within the budget


@dataclass(frozen=True)
class Choice:
    """kept: (channels.n,) booleans; scale: (channels.n,), what weights that read a channel are multiplied with; epsilon: by
    sensitivity only."""

    kept: np.ndarray
    scale: np.ndarray
    epsilon: float | None = None


def by_sensitivity(channels: Channels, values: np.ndarray, fits: Fits, seed: int, variant: str) -> Choice:
    """values: (channels.n,). variant: "top" keeps the most sensitive; "sampled" draws with p_j and multiplies by count/(m·p_j);
    "mixed" keeps the upper half of the count for certain and draws the rest."""
    spaces = channels.prunable
    demands = [demand(channels, space, values[space.channels]) for space in spaces]
    epsilon = least_epsilon(demands, lambda counts: fits(any_of_each(channels, spaces, counts)))
    kept, scale = np.ones(channels.n, bool), np.ones(channels.n)
    rng = np.random.default_rng(seed)
    for space, asked in zip(spaces, demands, strict=True):
        count = asked.kept(epsilon)
        certain = {"top": count, "sampled": 0, "mixed": count // 2}[variant]
        kept[space.channels], scale[space.channels] = drawn(asked.p, count, certain, rng)
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
    counts = np.zeros(len(p), int)
    different = min(different, int(np.count_nonzero(p)))
    while np.count_nonzero(counts) < different:
        counts[rng.choice(len(p), p=p)] += 1
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

    def counts_at(share: float) -> list[int]:
        least = everywhere[max(round(share * len(everywhere)), 1) - 1]
        return [max(int((scales[space.channels] >= least).sum()), 1) for space in spaces]

    return largest_of_each(channels, scales, largest_share(counts_at, lambda counts: fits(any_of_each(channels, spaces, counts))))


def by_share(channels: Channels, values: np.ndarray, fits: Fits) -> Choice:
    """The channels of largest values, the same share of every space."""
    spaces = channels.prunable

    def counts_at(share: float) -> list[int]:
        return [max(round(share * len(space.channels)), 1) for space in spaces]

    return largest_of_each(channels, values, largest_share(counts_at, lambda counts: fits(any_of_each(channels, spaces, counts))))


def largest_of_each(channels: Channels, values: np.ndarray, counts: list[int]) -> Choice:
    """So many channels of each space, those of largest values (channels.n,)."""
    kept = np.ones(channels.n, bool)
    for space, count in zip(channels.prunable, counts, strict=True):
        kept[space.channels] = False
        kept[space.channels[np.argsort(-values[space.channels], kind="stable")[:count]]] = True
    return Choice(kept, np.ones(channels.n))


def any_of_each(channels: Channels, spaces: list[Space], counts: list[int]) -> np.ndarray:
    """So many of each space, whichever: what they cost does not depend on which."""
    kept = np.ones(channels.n, bool)
    for space, count in zip(spaces, counts, strict=True):
        kept[space.channels[count:]] = False
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
