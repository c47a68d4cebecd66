"""Many settings, fitted one after another, every finished trial kept."""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, fields
from itertools import product
from pathlib import Path

from compress.form.metrics import evaluate
from compress.matrix import EmbeddingMatrix
from compress.methods import METHODS, Method
from compress.tuning.fitting import within

RATIOS = (5.0, 10.0, 25.0, 50.0)


@dataclass(frozen=True)
class Trial:
    """One setting and what it gave: figures as in Evaluation, by name."""

    method: Method
    figures: dict[str, float]


def plan(shape: tuple[int, int], methods: Iterable[str], ratios: Iterable[float] = RATIOS, **settings) -> list[Method]:
    """The settings of a sweep: every method at every ratio and every precision worth a try, each with the largest j, or what else
    its size is chosen by, that fits. Other settings are as given, one value or a list of them, where a method has them. What cannot
    reach a ratio is left out."""
    found = []
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


def run(
    matrix: EmbeddingMatrix, methods: Iterable[Method], store: "Trials", progress: Callable[[Trial], None] | None = None
) -> list[Trial]:
    """Fits and evaluates every setting that the store does not hold yet; what is stopped goes on from there."""
    key = matrix.key
    finished = {trial.method: trial for trial in store.of(key)}
    out = []
    for method in methods:
        trial = finished.get(method)
        if trial is None:
            trial = Trial(method, evaluate(matrix, method.fit(matrix)).figures())
            store.keep(key, trial)
        out.append(trial)
        if progress:
            progress(trial)
    return out


class Trials:
    """Finished trials in a SQLite file, one row a matrix and setting; a kill loses at most the trial in hand."""

    def __init__(self, path: str | Path):
        self.path = Path(path)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self.prepare()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):  # locked or not writable: the file itself may be whole
                raise
            self.path.rename(self.path.with_suffix(".damaged"))
            self.prepare()

    def prepare(self) -> None:
        with closing(self.open()) as file, file:
            file.execute(
                "CREATE TABLE IF NOT EXISTS trials (digest TEXT, method TEXT, settings TEXT, figures TEXT, "
                "PRIMARY KEY (digest, method, settings))"
            )

    def open(self) -> sqlite3.Connection:
        return sqlite3.connect(self.path, timeout=30)

    def keep(self, digest: str, trial: Trial) -> None:
        row = digest, trial.method.name, json.dumps(trial.method.settings, sort_keys=True), json.dumps(trial.figures)
        with closing(self.open()) as file, file:
            file.execute("INSERT OR REPLACE INTO trials VALUES (?, ?, ?, ?)", row)

    def of(self, digest: str) -> Iterator[Trial]:
        """The finished trials of a matrix, in the order they finished; settings that this version lacks are passed over."""
        with closing(self.open()) as file:
            rows = file.execute(
                "SELECT method, settings, figures FROM trials WHERE digest = ? ORDER BY rowid", (digest,)
            ).fetchall()
        for method, settings, figures in rows:
            try:
                yield Trial(METHODS[method](**json.loads(settings)), json.loads(figures))
            except (KeyError, TypeError, ValueError):
                continue
