"""Many settings, fitted one after another, every finished trial kept."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import product
from typing import Any

from compress.errors import Progress, Step
from compress.form.metrics import evaluate
from compress.matrix import EmbeddingMatrix
from compress.methods import METHODS, Method
from compress.tuning import measured
from compress.tuning.fitting import within
from compress.tuning.recalls import key_of, recall_of
from compress.tuning.store import Store

RATIOS = (5.0, 10.0, 25.0, 50.0)


@dataclass(frozen=True)
class Trial:
    """One setting and what it gave: figures as in Evaluation, by name."""

    method: Method
    figures: dict[str, float]


def plan(shape: tuple[int, int], methods: Iterable[str], ratios: Iterable[float] = RATIOS, **settings: Any) -> list[Method]:
    """The settings of a sweep: every method at every ratio and every precision worth a try, each with the largest j, or what else
    its size is chosen by, that fits. Other settings are as given, one value or a list of them, where a method has them. What cannot
    reach a ratio is left out."""
    found: list[Method | None] = []
    for name in methods:
        names = {field.name for field in fields(METHODS[name])}
        knob = METHODS[name].knob
        open_settings = {**METHODS[name].precisions(*shape), **settings}
        given = {key: value for key, value in open_settings.items() if key in names and key != knob}
        lists = [value if isinstance(value, list | tuple) else [value] for value in given.values()]
        for values in product(*lists):
            method = METHODS[name](**dict(zip(given, values, strict=True)))
            found += [within(method, shape, ratio) for ratio in ratios] if knob else [method]
    return list(dict.fromkeys(method for method in found if method))


def run(matrix: EmbeddingMatrix, methods: Sequence[Method], store: "Trials", progress: Progress | None = None) -> list[Trial]:
    """Fits and evaluates every setting that the store does not hold yet, and counts its recall, kept apart; what is stopped goes on
    from there. progress: told after every setting how many are done; may raise to stop."""
    key, work = matrix.key, [method.effort * method.size(*matrix.shape) for method in methods]
    finished = {trial.method: trial for trial in store.of(key)}
    out = []
    for method in methods:
        trial = finished.get(method)
        if trial is None:
            result = method.fit(matrix)
            trial = Trial(method, evaluate(matrix, result).figures())
            store.keep(key, trial)
            store.keep(key_of(matrix), Trial(method, recall_of(matrix, result)))
        out.append(trial)
        if progress:
            done, of = len(out), len(methods)
            figures = {"done": done, "of": of, "method": method.name, "setting": str(method), "kept": f"{done} of {of} settings"}
            progress(Step(sum(work[:done]) / sum(work), f"{done} of {of} settings fitted", figures))
    return out


class Trials(Store):
    """Finished trials in a SQLite file, one row a matrix and setting; a kill loses at most the trial in hand. Those that ship with
    the program are there without being in the file."""

    shipped = staticmethod(measured.rows)
    table = "trials (digest TEXT, method TEXT, settings TEXT, figures TEXT, PRIMARY KEY (digest, method, settings))"

    def keep(self, digest: str, trial: Trial) -> None:
        """Keeps a finished trial of a matrix."""
        row = digest, trial.method.name, json.dumps(trial.method.settings, sort_keys=True), json.dumps(trial.figures)
        with self.open() as file:
            file.execute("INSERT OR REPLACE INTO trials VALUES (?, ?, ?, ?)", row)

    def of(self, digest: str) -> Iterator[Trial]:
        """The finished trials of a matrix, in the order they finished; settings that this version lacks are passed over."""
        for (method, settings), figures in {row[:2]: row[2] for row in [*self.shipped(digest), *self.rows(digest)]}.items():
            try:
                yield Trial(METHODS[method](**json.loads(settings)), in_use(json.loads(figures)))
            except (KeyError, TypeError, ValueError):
                continue

    def rows(self, digest: str) -> list[measured.Row]:
        """What the file holds of a matrix, as it stands there."""
        with self.open() as file:
            return file.execute(
                "SELECT method, settings, figures FROM trials WHERE digest = ? ORDER BY rowid", (digest,)
            ).fetchall()


def in_use(figures: dict[str, float]) -> dict[str, float]:
    """Figures by the names that they have now, also those that were kept when the papers' count was called numbers."""
    return {"parameter_count" if name == "numbers" else name: value for name, value in figures.items()}
