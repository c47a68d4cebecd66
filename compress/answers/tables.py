"""The tables of answers by name, and how one is made, kept while it grows, and read."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from compress.answers.codes import codes
from compress.answers.robust import robust
from compress.answers.subspaces import groups
from compress.errors import InputError, Progress
from compress.form.file import write
from compress.matrix import EmbeddingMatrix

Arrays = dict[str, np.ndarray]
Table = Callable[..., Arrays]  # of a matrix, `keep`, `progress` and settings by name

TABLES: dict[str, Table] = {"codes": codes, "j": groups, "k": groups, "robust": robust}


@dataclass(frozen=True)
class Answers:
    """What is kept of a table. whole: whether it is finished, or was stopped or is still being made."""

    arrays: Arrays
    whole: bool


class Keep:
    """`keep(arrays)` writes what a table holds by now, so that it can be shown while it grows. begun: what one that was stopped had
    kept, empty where there was none."""

    def __init__(self, path: Path):
        self.path = path
        try:
            self.begun = read(path).arrays
        except InputError:  # none yet, or cut short
            self.begun = {}

    def __call__(self, arrays: Arrays) -> None:
        save(growing(self.path), arrays)


def save(path: Path, arrays: Arrays) -> None:
    """Writes arrays whole or not at all."""
    write(path, {name: np.ascontiguousarray(array) for name, array in arrays.items()}, {})


def growing(path: Path) -> Path:
    """The file that holds what there is of a table before it is finished."""
    return path.with_name(f"{path.stem}.growing{path.suffix}")


def make(matrix: EmbeddingMatrix, name: str, path: Path, progress: Progress, settings: Mapping[str, Any]) -> Arrays:
    """Computes a table and keeps it in a file (.safetensors), at times also what there is of it so far. Raises ValueError for
    settings that the table does not take."""
    table = TABLES[name]
    known = list(inspect.signature(table).parameters)[3:]
    if unknown := [each for each in settings if each not in known]:
        raise ValueError(f"the table {name} has no setting {unknown[0]}; it has {', '.join(known) or 'none'}")
    arrays = table(matrix, Keep(path), progress, **settings)
    save(path, arrays)
    growing(path).unlink(missing_ok=True)
    return arrays


def read(path: Path) -> Answers:
    """A table as it stands. Raises InputError where there is nothing of it that can be read."""
    from safetensors import SafetensorError, safe_open

    whole = path.exists()
    path = path if whole else growing(path)
    try:
        with safe_open(path, framework="numpy") as file:
            return Answers({name: file.get_tensor(name) for name in sorted(file.keys())}, whole)
    except (OSError, SafetensorError, TypeError, ValueError) as error:
        raise InputError(f"{path.name} cannot be read as a table of answers; delete it, and it is made anew.") from error
