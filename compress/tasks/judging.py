"""Tasks by name, judged with one table after another in the model."""

import hashlib
import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from compress.checks import whole
from compress.errors import InputError, Progress, Step
from compress.form.compressed import Compressed
from compress.matrix import EmbeddingMatrix
from compress.models.facts import ModelFacts
from compress.models.places import check_shape
from compress.tasks.needs import a_text
from compress.tasks.score import BEFORE, Score, Scores, Task
from compress.tasks.texts import MOST, passages, read_texts

if TYPE_CHECKING:
    from compress.models.open import OpenModel
    from compress.tasks.labelled import Classification, Similarity

UNLABELLED = ("cosine", "neighbours", "search", "perplexity")
LABELLED = ("cola", "sst2", "mrpc", "stsb", "qqp", "mnli", "qnli", "rte", "wnli", "squad")
TASKS = (*UNLABELLED, *LABELLED)
OWN_LABELS = {
    "cosine": "Sentence vectors",
    "neighbours": "Neighbours@10",
    "search": "Search",
    "perplexity": "Perplexity",
    "squad": "SQuAD",
}


@dataclass(frozen=True)
class TaskOptions:
    """What tasks are made of."""

    data: Path | str | None
    text: Path | str | None
    seeds: int
    limit: int | None
    refit: bool = True
    search: Mapping[str, Any] = field(default_factory=dict)


def judge(
    model: "OpenModel | None",
    tables: dict[str, np.ndarray | Compressed | EmbeddingMatrix],
    names: Iterable[str] | Mapping[str, Task],
    data: Path | str | None = None,
    text: Path | str | None = None,
    seeds: int = 3,
    limit: int | None = None,
    refit: bool = True,
    progress: Progress | None = None,
    store: Scores | None = None,
    failed: dict[str, str] | None = None,
    search: Mapping[str, Any] | None = None,
) -> list[Score]:
    """What each task gives with each table in the model, beside what it gives before.

    model: may be None for "neighbours" and "search". tables: name to (n, d) table; "before" is what the others are compared with,
    the model's own unless given. names: of `TASKS`, or the path of a .csv or .tsv with labels; or what `ready` made of them. data:
    the folder that the tasks' folders lie in, see `glue` and `squad`; None for the hub. text: the file of texts for tasks without
    labels; None for the built-in ones. seeds: how many heads are fitted, each on four fifths of the training examples. limit: at
    most so many texts, training and test examples. refit: whether a head is fitted after compression too, for which all training
    examples are gone over with every table; SQuAD's always is. progress: told after every batch how far it is, and what a finished
    task gave; may raise to stop. store: keeps finished tasks, which are not run again. failed: where given, it takes the sentence
    of each task that could not be judged, by its name, and the others are judged all the same. search: the queries, qrels and
    similarity of "search", see `Search`.

    The model has its own table again afterwards, whatever happens. Raises InputError with one plain sentence where a table, or
    without `failed` a task or its files, cannot be used.
    """
    from compress.tasks.bench import Bench

    facts = model.facts if model else None
    if isinstance(names, Mapping):
        made, lacking = dict(names), unmet(names, facts, text)  # now that the model is open
        for name, lack in lacking.items():
            del made[name]
            with told_apart(name, failed):
                raise InputError(lack)
    else:
        made = ready(names, facts, data, text, seeds, limit, refit, failed, search)
    held = prepared(model, tables, all(task.by_blocks for task in made.values()))
    tell = JudgeSteps(progress, len(made) * (len(held) - 1), bool(store))
    before = tables.get(BEFORE)
    named = before.tokens if isinstance(before, EmbeddingMatrix) and before.has_tokens else None
    bench = Bench(model, held, tell.part, named)
    keys = {name: key for name, key in judged_keys(model, held).items() if name != BEFORE} if store else {}
    scores = []
    for name, task in made.items():
        settings = settings_of(task)
        for table in held:
            if table == BEFORE:
                continue
            tell.begin(name, table)
            found: list[Score] = []
            with told_apart(name, failed):
                found = [replace(score, table=table) for score in store.of(keys[table], name, settings)] if store else []
                if not found:
                    started = time.perf_counter()
                    figures = task.figures(bench, table)
                    found = [figure.score(task.name, table, time.perf_counter() - started) for figure in figures]
                    if store:
                        store.keep(keys[table], name, settings, found)
            tell.end(found)
            scores += found
        bench.forget()
    return scores


