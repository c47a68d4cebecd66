"""A task's figures before and after compression, and where finished ones are kept."""

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from compress.models.facts import ModelFacts
from compress.tasks.needs import Need, a_model, a_tokenizer
from compress.tuning.store import Store

if TYPE_CHECKING:
    from compress.tasks.bench import Bench

BEFORE = "before"  # the table that others are compared with


@dataclass(frozen=True)
class Score:
    """One figure of a task, for one table.

    better: whether "more" or "less" of it is better. before: with the table "before". after: with this one, everything else as it
    was, the head fitted before compression too. refitted: with a head fitted on the model with this table; None where there is no
    head to fit. These are means over the seeds, the spreads the standard deviations over them. n: examples that the figure is over.
    seconds: that the task took.
    """

    task: str
    metric: str
    better: str
    table: str
    before: float
    after: float
    refitted: float | None
    before_spread: float
    after_spread: float
    refitted_spread: float | None
    seeds: int
    n: int
    seconds: float

    @property
    def lost(self) -> float:
        """By how much it is worse after, in the figure's own unit."""
        return (self.before - self.after) * (1 if self.better == "more" else -1)

    def row(self) -> dict:
        """Every field by name, as JSON takes it."""
        return asdict(self)

    def __str__(self) -> str:
        refitted = "" if self.refitted is None else f", refitted {told(self.refitted)} ± {self.refitted_spread:.4f}"
        after = f"{told(self.after)} ± {self.after_spread:.4f}" if self.seeds > 1 else told(self.after)
        return f"{self.task:12} {self.metric:28} before {told(self.before)}, after {after}{refitted}, n = {self.n:,}"


@dataclass(frozen=True)
class Figure:
    """What a task measures: one number a seed."""

    metric: str
    before: Sequence[float]
    after: Sequence[float]
    refitted: Sequence[float] | None
    n: int
    better: str = "more"

    def score(self, task: str, table: str, seconds: float) -> Score:
        """The mean and the spread over the seeds, for one table."""
        return Score(
            task=task,
            metric=self.metric,
            better=self.better,
            table=table,
            before=float(np.mean(self.before)),
            after=float(np.mean(self.after)),
            refitted=None if self.refitted is None else float(np.mean(self.refitted)),
            before_spread=spread(self.before),
            after_spread=spread(self.after),
            refitted_spread=None if self.refitted is None else spread(self.refitted),
            seeds=len(self.before),
            n=self.n,
            seconds=round(seconds, 2),
        )


def told(figure: float) -> str:
    """A figure with four decimals, or as many as it takes for three digits."""
    return f"{figure:.3g}" if 0 < abs(figure) < 0.01 else f"{figure:.4f}"


def spread(values: Sequence[float]) -> float:
    """Standard deviation over seeds, 0 for one."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else 0.0


class Task(ABC):
    """What can be judged: `figures` with a table in a bench. needs: what it needs of a model, see needs.py. version: of how it is
    measured; results of another one are not taken up. by_blocks: whether it decodes a compressed table itself, block by block."""

    name: str
    version: ClassVar[int] = 1
    by_blocks: ClassVar[bool] = False
    needs: ClassVar[tuple[Need, ...]] = (a_model, a_tokenizer)

    @abstractmethod
    def material(self) -> Any:
        """The texts or examples that the figures depend on, as JSON takes them; None where there are none."""

    @classmethod
    def lacks(cls, facts: ModelFacts | None, ids: bool) -> str | None:
        """The first of its needs that a model does not meet; None where it meets them, or where that is not known yet. facts: None
        for no model. ids: whether the texts come as token ids."""
        return next((lack for need in cls.needs if (lack := need(facts, ids))), None)

    @abstractmethod
    def figures(self, bench: "Bench", table: str) -> list[Figure]:
        """What the task measures with the table "before" and with this one."""


class Scores(Store):
    """Finished tasks in a SQLite file, kept under what was judged and how; a kill loses at most the task in hand."""

    table = "scores (judged TEXT, task TEXT, settings TEXT, scores TEXT, PRIMARY KEY (judged, task, settings))"

    def keep(self, judged: str, task: str, settings: str, scores: Sequence[Score]) -> None:
        """Keeps the scores of a finished task."""
        row = judged, task, settings, json.dumps([score.row() for score in scores])
        with self.open() as file:
            file.execute("INSERT OR REPLACE INTO scores VALUES (?, ?, ?, ?)", row)

    def of(self, judged: str, task: str, settings: str) -> list[Score]:
        """The scores of a finished task, none where it was not finished or not by this version."""
        with self.open() as file:
            row = file.execute(
                "SELECT scores FROM scores WHERE judged = ? AND task = ? AND settings = ?", (judged, task, settings)
            ).fetchone()
        try:
            return [Score(**score) for score in json.loads(row[0])] if row else []
        except (TypeError, ValueError):
            return []
