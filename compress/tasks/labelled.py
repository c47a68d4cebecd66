"""Tasks with labels: a class of a text or of a pair, by a linear head on frozen sentence vectors; how alike a pair is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from compress.linalg.blocks import unit_rows
from compress.tasks.examples import Examples, drawn
from compress.tasks.score import BEFORE, Figure, Task
from compress.tasks.unlabelled import cosines

if TYPE_CHECKING:
    from compress.tasks.bench import Bench

HEAD_SHARE = 0.8  # of the training examples, drawn anew by each seed: heads differ, and each text is computed once
STRENGTH = 3.0  # C of the logistic regression: better on SST-2 than 10 and 30, and vectors of length 1 than standardised ones


@dataclass(frozen=True)
class Classification(Task):
    """Logistic regression on sentence vectors of length 1, or on [u, v, |u−v|, u·v] of a pair's.

    The head that was fitted before compression judges the vectors after it, then with `refit` one fitted on the vectors after it
    does. tests: test sets, by what stands behind a figure's name.
    """

    name: str
    train: Examples
    tests: dict[str, Examples]
    asked: Sequence[str] = ("accuracy",)
    seeds: int = 3
    refit: bool = True

    def material(self) -> list:
        return [self.train, self.tests]

    def figures(self, bench: "Bench", table: str) -> list[Figure]:
        def heads(name: str) -> list:
            return bench.once(("heads", name), lambda: self.heads(features(bench, name, self.train)))

        fixed, refitted = heads(BEFORE), heads(table) if self.refit else None
        found = []
        for suffix, test in self.tests.items():
            before, after = (features(bench, name, test) for name in (BEFORE, table))
            gold = [str(label) for label in test.labels]
            for metric in self.asked:
                figure = FIGURES[metric]
                now, then = ([figure(gold, head.predict(x)) for head in fixed] for x in (before, after))
                anew = refitted and [figure(gold, head.predict(after)) for head in refitted]
                found.append(Figure(metric + suffix, now, then, anew, test.n))
        return found

    def heads(self, x: np.ndarray) -> list:
        """A head a seed, each fitted on its share of the training examples (n, features)."""
        from sklearn.linear_model import LogisticRegression

        y = np.array([str(label) for label in self.train.labels])
        chosen = [drawn(y, HEAD_SHARE, seed) for seed in range(self.seeds)]
        return [LogisticRegression(C=STRENGTH, max_iter=2000).fit(x[rows], y[rows]) for rows in chosen]


@dataclass(frozen=True)
class Similarity(Task):
    """How the cosine of a pair's sentence vectors goes with the gold score. There is no head, so nothing depends on a seed."""

    name: str
    tests: dict[str, Examples]
    asked: Sequence[str] = ("Spearman correlation", "Pearson correlation")

    def material(self) -> dict[str, Examples]:
        return self.tests

    def figures(self, bench: "Bench", table: str) -> list[Figure]:
        found = []
        for suffix, test in self.tests.items():
            others = test.others or ()
            before, after = (cosines(bench.vectors(name, test.texts), bench.vectors(name, others)) for name in (BEFORE, table))
            for metric in self.asked:
                figure = FIGURES[metric]
                found.append(Figure(metric + suffix, [figure(test.labels, before)], [figure(test.labels, after)], None, test.n))
        return found


def features(bench: "Bench", table: str, part: Examples) -> np.ndarray:
    """(examples, d) sentence vectors of length 1; (examples, 4d) for pairs."""
    if part.others is None:
        return unit_rows(bench.vectors(table, part.texts))
    u, v = (unit_rows(bench.vectors(table, texts)) for texts in (part.texts, part.others))
    return np.hstack([u, v, np.abs(u - v), u * v])


def accuracy(gold: Any, said: Any) -> float:
    """The share of examples that are said to be what they are."""
    from sklearn.metrics import accuracy_score

    return float(accuracy_score(np.asarray(gold), np.asarray(said)))


def f1(gold: Any, said: Any) -> float:
    """2·hits / (said to be 1 + being 1); 0 where neither is."""
    from sklearn.metrics import f1_score

    return float(f1_score(np.asarray(gold) == "1", np.asarray(said) == "1", zero_division=0))


def matthews(gold: Any, said: Any) -> float:
    """Matthews' correlation of what examples are said to be with what they are."""
    from sklearn.metrics import matthews_corrcoef

    return float(matthews_corrcoef(gold, said))


def correlation(kind: str) -> Callable[[Any, Any], float]:
    """A correlation of scipy.stats by its name, which is 0 where all that is said is alike."""

    def figure(gold: Any, said: Any) -> float:
        from scipy import stats

        if np.ptp(said) < 1e-12:  # all alike: nothing goes with the gold scores
            return 0.0
        return float(getattr(stats, kind)(gold, said).statistic)

    return figure


FIGURES: dict[str, Callable[[Any, Any], float]] = {
    "accuracy": accuracy,
    "F1": f1,
    "Matthews correlation": matthews,
    "Spearman correlation": correlation("spearmanr"),
    "Pearson correlation": correlation("pearsonr"),
}