def ready(
    names: Iterable[str],
    facts: ModelFacts | None,
    data: Path | str | None = None,
    text: Path | str | None = None,
    seeds: int = 3,
    limit: int | None = None,
    refit: bool = True,
    failed: dict[str, str] | None = None,
    search: Mapping[str, Any] | None = None,
) -> dict[str, Task]:
    """The tasks by name with their texts and examples, so that what is wrong with one is said before a model is opened. facts: what
    is known of the model. The others as in `judge`, which takes what this gives."""
    names = list(dict.fromkeys(str(name) for name in names))
    whole("seeds", seeds, 1, 100)
    if limit is not None:
        whole("limit", limit, 1)
    check_names(names)
    lacking, made = unmet(names, facts, text), dict[str, Task]()
    for name in names:
        with told_apart(name, failed):
            if name in lacking:
                raise InputError(lacking[name])
            made[name] = task_of(name, TaskOptions(data, text, seeds, limit, refit, search or {}))
    return made


@contextmanager
def told_apart(name: str, failed: dict[str, str] | None) -> Iterator[None]:
    """What goes wrong with a task is told in `failed`, by the task's name; raised where that is None."""
    try:
        yield
    except (ValueError, RuntimeError, LookupError, TypeError, OSError, MemoryError) as error:
        if failed is None:
            raise
        said = str(error) if isinstance(error, InputError) else f"{label_of(name)} cannot be judged ({error})."
        failed.setdefault(name, " ".join(said.split()))


class JudgeSteps:
    """Tells how far a judge is. figures: "done", "of", "task" and "table"; while a task runs "passed", the share that is done of a
    pass over its texts, and "using" which table; when it is finished its "scores". keeps: whether finished tasks are kept.

    How many passes a task makes is not known before, so that each takes half of what is left of the task's share.
    """

    def __init__(self, progress: Progress | None, of: int, keeps: bool = False):
        self.progress, self.of, self.done, self.at, self.passes, self.keeps = progress, of, 0, ("", ""), 0, keeps

    def tell(self, words: str, **more: Any) -> None:
        """Tells a step of the task at hand."""
        if self.progress:
            share = (self.done + 0.95 * (1 - 0.5 ** (self.passes + more.get("passed", 0.0)))) / self.of
            kept = {"kept": f"{self.done} of {self.of} tasks"} if self.keeps and self.done else {}
            figures = {"done": self.done, "of": self.of, "task": self.at[0], "table": self.at[1], **kept, **more}
            self.progress(Step(share, f"{label_of(self.at[0])}, {words}", figures))

    def begin(self, task: str, table: str) -> None:
        """A task with one of the tables."""
        self.at, self.passes = (task, table), 0
        self.tell(f"{self.done + 1} of {self.of}")

    def part(self, table: str, share: float) -> None:
        """So much of a pass over the texts with one of the tables."""

        whose = "the table itself" if table == BEFORE else "the compressed one"
        self.tell(f"{self.done + 1} of {self.of}, with {whose}", using=table, passed=round(share, 3))
        self.passes += share >= 1

    def end(self, scores: Sequence[Score]) -> None:
        """The task is finished with that table."""
        self.done, self.passes = self.done + 1, 0
        self.tell(f"{self.done} of {self.of} done", scores=[score.row() for score in scores])


