"""Prune a network to a budget, and say what that cost and what it promises."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from torch import Tensor, nn

from compress.checks import one_of
from compress.errors import Progress
from compress.pruning import choosing
from compress.pruning.budget import Fits
from compress.pruning.channels import Channels, trace
from compress.pruning.choosing import BY, VARIANTS, Choice
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
    found = reports(network, known, [keep], by, measure, seed, variant)
    if not found:
        least, whole = ends(network, known.channels, measure)
        raise ValueError(f"keep must be at least {least / whole:.3f} of the {measure}, which is one filter a layer, got {keep}")
    choice = found[0].choice
    return cut(network, known.channels, choice.kept, choice.scale), found[0]


def reports(
    network: nn.Module,
    known: Study,
    keeps: Iterable[float],
    by: str = "sensitivity",
    measure: str = "parameters",
    seed: int = 0,
    variant: str = "top",
) -> list[Report]:
    """What `prune` does at every share that leaves one filter a layer, without making or running the smaller networks."""
    channels = known.channels
    counters = {each: costs(network, channels, each) for each in MEASURES}
    whole = {each: ends(network, channels, each)[1] for each in MEASURES}
    least = ends(network, channels, measure)[0]
    keeps = [keep for keep in keeps if least <= keep * whole[measure]]

    def fits(budgets: np.ndarray) -> Fits:
        return lambda counts: counters[measure](choosing.any_of_each(channels, counts)) <= budgets

    choices = chosen(network, known, by, fits, np.array(keeps) * whole[measure], seed, variant)
    kept = np.array([each.kept for each in choices], bool).reshape(-1, channels.n)
    left = {each: count(kept).tolist() for each, count in counters.items()}
    return [
        Report(
            by=by,
            keep=keep,
            measure=measure,
            points=known.points,
            kept={space.name: (int(choice.kept[space.channels].sum()), len(space.channels)) for space in channels.prunable},
            epsilon=choice.epsilon,
            delta=DELTA,
            bound={name: float(values[~choice.kept].sum()) for name, values in known.by_layer.items()},
            parameters=(whole["parameters"], parameters),
            flops=(whole["flops"], flops),
            choice=choice,
        )
        for keep, choice, parameters, flops in zip(keeps, choices, left["parameters"], left["flops"], strict=True)
    ]


def ends(network: nn.Module, channels: Channels, measure: str) -> tuple[int, int]:
    """What a network costs with one filter a layer, and with all of them."""
    one = choosing.any_of_each(channels, np.ones((1, len(channels.prunable)), int))
    least, whole = costs(network, channels, measure)(np.concatenate([one, np.ones_like(one)])).tolist()
    return least, whole


def chosen(
    network: nn.Module, known: Study, by: str, fits: Callable[[np.ndarray], Fits], budgets: np.ndarray, seed: int, variant: str
) -> list[Choice]:
    """The channels that one of BY keeps within each budget."""
    channels = known.channels
    if by == "sensitivity":
        return choosing.by_sensitivity(channels, known.values, fits(budgets), len(budgets), seed, variant)
    if by == "norm":
        return [choosing.by_norm(network, channels, fits(budget)) for budget in budgets]
    if by == "random":
        return [choosing.by_random(channels, fits(budget), seed) for budget in budgets]
    return [choosing.by_bn_scale(network, channels, fits(budget)) for budget in budgets]


def check_batch(batch: Tensor) -> None:
    """Raises ValueError unless the batch is images (n, channels, height, width), one or more."""
    if not isinstance(batch, Tensor) or batch.ndim != 4 or not len(batch):
        shape = tuple(getattr(batch, "shape", ()))
        raise ValueError(f"batch must be images (n, channels, height, width), got shape {shape}")


def reasons(channels: Channels) -> list[str]:
    """Why each space cannot be pruned."""
    return [f"{space.name}: {space.held}" for space in channels.spaces]
