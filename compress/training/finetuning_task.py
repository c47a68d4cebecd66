"""What a classifier is fine-tuned on: labelled examples, checked, cut, and matched with the outputs of a head."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from compress.errors import InputError
from compress.models.facts import ModelFacts
from compress.tasks.needs import a_tokenizer

if TYPE_CHECKING:
    from compress.tasks.examples import Examples


@dataclass(frozen=True)
class LabelledTask:
    """What a classifier is fine-tuned on. tests: test sets, by what stands behind a figure's name. asked: names of figures, that
    which counts first. scored: whether labels are numbers to come near to and not classes."""

    name: str
    train: "Examples"
    tests: "dict[str, Examples]"
    asked: Sequence[str] = ("accuracy",)
    scored: bool = False


def lack_of(facts: ModelFacts) -> str | None:
    """Why a model cannot be fine-tuned, in a sentence, by what is known of it before it is opened; None where it can."""
    lack = a_tokenizer(facts, False)
    return lack and f"Fine-tuning needs {lack}."


def outputs_of(task: LabelledTask, network: Any, fresh: bool) -> list[str]:
    """The label that each output of the head stands for, "" for one that the task does not have."""
    held = network.config.num_labels
    if task.scored:
        if not fresh and held != 1:
            raise InputError(f"The labels of {task.name} are scores, for a head of one output; the model's head has {held}.")
        return ["score"]
    classes = sorted(set(task.train.labels), key=lambda label: (label.isdecimal() and int(label), label))
    if fresh:
        return classes
    if len(classes) > held:
        raise InputError(f"{task.name} has {len(classes)} labels, the model's head {held}; take a model for that many.")
    called = [str(network.config.id2label.get(at, "")).lower() for at in range(held)]
    if {label.lower() for label in classes} <= {*called}:
        spelt = {label.lower(): label for label in classes}
        return [spelt.get(name, "") for name in called]
    if all(label.isdecimal() and int(label) < held for label in classes):
        return [label if label in classes else "" for label in map(str, range(held))]
    return classes + [""] * (held - len(classes))


def checked(task: Any) -> LabelledTask:
    """The task with its labels as text, or as numbers where they are scores. Raises InputError for labels that nothing can be
    learnt from."""
    from compress.tasks.examples import checked_classes, with_numbers

    if not hasattr(task, "train"):
        raise InputError(f"{task.name} has no training examples; read it by compress.training.finetuning_task.read_task.")
    scored, name = getattr(task, "scored", False), f"{task.name}’s training set"
    train = labelled(task.train, name)
    tests = {suffix: labelled(part, f"{task.name}’s test set{suffix}") for suffix, part in task.tests.items()}
    if scored:
        train = with_numbers(train, name)
        tests = {suffix: with_numbers(part, f"{task.name}’s test set{suffix}") for suffix, part in tests.items()}
    else:
        checked_classes(train, name)
        for suffix, part in tests.items():
            if unknown := set(part.labels) - set(train.labels):
                raise InputError(
                    f"{task.name}’s test set{suffix} has the label “{min(unknown)}”, which no training example has; correct it."
                )
    return LabelledTask(task.name, train, tests, task.asked, scored)


def labelled(part: "Examples", where: str) -> "Examples":
    """The same examples, labels as text. Raises InputError where one is missing."""
    if not part.n:
        raise InputError(f"{where} holds no examples; check the file.")
    labels = tuple("" if label is None else str(label).strip() for label in part.labels)
    if "" in labels:
        raise InputError(f"Example {labels.index('') + 1:,} of {where} has no label; fill it in or leave the example out.")
    return part._replace(labels=labels)


def limited(task: LabelledTask, limit: int | None) -> LabelledTask:
    """The task with at most so many training and test examples, the same every time."""
    from compress.tasks.examples import checked_classes

    train = task.train.at_most(limit)
    if not task.scored:
        checked_classes(train, f"{task.name}’s training set, cut to {limit} examples,")
    return replace(task, train=train, tests={suffix: part.at_most(limit) for suffix, part in task.tests.items()})


def read_task(name: str, data: Path | str | None = None) -> LabelledTask:
    """The training and test examples of a GLUE task by its name, from the folder that its folder lies in or the hub for None; or
    those of a person's .csv or .tsv. Raises InputError where they cannot be read."""
    from compress.tasks.examples import with_numbers
    from compress.tasks.glue import GLUE
    from compress.tasks.judging import TaskOptions, labelled_task
    from compress.tasks.uploads import ENDINGS

    if name not in GLUE and not name.lower().endswith(ENDINGS):
        raise InputError(f"There is no task {name} to fine-tune on; take {', '.join(GLUE)}, or a .csv or .tsv with labels.")
    task = labelled_task(name, TaskOptions(data, None, 1, None))
    if hasattr(task, "train"):
        return LabelledTask(task.name, task.train, task.tests, task.asked)
    if name in GLUE:
        train, tests = with_numbers(scores_to_learn(GLUE[name], data), f"{name}’s training set"), task.tests
    else:
        train, test = split_scored(task.tests[""])
        tests = {"": test}
    return LabelledTask(task.name, train, tests, task.asked, True)


def scores_to_learn(task: Any, data: Path | str | None) -> "Examples":
    """The training examples of a GLUE task whose labels are scores."""
    from compress.tasks.examples import examples_of
    from compress.tasks.glue import HUB, TRAIN, hub_set, read_part, task_folder

    if data is not None:
        return read_part(task, task_folder(task, Path(data).expanduser()), TRAIN)
    held = hub_set(HUB, task.name, task.name, task.folder)["train"]
    columns = [held[field] for field in (*task.fields, "label")]
    return examples_of(list(zip(*columns, strict=True)), f"{task.name}’s train")


def split_scored(part: "Examples") -> "tuple[Examples, Examples]":
    """Scored examples to train on and to test on, the same every time."""
    from compress.tasks.examples import drawn
    from compress.tasks.uploads import TESTED

    train = np.sort(drawn(np.zeros(part.n), 1 - TESTED, 0))
    test = np.setdiff1d(np.arange(part.n), train)
    if len(test) < 2:
        raise InputError("The examples are too few to put some aside for the test; give at least ten.")
    return part.only(train), part.only(test)