def label_of(task: str) -> str:
    """A task as a person reads it, by its name: as its paper writes it, or the name of the file of labels."""
    from compress.tasks.glue import GLUE

    return GLUE[task].folder if task in GLUE else OWN_LABELS.get(task, Path(task).name)


def kind_of(name: str) -> type[Task]:
    """The class of a task's name, or of a person's .csv or .tsv."""
    from compress.tasks.labelled import Classification
    from compress.tasks.unlabelled import Cosine, Neighbours, Perplexity

    if name == "squad":
        from compress.tasks.squad import Squad

        return Squad
    if name == "search":
        from compress.tasks.search import Search

        return Search
    kinds: dict[str, type[Task]] = {"cosine": Cosine, "neighbours": Neighbours, "perplexity": Perplexity}
    return kinds.get(name, Classification)


def needs_model(name: str) -> bool:
    """Whether a task asks the model, and not the tables alone."""
    return bool(kind_of(name).needs)


def unmet(names: Iterable[str], facts: ModelFacts | None, text: Path | str | None = None) -> dict[str, str]:
    """Why a task cannot be judged with a model, in a sentence, by the names of those that cannot. facts: what is known of the model
    before it is opened, None for a matrix without one. text: see `judge`."""
    ids, found = gives_ids(text), {}
    for name in names:
        lack, label = kind_of(name).lacks(facts, ids), label_of(name)
        if lack:
            found[name] = f"{label} {'need' if label.endswith('vectors') else 'needs'} {lack}."
    return found


def gives_ids(text: Path | str | None) -> bool:
    """Whether a file of texts has token ids; what is wrong with it is said where it is read for a task."""
    if text is None or not str(text).lower().endswith(".json"):
        return False
    try:
        return not isinstance(read_texts(text)[0], str)
    except InputError:
        return True


def text_lack(who: str, facts: ModelFacts | None, text: Path | str | None) -> str | None:
    """What a model lacks for work by a file of texts, None for the built-in ones, in a sentence that begins with who needs it; None
    where it lacks nothing. facts: what is known of the model before it is opened."""
    lack = a_text(facts, gives_ids(text))
    return lack and f"{who} needs {lack}."


def usual_tasks(facts: ModelFacts | None, offered: Iterable[str] = TASKS) -> list[str]:
    """The tasks that suit what a model is, of those that are offered: the one that it was fine-tuned on, else what it does without
    labels; and the neighbours of its table."""
    offered = [*offered]
    own = facts.task if facts and facts.task in LABELLED else None
    first = own if own in offered else facts and quick_task(facts)
    return [name for name in (first, "neighbours") if name in offered]


def quick_task(facts: ModelFacts) -> str:
    """The task without labels that asks most of what a model is for."""
    return "perplexity" if facts.causal else "cosine"


def check_names(names: Sequence[str]) -> None:
    """Raises InputError for a task that there is not, and where none is named."""
    from compress.tasks.uploads import ENDINGS

    for name in names:
        if name not in TASKS and not name.lower().endswith(ENDINGS):
            raise InputError(f"There is no task {name}; take {', '.join(TASKS)}, or a .csv or .tsv with labels.")
    if not names:
        raise InputError(f"No task is named; take {', '.join(TASKS)}, or a .csv or .tsv with labels.")


def prepared(model: "OpenModel | None", tables: dict, by_blocks: bool = False) -> dict[str, Any]:
    """The tables as (n, d) float32, "before" first; compressed forms as they are where tasks decode them block by block. Raises
    InputError where one has another shape than the model's."""

    held = {name: table if by_blocks and isinstance(table, Compressed) else decoded(table) for name, table in tables.items()}
    if BEFORE not in held and model is not None:
        held[BEFORE] = model.table.detach().cpu().float().numpy().copy()
    if BEFORE not in held or len(held) < 2:
        raise InputError("Give the table before and one or more to compare with it.")
    wanted, whose = (tuple(model.table.shape), "the model’s") if model else (held[BEFORE].shape, "the one before")
    for name, table in held.items():
        check_shape(f"The table {name}", table.shape, whose, wanted)
        if isinstance(table, np.ndarray) and not np.isfinite(table).all():
            raise InputError(f"The table {name} has NaN or infinite entries; compress the matrix again.")
    return {BEFORE: held.pop(BEFORE), **held}


