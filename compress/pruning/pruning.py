"""Prune a network to a budget, and say what that cost and what it promises."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from torch import Tensor, nn

from compress.checks import one_of
from compress.errors import Progress
from compress.pruning import choosing
from compress.pruning.channels import Channels, trace
from compress.pruning.choosing import BY, VARIANTS, Choice, Fits
from compress.pruning.cost import MEASURES, costs
from compress.pruning.cutting import cut
from compress.pruning.sensitivity import DELTA, OVER, sensitivities


@dataclass(frozen=True)
class Study:
    """What pruning needs to know of a network, found once for every budget.

    by_layer: for each layer that reads prunable channels their sensitivities, (channels.n,). points: of the batch.
    """

    channels: Channels
    by_layer: dict[str, np.ndarray]
    points: int
    over: str

    @cached_property
    def values(self) -> np.ndarray:
        """(channels.n,): the largest over the layers that read a channel."""
        return np.max([np.zeros(self.channels.n), *self.by_layer.values()], axis=0)


@dataclass(frozen=True)
class Report:
    """kept: by space, channels kept and channels before. epsilon, delta: of the sampling bound, by sensitivity only. bound: by
    layer that reads pruned channels, the sum of the sensitivities that are gone: on the batch no output loses a larger share of
    what it sums. parameters, flops: before and after."""

    by: str
    keep: float
    measure: str
    points: int
    kept: dict[str, tuple[int, int]]
    epsilon: float | None
    delta: float
    bound: dict[str, float]
    parameters: tuple[int, int]
    flops: tuple[int, int]
    choice: Choice

    @property
    def removed(self) -> float:
        """The share that is gone, of what the budget counts."""
        before, after = self.parameters if self.measure == "parameters" else self.flops
        return 1 - after / before


def study(
    network: nn.Module, batch: Tensor, over: str = "largest", progress: Progress | None = None, channels: Channels | None = None
) -> Study:
    """Traces the network and measures its sensitivities on a batch (n, channels, height, width). over: the paper's "largest" share
    of an output, or the "mean" over points and places. channels: of the same network, to spare tracing it again."""
    check_batch(batch)
    one_of("over", over, OVER)
    channels = channels or trace(network, batch)
    if not channels.prunable:
        raise ValueError(f"no layer of {type(network).__name__} can lose a filter: " + "; ".join(reasons(channels)))
    return Study(channels, sensitivities(network, batch, channels, over, progress), len(batch), over)


def prune(
    network: nn.Module,
    batch: Tensor,
    keep: float = 0.7,
    by: str = "sensitivity",
    measure: str = "parameters",
    seed: int = 0,
    variant: str = "top",
    over: str = "largest",
    studied: Study | None = None,
) -> tuple[nn.Module, Report]:
    """A smaller network, and what was done: provable filter pruning (Liebenwein et al. 2020), or what people do instead.

    network: any traceable CNN of Conv2d, BatchNorm and Linear; it is not changed. batch: (n, channels, height, width), some 150
    points that are not judged on afterwards. keep: the share of parameters or FLOPs. by: "sensitivity", or filter "norm" and
    "random", the same share of every layer, or "bn_scale", one threshold for all. variant, by sensitivity: "top" keeps the most
    sensitive, "sampled" draws and reweights, "mixed" does both. over: the paper's "largest" share or their "mean". studied: of the
    same network, to spare measuring again; it then says over what.

    Raises ValueError for a join that cannot be traced, a batch of the wrong shape, inputs that are not finite, and a budget below
    one filter a layer.
    """
    one_of("by", by, BY)
    one_of("measure", measure, MEASURES)
    one_of("variant", variant, VARIANTS)
    if not 0 < keep <= 1:
        raise ValueError(f"keep must be more than 0 and at most 1, got {keep}")
    known = studied or study(network, batch, over)
    channels = known.channels
    counters = {each: costs(network, channels, each) for each in MEASURES}
    whole = np.ones(channels.n, bool)
    count = counters[measure]
    budget = keep * count(whole)
    least = count(choosing.any_of_each(channels, channels.prunable, [1] * len(channels.prunable)))
    if least > budget:
        raise ValueError(
            f"keep must be at least {least / count(whole):.3f} of the {measure}, which is one filter a layer, got {keep}"
        )
    choice = chosen(network, known, by, lambda kept: count(kept) <= budget, seed, variant)
    bound = {name: float(values[~choice.kept].sum()) for name, values in known.by_layer.items()}
    left = {space.name: (int(choice.kept[space.channels].sum()), len(space.channels)) for space in channels.prunable}
    parameters, flops = ((counters[each](whole), counters[each](choice.kept)) for each in MEASURES)
    report = Report(by, keep, measure, known.points, left, choice.epsilon, DELTA, bound, parameters, flops, choice)
    return cut(network, channels, choice.kept, choice.scale), report


def chosen(network: nn.Module, known: Study, by: str, fits: Fits, seed: int, variant: str) -> Choice:
    """The channels that one of BY keeps within what `fits` allows."""
    if by == "sensitivity":
        return choosing.by_sensitivity(known.channels, known.values, fits, seed, variant)
    if by == "norm":
        return choosing.by_norm(network, known.channels, fits)
    if by == "random":
        return choosing.by_random(known.channels, fits, seed)
    return choosing.by_bn_scale(network, known.channels, fits)


def check_batch(batch: Tensor) -> None:
    """Raises ValueError unless the batch is images (n, channels, height, width), one or more."""
    if not isinstance(batch, Tensor) or batch.ndim != 4 or not len(batch):
        shape = tuple(getattr(batch, "shape", ()))
        raise ValueError(f"batch must be images (n, channels, height, width), got shape {shape}")


def reasons(channels: Channels) -> list[str]:
    """Why each space cannot be pruned."""
    return [f"{space.name}: {space.held}" for space in channels.spaces]
