"""The papers' comparison: what a model loses against how small its table is, for one method after another, healed or not."""

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from compress.archive import load
from compress.errors import InputError, Progress, Step
from compress.files import replacing
from compress.form.compressed import Compressed
from compress.form.metrics import evaluate
from compress.linalg.blocks import sample_rows
from compress.matrix import EmbeddingMatrix
from compress.methods import METHODS, SVD, Method
from compress.tasks.judging import TaskOptions, check_names, judged_keys, settings_of, task_of, unmet
from compress.tasks.score import BEFORE, Score, Scores
from compress.tasks.texts import Text
from compress.tuning.fitting import OutOfReach, fit_to

if TYPE_CHECKING:
    from compress.importance import Importance
    from compress.models.open import OpenModel
    from compress.tasks.bench import Bench

COMPARED = ("svd", "projective", "lp", "light_token", "trellis")
SETTINGS: dict[str, dict[str, Any]] = {  # MESSI's k; the rest as is
    "projective": {"k": 5},
    "lp": {"objective": "rows"},
    "trellis": {"states": 1024},
}
RATIOS = (25.0, 103.0, 10.0, 50.0, 5.0)
SAVED = (0.4, 0.2, 0.6)
SAVED_BITS = 16  # of a factor where a size is counted in numbers
STEPS = 60
HELD = 400  # texts that healing is given beside those that it learns from
LIMIT, SEEDS = 4000, 3
STAGES = {
    "fit": "fitting",
    "measure": "measuring what the outputs depend on, to heal",
    "heal": "healing",
    "judge": "judging",
}
HEALED = ".healed-"  # in the names of files, as on the page Model quality
VERSION = 1  # of how cells are fitted and healed; files of another one are not taken up


@dataclass(frozen=True)
class Size:
    """How small a form is to be. by: "ratio", of bytes, or "saved", a share of the n·d numbers as the papers count them."""

    by: str
    value: float

    def __post_init__(self) -> None:
        if self.by == "saved" and not 0 < self.value < 1:
            raise ValueError(f"a share of numbers saved must be between 0 and 1, got {self.value:g}")
        if self.by == "ratio" and not self.value > 0:
            raise ValueError(f"ratio must be above 0, got {self.value:g}")

    def __str__(self) -> str:
        return f"ratio {self.value:g}" if self.by == "ratio" else f"{100 * self.value:g} % saved"


@dataclass(frozen=True)
class Cell:
    """One form to compare. size: None for a method that has one size only. healed_by: the name of the texts that it is healed by,
    None as it is fitted."""

    method: str
    size: Size | None
    healed_by: str | None = None


@dataclass(frozen=True)
class Row:
    """What one form costs and what the model loses with it. figures: as in Evaluation, by name. steps: of healing."""

    cell: Cell
    method: Method
    figures: dict[str, float]
    steps: int | None
    scores: tuple[Score, ...]

    @property
    def healed(self) -> bool:
        return self.cell.healed_by is not None

    def score(self, task: str, metric: str | None = None) -> Score | None:
        """The first score of a task, or that of one of its metrics; None where it was not judged."""
        return next((each for each in self.scores if each.task == task and metric in (None, each.metric)), None)

    def row(self) -> dict:
        """Every figure by name, as JSON takes it; "drop" is by how much a score is worse than with the table itself."""
        size = None if self.cell.size is None else str(self.cell.size)
        kept = ("ratio", "saved", "n_bytes", "relative_error", "weighted_error")
        return {
            "method": self.method.name,
            "settings": self.method.settings,
            "size": size,
            "healed": self.healed,
            "healed_by": self.cell.healed_by,
            "steps": self.steps,
            **{name: self.figures[name] for name in kept},
            "scores": [score.row() | {"drop": score.lost} for score in self.scores],
        }


def plan(methods: Iterable[str], sizes: Sequence[Size], texts: Iterable[str] = ()) -> list[Cell]:
    """Every method at every size, as it is fitted and then healed by each of the texts, one size after another. A method
    of one size, such as int8, stands once and is not healed."""
    methods = list(dict.fromkeys(methods))
    fixed = [Cell(method, None) for method in methods if METHODS[method].knob is None]
    sized = [method for method in methods if METHODS[method].knob is not None]
    return fixed + [Cell(method, size, by) for size in sizes for by in (None, *texts) for method in sized]