def decoded(table: np.ndarray | Compressed | EmbeddingMatrix) -> np.ndarray:
    """The whole table, (n, d) float32."""
    if isinstance(table, Compressed):
        return table.reconstruct()
    return np.ascontiguousarray(table.values if isinstance(table, EmbeddingMatrix) else table, np.float32)


def task_of(name: str, given: TaskOptions) -> Task:
    """The task of a name with its texts or examples read. Raises InputError where they cannot be."""
    from compress.tasks.unlabelled import Cosine, Neighbours, Perplexity

    limit = given.limit
    if name == "neighbours":
        return Neighbours()
    if name == "search":
        from compress.tasks.search import search_task

        return search_task(**given.search, limit=limit)
    if name == "perplexity" and given.text is None:
        return Perplexity(passages(given.data)[:limit])
    if name in ("cosine", "perplexity"):
        return (Cosine if name == "cosine" else Perplexity)(read_texts(given.text)[: MOST if limit is None else limit])
    if name == "squad":
        from compress.tasks.squad import MOST_TRAIN, Squad, at_most, read_squad

        train, test = read_squad(given.data)
        return Squad(at_most(train, min(limit or MOST_TRAIN, MOST_TRAIN)), at_most(test, limit), given.seeds)
    return labelled_task(name, given)


def labelled_task(name: str, given: TaskOptions) -> "Classification | Similarity":
    """The task of a GLUE task's name, or of a person's .csv or .tsv, with its examples read."""
    from compress.tasks.examples import checked_classes, with_numbers
    from compress.tasks.glue import GLUE, read_glue
    from compress.tasks.labelled import Classification, Similarity
    from compress.tasks.uploads import read_upload, split

    asked: Sequence[str] = ("accuracy",)
    title = Path(name).name
    train: Any
    if name in GLUE:
        train, tests = read_glue(GLUE[name], given.data)
        asked = GLUE[name].figures
    else:
        part, scored = read_upload(name)
        if scored:
            train, tests, asked = None, {"": with_numbers(part, title)}, GLUE["stsb"].figures
        else:
            train, test = split(checked_classes(part, title))
            tests = {"": test}
    tests = {suffix: part.at_most(given.limit) for suffix, part in tests.items()}
    if train is None:
        return Similarity(title, tests, asked)
    train = checked_classes(train.at_most(given.limit), f"{title}’s training set")
    return Classification(title, train, tests, asked, given.seeds, given.refit)


def settings_of(task: Task) -> str:
    """What a task's figures depend on beside the model and the tables, in one line."""
    digest = hashlib.blake2b(json.dumps(task.material()).encode(), digest_size=16).hexdigest()
    fewer = {} if getattr(task, "refit", True) else {"refit": False}
    return json.dumps({"version": task.version, "seeds": getattr(task, "seeds", 1), "examples": digest, **fewer})


def judged_keys(model: "OpenModel | None", tables: dict[str, Any]) -> dict[str, str]:
    """What each table's scores are kept under: a hash of the model, of the table before and of this one."""
    state = hashlib.blake2b(digest_size=16)
    if model is not None:
        state.update(type(model.network).__name__.encode())
        for name, tensor in model.network.state_dict().items():
            state.update(name.encode())
            state.update(tensor.detach().cpu().float().contiguous().numpy().data)
    before = next(iter(tables.values()))
    state.update(repr(before.shape).encode())
    state.update(before.data)

    def key(table: np.ndarray | Compressed) -> str:
        mine = state.copy()
        mine.update(table.key.encode() if isinstance(table, Compressed) else table.data)
        return mine.hexdigest()

    return {name: key(table) for name, table in tables.items()}
