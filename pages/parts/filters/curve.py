"""What is left of a network at every budget, by every way of choosing filters: pruned and judged one after the other."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from compress import pruning
from compress.errors import Step
from pages.parts.cached import cached, keyed
from pages.parts.filters.fits import path, prune, study_of
from pages.parts.filters.network import Subject
from pages.parts.filters.path import Path
from pages.parts.filters.settings import Pruning
from pages.parts.filters.work import TURNS, Background, Stopped

SHARES = tuple(range(10, 100, 10))  # removed, in %
SEEDS = 5  # where chance chooses
CLEAR = 0.005  # that another way must be better by, to be said


class Curve:
    """Points of the curves of a subject; a stopped one goes on where it was. setting: all but the budget and the seed. path: where
    what it judges by sensitivity, one shot and with the setting's seed, is kept for others."""

    def __init__(self, subject: Subject, path: Path, setting: Pruning, retrained: bool):
        self.subject, self.path, self.known, self.setting, self.retrained = subject, path, path.known, setting, retrained
        self.key = subject.key, setting, retrained
        self.points: dict[tuple, tuple[float, float]] = {}  # by, share, seed: value and share really removed
        self.other: dict[int, float] = {}  # by share: with `instead`, where this one lost most
        self.work: Background | None = None

    @property
    def told(self) -> "Told":
        """What is told of it by now."""
        return Told((self.key, len(self.points)), self)

    @property
    def asked(self) -> list[tuple]:
        """by, share and seed of every point, the whole range of each way first at one seed."""
        chance = {"random"} | ({"sensitivity"} if self.setting.variant != "top" else set())
        return [(by, share, seed) for seed in range(SEEDS) for by in pruning.BY for share in SHARES if not seed or by in chance]

    @property
    def done(self) -> float:
        """A share."""
        return len(self.points) / len(self.asked)

    @property
    def running(self) -> bool:
        return self.work is not None and self.work.running

    def start(self) -> None:
        if not self.running and (self.done < 1 or self.to_ask_the_other) and not self.error:
            self.work = Background(self.run, own=True)

    @property
    def error(self) -> Exception | None:
        return self.work.error if self.work else None

    def run(self, tell) -> None:
        for by, share, seed in self.asked:
            if (by, share, seed) not in self.points:
                ours = by == "sensitivity" and seed == self.setting.seed and not self.retrained
                self.points[by, share, seed] = (
                    self.on_path(share) if ours else self.judged(self.known, by, share, seed, self.setting, tell)
                )
                tell(Step(self.done, "pruning and judging"))
        if share := self.to_ask_the_other:
            setting = self.instead
            known = self.known if setting.over == self.known.over else study_of(self.subject, setting.over)
            self.other[share] = self.judged(known, "sensitivity", share, 0, setting, tell)[0]

    @property
    def instead(self) -> Pruning:
        """What else may be tried by sensitivity: no drawing, or else the other kind of share."""
        if self.setting.variant != "top":
            return replace(self.setting, variant="top")
        return replace(self.setting, over=next(each for each in pruning.OVER if each != self.setting.over))

    def on_path(self, share: int) -> tuple[float, float]:
        report = self.path.reports.get(100 - share)
        if report is None:
            return np.nan, np.nan
        lost = self.path.judged(report)
        return (lost.error if lost.accuracy is None else lost.accuracy), report.removed

    def judged(self, known: pruning.Study, by: str, share: int, seed: int, setting: Pruning, tell) -> tuple[float, float]:
        """NaN where a budget is below one filter a layer."""
        subject = self.subject
        with TURNS.together():
            try:
                smaller, report = prune(subject, known, replace(setting, keep=1 - share / 100, seed=seed), by)
            except ValueError:
                return np.nan, np.nan
            if self.retrained:
                smaller = pruning.retrained(smaller, *subject.learn, seed=seed, progress=lambda event: self.look(tell))
            if subject.labels is None:
                return pruning.output_error(subject.network, smaller, subject.judge), report.removed
            return pruning.accuracy(smaller, subject.judge, subject.labels), report.removed

    def look(self, tell) -> None:
        if self.work:
            self.work.rest()
            if self.work.asked.is_set():
                raise Stopped

    @property
    def table(self) -> pd.DataFrame:
        rows = [(by, share / 100, really, seed, value) for (by, share, seed), (value, really) in self.points.copy().items()]
        found = pd.DataFrame(rows, columns=["by", "removed", "really", "seed", "value"]).dropna()
        return found.assign(retrained=self.retrained)

    @property
    def worst(self) -> int:
        """The share, in %, at which sensitivity loses most to another way; 0 where it does not."""
        lost = lost_by(self.told)
        return round(100 * lost.loc[lost["gap"].idxmax(), "removed"]) if len(lost) else 0

    @property
    def to_ask_the_other(self) -> int:
        return 0 if self.done < 1 or self.worst in self.other else self.worst


@keyed
@dataclass(frozen=True, eq=False)
class Told:
    """A curve with the points that it has so far. key: what changes with them."""

    key: tuple
    curve: Curve


@cached(24)
def lost_by(told: Told) -> pd.DataFrame:
    """The losses of a curve by what is told of it now."""
    return losses(told.curve.table, told.curve.subject.labels is not None)


def losses(table: pd.DataFrame, more_is_better: bool) -> pd.DataFrame:
    """Where another way is clearly better than sensitivity: removed, by (the best), theirs, ours, gap."""
    means = table.groupby(["removed", "by"])["value"].mean().unstack()
    if "sensitivity" not in means or means.shape[1] < 2:
        return pd.DataFrame(columns=["removed", "by", "theirs", "ours", "gap"])
    sign = 1 if more_is_better else -1
    ours, others = means["sensitivity"], means.drop(columns="sensitivity")
    means = means[ours.notna() & others.notna().any(axis=1)]
    ours, others = sign * means["sensitivity"], sign * means.drop(columns="sensitivity")
    found = pd.DataFrame({"by": others.idxmax(axis=1), "theirs": others.max(axis=1), "ours": ours}).reset_index()
    found["gap"] = found["theirs"] - found["ours"]
    found[["theirs", "ours"]] *= sign
    return found[found["gap"] > CLEAR]


@cached(24)
def curve_of(subject: Subject, measure: str, over: str, variant: str, retrained: bool) -> Curve:
    setting = Pruning(1.0, measure, over, variant, 0)
    return Curve(subject, path(subject, setting), setting, retrained)
