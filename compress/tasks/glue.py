"""GLUE's nine tasks: their files, their columns, their figures."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compress.errors import InputError
from compress.tasks.examples import Examples, checked_classes, examples_of, table_of, with_numbers

TRAIN = ("train.tsv", "in_domain_train.tsv", "sts-train.tsv", "sif_sentiment-train")
DEV = ("dev.tsv", "in_domain_dev.tsv", "sts-dev.tsv", "sif_sentiment-dev")
HUB = "nyu-mll/glue"


@dataclass(frozen=True)
class GlueTask:
    """One task as GLUE lays it out.

    folder: as the zip names it. columns: names in a header, the texts' first, the label's last. places: where these columns are in
    a file without a header, None where there is always one. fields: the texts' names in `datasets`. tests: what stands behind a
    figure's name, the test set's name in `datasets`, and its files.
    """

    name: str
    folder: str
    columns: tuple[str, ...]
    figures: tuple[str, ...]
    places: tuple[int, ...] | None = None
    fields: tuple[str, ...] = ("sentence1", "sentence2")
    tests: tuple[tuple[str, str, Sequence[str]], ...] = (("", "validation", DEV),)

    @property
    def scored(self) -> bool:
        """Whether the label is a score and not a class."""
        return self.name == "stsb"


PAIR = ("sentence1", "sentence2", "label")
QUESTIONS = ("question1", "question2")
MNLI_COLUMNS = ("sentence1", "sentence2", "gold_label")
MNLI_TESTS = (
    (" (matched)", "validation_matched", ("dev_matched.tsv",)),
    (" (mismatched)", "validation_mismatched", ("dev_mismatched.tsv",)),
)
GLUE = {
    task.name: task
    for task in (
        GlueTask("cola", "CoLA", ("sentence", "label"), ("Matthews correlation",), (3, 1), ("sentence",)),
        GlueTask("sst2", "SST-2", ("sentence", "label"), ("accuracy",), (0, 1), ("sentence",)),
        GlueTask("mrpc", "MRPC", ("#1 String", "#2 String", "Quality"), ("accuracy", "F1")),
        GlueTask("stsb", "STS-B", ("sentence1", "sentence2", "score"), ("Spearman correlation", "Pearson correlation"), (5, 6, 4)),
        GlueTask("qqp", "QQP", (*QUESTIONS, "is_duplicate"), ("accuracy", "F1"), fields=QUESTIONS),
        GlueTask("mnli", "MNLI", MNLI_COLUMNS, ("accuracy",), fields=("premise", "hypothesis"), tests=MNLI_TESTS),
        GlueTask("qnli", "QNLI", ("question", "sentence", "label"), ("accuracy",), fields=("question", "sentence")),
        GlueTask("rte", "RTE", PAIR, ("accuracy",)),
        GlueTask("wnli", "WNLI", PAIR, ("accuracy",)),
    )
}


def read_glue(task: GlueTask, data: Path | str | None) -> tuple[Examples | None, dict[str, Examples]]:
    """The training examples, None where the label is a score, and the test sets by what stands behind a figure's name.

    data: the folder that the task's folder lies in, or that folder itself; None for the hub by `datasets`. Raises InputError where
    it is not there, naming what was looked for.
    """
    if data is None:
        train, tests = from_hub(task)
    else:
        folder = task_folder(task, Path(data).expanduser())
        train = None if task.scored else read_part(task, folder, TRAIN)
        tests = {suffix: read_part(task, folder, files) for suffix, _, files in task.tests}
    if train is None:
        return None, {suffix: with_numbers(part, f"{task.name}’s test set") for suffix, part in tests.items()}
    return checked_classes(train, f"{task.name}’s training set"), tests


def task_folder(task: GlueTask, data: Path) -> Path:
    """The task's folder in `data`, however its name is written: SST-2, sst2, glue_sst2."""
    if not data.is_dir():
        raise InputError(f"There is no folder {data}; give the folder that {task.folder} lies in.")
    for folder in (data, *sorted(data.iterdir())):
        if plain(folder.resolve().name) == task.name and folder.is_dir():
            return folder
    raise InputError(f"{data} has no folder for {task.name}; looked for {task.folder} and glue_{task.name}.")


def plain(name: str) -> str:
    """A folder's name in small letters and digits, without "glue" before it."""
    return "".join(letter for letter in name.lower() if letter.isalnum()).removeprefix("glue")


def read_part(task: GlueTask, folder: Path, files: Sequence[str]) -> Examples:
    """The examples of the first of these files that is there."""
    found = next((folder / file for file in files if (folder / file).is_file()), None)
    if found is None and task.name == "mrpc" and files is TRAIN:
        return whole_mrpc(task, folder)
    if found is None:
        raise InputError(f"{folder} has no file for {task.name}; looked for {', '.join(files)}.")
    return examples_of(cells(task, table_of(found, quoted=False), found), str(found))


def whole_mrpc(task: GlueTask, folder: Path) -> Examples:
    """MRPC's training examples where only Microsoft's own file is there, which holds the test pairs too."""
    whole, test = folder / "msr_paraphrase_train.txt", folder / "dev.tsv"
    if not whole.is_file() or not test.is_file():
        raise InputError(f"{folder} has no file for mrpc; looked for train.tsv, or msr_paraphrase_train.txt with dev.tsv.")
    tested = {tuple(row[1:3]) for row in table_of(test, quoted=False)[1:]}
    header, *rows = table_of(whole, quoted=False)
    return examples_of(cells(task, [header, *(row for row in rows if tuple(row[1:3]) not in tested)], whole), str(whole))


def cells(task: GlueTask, rows: list[list[str]], path: Path) -> list[list[str]]:
    """The task's columns of a table. Lines that are cut short or lack a text, as some of QQP's do, are left out."""
    header = [cell.strip() for cell in rows[0]] if rows else []
    if set(task.columns) <= set(header):
        places, rows = [header.index(column) for column in task.columns], rows[1:]
    elif task.places is not None:
        places = list(task.places)
    else:
        raise InputError(f"{path} has no columns {', '.join(task.columns)}; its first line must name them.")
    found = [[row[place].strip() for place in places] for row in rows if len(row) > max(places)]
    if not found and rows:
        raise InputError(f"{path} has fewer than the {max(places) + 1} columns of {task.name}; check the file.")
    return with_texts(found)


def with_texts(rows: Iterable[Any]) -> list[Any]:
    """The rows whose every text is there; the label stands last."""
    return [row for row in rows if all(text.strip() for text in row[:-1])]


def from_hub(task: GlueTask) -> tuple[Examples | None, dict[str, Examples]]:
    """The same as `read_glue`, fetched by `datasets`."""
    held = hub_set(HUB, task.name, task.name, task.folder)

    def part(split: str) -> Examples:
        columns = [held[split][field] for field in (*task.fields, "label")]
        return examples_of(with_texts(zip(*columns, strict=True)), f"{task.name}’s {split}")

    return None if task.scored else part("train"), {suffix: part(split) for suffix, split, _ in task.tests}


def hub_set(path: str, name: str | None, task: str, wanted: str) -> Any:
    """A data set of the hub by `datasets`; InputError where that is not installed or the hub cannot be reached."""
    try:
        from datasets import load_dataset
    except ImportError:
        raise InputError(f"{task} needs its files; give the folder that {wanted} lies in, or install datasets.") from None
    try:
        return load_dataset(path, name) if name else load_dataset(path)
    except Exception as error:  # datasets and its network raise many kinds
        said = " ".join(str(error).split())[:200]
        raise InputError(f"{task} cannot be fetched from {path} ({said}); give the folder that {wanted} lies in.") from error