def compare(
    model: "OpenModel | None",
    matrix: EmbeddingMatrix,
    cells: Sequence[Cell],
    names: Iterable[str],
    folder: Path | str,
    data: Path | str | None = None,
    text: Path | str | None = None,
    texts: Mapping[str, Sequence[Text]] | None = None,
    steps: int = STEPS,
    seeds: int = SEEDS,
    limit: int | None = LIMIT,
    refit: bool = False,
    weighted: dict[str, EmbeddingMatrix] | None = None,
    progress: Progress | None = None,
) -> Iterator[Row]:
    """Rows as they come, a cell each; a cell whose method cannot be that small is left out.

    cells: see `plan`. names: of tasks, see `judge`, with its data, text, seeds and limit. texts: what forms are healed by, by name;
    not what they are judged on. steps: of healing. refit: whether a head is fitted on every form too, which takes most of the time.
    weighted: by a method's name, the same matrix with the row weights that it is fitted with. folder: keeps fits, healed forms,
    what the outputs depend on and scores, so that a stopped run goes on; with a report a row, as `judge` writes it.
    progress: told the cell and its stage, see STAGES, and the steps of a healing under "heal"; may raise to stop.
    Raises InputError where a task, its files, or the texts cannot be used.
    """
    names = list(dict.fromkeys(str(name) for name in names))
    check_names(names)
    for lack in unmet(names, model.facts if model else None, text).values():
        raise InputError(lack)
    kept = KeptForms(Path(folder), matrix, weighted or {}, texts or {}, steps)
    given = TaskOptions(data, text, seeds, limit, refit)
    tasks = Tasks(model, matrix, names, given, Scores(kept.folder / "scores.sqlite"))
    for done, cell in enumerate(cells):
        tell = ComparisonSteps(progress, done, len(cells), cell)
        tell("fit")
        path, result = kept.fitted(cell)
        if result is None:
            continue
        if cell.healed_by is not None:
            path, result = kept.healed(model, cell, path, result, tell)
        tell("judge")
        figures, scores = evaluate(matrix, result).figures(), tasks.scores(result.reconstruct())
        row = Row(cell, result.method, figures, steps if cell.healed_by is not None else None, tuple(scores))
        kept.report(path, row, names, given)
        yield row
    if progress:
        progress(Step(1.0, "done", {"done": len(cells), "of": len(cells)}))


class ComparisonSteps:
    """Tells what is done with a cell: its stage, and more of it."""

    def __init__(self, progress: Progress | None, done: int, of: int, cell: Cell):
        self.progress, self.done, self.of, self.cell = progress, done, of, cell

    def __call__(self, stage: str, **more: Any) -> None:
        if self.progress:
            size = None if self.cell.size is None else str(self.cell.size)
            form = METHODS[self.cell.method].label + (f", {size}" if size else "")
            figures = {"done": self.done, "of": self.of, **asdict(self.cell), "size": size, "stage": stage, **more}
            figures |= {"kept": f"{self.done} of {self.of} forms"} if self.done else {}
            words = f"{self.done + 1} of {self.of}, {STAGES[stage]} {form}"
            self.progress(Step(self.done / self.of, words, figures))


class Tasks:
    """Tasks judged with one table after another; what is computed with the table before is computed once."""

    def __init__(self, model: "OpenModel | None", matrix: EmbeddingMatrix, names: Sequence[str], given: TaskOptions, store: Scores):
        self.model, self.before, self.store = model, matrix.values, store
        self.made = {name: task_of(name, given) for name in names}
        self.settings = {name: settings_of(task) for name, task in self.made.items()}
        self.benches: dict[str, Bench] = {}

    def scores(self, table: np.ndarray) -> list[Score]:
        """Those of every task with a table (n, d), from the store where it has them."""
        from compress.tasks.bench import Bench

        after, found = "after", []
        key = judged_keys(self.model, {BEFORE: self.before, after: table})[after]
        for name, task in self.made.items():
            scores = self.store.of(key, name, self.settings[name])
            if not scores:
                bench = self.benches.setdefault(name, Bench(self.model, {BEFORE: self.before}))
                bench.put(after, table)
                started = time.perf_counter()
                figures = task.figures(bench, after)
                scores = [figure.score(task.name, after, time.perf_counter() - started) for figure in figures]
                self.store.keep(key, name, self.settings[name], scores)
            found += scores
        return found


