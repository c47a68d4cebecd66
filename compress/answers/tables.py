"""The tables of answers by name, and how one is made, kept while it grows, and read."""

import inspect
import lzma
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
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
SHIPPED, VERSION = Path(__file__).parent / "shipped", 1  # version: one more where tables come out different


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


def file_name(key: str, name: str, settings: Mapping[str, Any]) -> str:
    """What the file of a table is called, its ending left out. key: of the matrix."""
    return f"{key}-{blake2b(repr((name, sorted(settings.items()))).encode(), digest_size=8).hexdigest()}"


@lru_cache(4)
def shipped(file: str) -> Arrays | None:
    """A table that ships with this program, by its `file_name`; None where none does. Not to be written to. What Subspaces tells of
    every k and every j of the demo was made by `python -m benchmarks.subspace_answers --write`."""
    from safetensors.numpy import load

    path = shipped_path(file)
    return load(lzma.decompress(path.read_bytes())) if path.exists() else None


def shipped_path(file: str) -> Path:
    """Where a table of that `file_name` ships, if it does."""
    return SHIPPED / f"{file}-{VERSION}.safetensors.xz"


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
