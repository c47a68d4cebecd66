"""What a network loses at every budget, by sensitivity: judged in steps of 10 %, then of 1 %, each choice of filters once."""

from copy import deepcopy
from dataclasses import dataclass

import numpy as np
from torch import nn

from compress import pruning
from compress.errors import Step
from compress.pruning.cutting import cut
from compress.pruning.errors import apart
from compress.pruning.sensitivity import forward
from compress.pruning.training import right
from pages.parts.cached import keyed
from pages.parts.filters.network import Subject
from pages.parts.filters.settings import FILTERS, Pruning
from pages.parts.filters.work import TURNS, Background

FEWER = 128  # judged pictures that errors of layers are measured on, which take longest
COARSE = 10  # %, of the first steps
APART = 2 * COARSE  # %, between two judged budgets that another is told from


@dataclass(frozen=True)
class Loss:
    """accuracy: None without classes. error: the mean relative output error. layers: by layer the mean and the largest error."""

    accuracy: float | None
    error: float
    layers: dict[str, tuple[float, float]]


@keyed
class Path:
    """reports: by the share kept in %, what is known of every budget without running a network. losses: of what was judged so far,
    by the choice of filters."""

    def __init__(self, subject: Subject, known: pruning.Study, setting: Pruning):
        self.subject, self.known, self.setting = subject, known, setting
        keeps = [keep / 100 for keep in range(FILTERS.keep.low, FILTERS.keep.high + 1)]
        found = pruning.reports(subject.network, known, keeps, measure=setting.measure, seed=setting.seed, variant=setting.variant)
        self.reports = {round(100 * report.keep): report for report in found}
        self.losses: dict[bytes, Loss] = {}
        self.work: Background | None = None

    @property
    def key(self) -> str:
        """Of what is known by now."""
        return f"{self.subject.key} {self.setting!r} {len(self.losses)}"

    def judged(self, report: pruning.Report, network: nn.Module | None = None) -> Loss:
        """What the network of a report loses; it is made here unless given."""
        name = named(report)
        if name not in self.losses:
            choice = report.choice
            smaller = network or cut(self.subject.network, self.known.channels, choice.kept, choice.scale)
            with TURNS.together():
                self.losses[name] = loss(self.subject, self.known, report, smaller)
        return self.losses[name]

    def at(self, keep: int) -> Loss | None:
        """What was judged of a budget so far."""
        return self.losses.get(named(self.reports[keep]))

    def about(self, keep: int) -> tuple[Loss | None, bool]:
        """What is lost at a budget, and whether it was judged: else it is told from the nearest that were on either side, if they
        are near."""
        if found := self.at(keep):
            return found, True
        below = next((each for each in range(keep, -1, -1) if each in self.reports and self.at(each)), None)
        above = next((each for each in range(keep, 101) if each in self.reports and self.at(each)), None)
        if below is None or above is None or above - below > APART:
            return None, False
        return between(self.at(below), self.at(above), (keep - below) / (above - below)), False

    @property
    def done(self) -> float:
        """A share."""
        return sum(self.at(keep) is not None for keep in self.reports) / max(len(self.reports), 1)

    @property
    def running(self) -> bool:
        return self.work is not None and self.work.running

    def start(self) -> None:
        if not self.running and self.done < 1 and not (self.work and self.work.error):
            self.work = Background(self.run, own=True)

    def run(self, tell) -> None:
        for keep in sorted(self.reports, key=lambda keep: (keep % COARSE > 0, keep)):
            if not self.at(keep):
                self.judged(self.reports[keep])
                tell(Step(self.done, "judging every budget"))


def named(report: pruning.Report) -> bytes:
    """What tells one choice of filters from another."""
    return report.choice.kept.tobytes() + report.choice.scale.tobytes()


def loss(subject: Subject, known: pruning.Study, report: pruning.Report, smaller: nn.Module) -> Loss:
    network, choice = deepcopy(subject.network), report.choice  # it is watched, and others may be running it
    outputs = forward(smaller, subject.judge)
    accuracy = None if subject.labels is None else right(outputs, subject.labels)
    layers = pruning.layer_errors(network, known, choice.kept, choice.scale, subject.judge[:FEWER])
    return Loss(accuracy, apart(subject.outputs, outputs), layers)


def between(one: Loss, other: Loss, share: float) -> Loss:
    """A share of the way from one to another."""

    def mixed(a, b):
        return (1 - share) * np.asarray(a) + share * np.asarray(b)

    accuracy = None if one.accuracy is None else float(mixed(one.accuracy, other.accuracy))
    layers = {name: tuple(mixed(each, other.layers[name]).tolist()) for name, each in one.layers.items()}
    return Loss(accuracy, float(mixed(one.error, other.error)), layers)
