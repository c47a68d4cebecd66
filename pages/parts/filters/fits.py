"""What Filters shows of a network, each computed once: sensitivities, the pruned network and what it loses, feature maps."""

from copy import deepcopy
from dataclasses import dataclass

import numpy as np
from torch import nn

from compress import pruning
from compress.pruning.sensitivity import forward, watched
from pages.parts.cached import cached
from pages.parts.filters.network import Subject
from pages.parts.filters.path import Loss, Path
from pages.parts.filters.settings import MAPPED, Pruning
from pages.parts.filters.work import TURNS


@dataclass(frozen=True, eq=False)
class Outcome:
    """The pruned network, what was done, and what it loses."""

    network: nn.Module
    report: pruning.Report
    loss: Loss


@cached(8, "Measuring sensitivities …", show_time=True)
def studied(subject: Subject, over: str) -> pruning.Study:
    """Raises ValueError for a network that puts out NaN."""
    return study_of(subject, over)


def study_of(subject: Subject, over: str) -> pruning.Study:
    network = deepcopy(subject.network)  # it is watched, and others may be running it
    with TURNS.alone():
        channels = pruning.trace(network, subject.batch)
    with TURNS.together():
        return pruning.study(network, subject.batch, over, channels=channels)


@cached(24)
def path_of(subject: Subject, measure: str, over: str, variant: str, seed: int) -> Path:
    return Path(subject, studied(subject, over), Pruning(1.0, measure, over, variant, seed))


def path(subject: Subject, setting: Pruning) -> Path:
    """Of every budget, the setting's own among them."""
    return path_of(subject, setting.measure, setting.over, setting.variant, setting.seed)


@cached(6)
def pruned(subject: Subject, setting: Pruning) -> Outcome:
    """Raises ValueError where the budget is below one filter a layer."""
    smaller, report = prune(subject, studied(subject, setting.over), setting, "sensitivity")
    return Outcome(smaller, report, path(subject, setting).judged(report, smaller))


def prune(subject: Subject, known: pruning.Study, setting: Pruning, by: str):
    return pruning.prune(
        subject.network,
        subject.batch,
        keep=setting.keep,
        by=by,
        measure=setting.measure,
        seed=setting.seed,
        variant=setting.variant,
        over=setting.over,
        studied=known,
    )


@cached(8)
def feature_maps(subject: Subject, name: str) -> np.ndarray:
    """What the layer after the space of that name reads, before pruning: (pictures, channels, height, width)."""
    channels = studied(subject, pruning.OVER[0]).channels
    space = next(each for each in channels.spaces if each.name == name)
    reader = space.readers[0]
    reads, seen = channels.layers[reader].reads, []
    network = deepcopy(subject.network)
    with TURNS.together(), watched(network, [reader], lambda name, module, inputs: seen.append(inputs.numpy())):
        forward(network, subject.judge[:MAPPED])
    maps = seen[0] if seen[0].ndim == 4 else seen[0][:, :, None, None]  # a Linear reads features
    found = [maps[:, reads == channel] for channel in space.channels]
    return np.concatenate([each if each.shape[1] == 1 else each.reshape(len(maps), 1, 1, -1) for each in found], axis=1)