class KeptForms:
    """A comparison's files: the forms of a matrix, as fitted and healed, and what the outputs depend on."""

    def __init__(
        self,
        folder: Path,
        matrix: EmbeddingMatrix,
        weighted: Mapping[str, EmbeddingMatrix],
        texts: Mapping[str, Sequence[Text]],
        steps: int,
    ):
        self.folder, self.matrix, self.weighted, self.texts, self.steps = folder, matrix, weighted, texts, steps
        self.measured: dict[str, Importance] = {}
        folder.mkdir(parents=True, exist_ok=True)

    def fitted(self, cell: Cell) -> tuple[Path, Compressed | None]:
        """The form of a cell as it is fitted, and its file; None where the method cannot be that small."""
        matrix = self.weighted.get(cell.method, self.matrix)
        settings = SETTINGS.get(cell.method, {})
        size = cell.size and (cell.size.by, float(cell.size.value))
        path = self.folder / f"{matrix.key}-{digest(VERSION, cell.method, settings, size)}.safetensors"
        result = load_kept(path)
        if result is None:
            result = fit(matrix, cell.method, cell.size, settings)
            if result is not None:
                result.save(path)
        return path, result

    def healed(
        self, model: "OpenModel | None", cell: Cell, path: Path, result: Compressed, tell: ComparisonSteps
    ) -> tuple[Path, Compressed]:
        """The healed form of a cell, and its file."""
        from compress.training import healing

        if model is None:
            raise InputError("Healing needs the model, and this matrix has none.")
        assert cell.healed_by is not None
        texts = self.texts[cell.healed_by]
        name = digest(VERSION, healing.VERSION, self.steps, *texts)
        file = path.with_name(f"{path.stem}{HEALED}{name}.safetensors")
        found = load_kept(file)
        if found is None:
            measured = self.importance(model, cell.healed_by, tell)
            chosen = [texts[at] for at in sample_rows(len(texts), self.steps * healing.BATCH + HELD, np.random.default_rng(0))]

            def told(step: Step) -> None:
                tell("heal", heal=step.row())

            found = healing.heal(model, self.matrix, result, chosen, self.steps, measured, progress=told).result
            found.save(file)
        return file, found

    def importance(self, model: "OpenModel", name: str, tell: ComparisonSteps) -> "Importance":
        """What the outputs depend on with those texts, measured once for all cells."""
        from compress.training.importance import importance_of, kept_importance

        def measured() -> "Importance":
            return importance_of(model, self.matrix, self.texts[name], progress=lambda step: tell("measure"))

        file = self.folder / f"{self.matrix.digest}-{digest(VERSION, 'importance', *self.texts[name])}.npz"
        if name not in self.measured:
            self.measured[name] = kept_importance(file, measured)
        return self.measured[name]

    def report(self, path: Path, row: Row, names: Sequence[str], given: TaskOptions) -> None:
        """A row as `judge` reports it, beside the form's file."""
        about = {"method": row.method.name, "settings": row.method.settings, "limit": given.limit or 0}
        about |= {"text": given.text and Path(given.text).name, **row.figures, "swap": None}
        asked = digest(*names, *(str(each) for each in (given.data, given.text, given.seeds, given.limit, given.refit)))
        with replacing(path.with_name(f"{path.stem}.{asked}.json")) as file:
            file.write(json.dumps(about | {"scores": [score.row() for score in row.scores]}).encode())


def fit(matrix: EmbeddingMatrix, method: str, size: Size | None, settings: dict) -> Compressed | None:
    """The best fit of a method at a size; None where it cannot be that small."""
    if size is None:
        return METHODS[method](**settings).fit(matrix)
    try:
        if size.by == "ratio":
            return fit_to(matrix, method, size.value, **settings)
        chosen = saving(METHODS[method], settings, matrix.shape, size.value)
        if chosen is not None:
            return chosen.fit(matrix)
        n, d = matrix.shape
        as_small = saving(SVD, {}, matrix.shape, size.value)
        assert as_small is not None
        return fit_to(matrix, method, 4 * n * d / as_small.size(n, d), **settings)
    except OutOfReach:
        return None


def saving(kind: type[Method], settings: dict, shape: tuple[int, int], saved: float) -> Method | None:
    """The largest j whose numbers, as the papers count them, are at most (1 − saved)·n·d, factors at 16 bits; None for a method
    whose size is not j. Raises OutOfReach where no j is so small."""
    if kind.knob != "j":
        return None
    n, d = shape
    make: Any = kind
    every = [make(**settings, factor_bits=SAVED_BITS, j=j) for j in kind().knob_values(n, d)]
    fitting = [each for each in every if each.parameter_count(n, d) <= (1 - saved) * n * d]
    if not fitting:
        raise OutOfReach(f"{kind.name} cannot reach {saved:.0%} saved here", saved)
    return fitting[-1]


def load_kept(path: Path) -> Compressed | None:
    """The form of a file that is there and whole."""
    try:
        return load(path)
    except InputError:
        return None


def digest(*what: Any) -> str:
    """16 hexadecimal digits that tell these apart from others."""
    return blake2b(json.dumps(what, sort_keys=True).encode(), digest_size=8).hexdigest()
