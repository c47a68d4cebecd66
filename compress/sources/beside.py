"""A second file that tells of the rows of a matrix: as a table with a row for each, in whatever form tables are read."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from compress.errors import InputError, reading
from compress.sources import packed
from compress.sources.checkpoints.arrays import mapped
from compress.sources.choice.info import Read
from compress.sources.contents import kind_of
from compress.sources.kinds import EXTENSIONS
from compress.sources.tables import columns, json_rows, parquet, told
from compress.sources.tables.columns import Column, Columns, Told

TEXTS = ("csv", "text", None)  # what bytes tell of a text
TAKEN = "CSV, TSV, parquet, JSON lines, a text of one cell a line, or a .npy"


def with_columns(read: Read, path: Path, names: str | None) -> Read:
    """What a source gives, and the columns of a second file with it. names: which of these is to name the rows; without, one whose
    own name says that it does, where the source names none.

    Raises InputError where it is no table with a row for each of the matrix, or has no such column.
    """
    n_rows = len(read.values)
    with reading(path):
        here = told_of(path, n_rows)
        held = read.columns if isinstance(read.columns, Columns) else Columns((), columns.nothing)
        new = held.add(path, here.names, partial(column, path, n_rows))
        if names is not None and names not in new:
            raise InputError(f"{path.name} has no column {names!r} to name the rows by; it has {columns.listed(here.names)}.")
        if names is None and read.tokens is None:
            names = columns.telling(here.names, here.texts)
        if names is None:
            return read._replace(columns=held)
        held.names_rows = new[names]
        cells = column(path, n_rows, names)
    tokens = [f"{cell:g}" for cell in cells] if isinstance(cells, np.ndarray) else list(cells)
    return read._replace(columns=held, tokens=tokens, row_word=columns.row_word(names))


def told_of(path: Path, n_rows: int) -> Told:
    """The columns of a file that tells of so many rows."""
    inside, kind = opened(path)
    if kind == "npy":
        cells = of_array(inside, n_rows)
        return Told((path.stem,), (path.stem,) if isinstance(cells, list) else ())
    return {"parquet": parquet.told_of, "json": json_rows.told_of}.get(kind, told.told_of)(inside, n_rows)


def column(path: Path, n_rows: int, name: str) -> Column:
    """One of them: words, "" where a cell is empty, numbers (n,) float64, NaN there, or lists (n, d)."""
    inside, kind = opened(path)
    if kind == "npy":
        return of_array(inside, n_rows)
    read: dict[str, Callable[[Path, str], Column]] = {"parquet": parquet.column, "json": json_rows.column}
    return read[kind](inside, name) if kind in read else told.column(inside, n_rows, name)


def opened(path: Path) -> tuple[Path, str]:
    """The file, that inside where it is packed, and what it is: "parquet", "json", "npy" or "text"."""
    kind, ending = kind_of(path), path.suffix.lower()
    if kind in packed.KINDS:
        path, ending = packed.unpacked(path, kind)
        kind = kind_of(path)
    if kind in TEXTS and EXTENSIONS.get(ending, "text") in ("text", "json"):
        return path, "json" if EXTENSIONS.get(ending) == "json" else "text"
    if kind in ("parquet", "json", "npy"):
        return path, kind
    raise InputError(f"{path.name} is no table of columns; give {TAKEN} with a row for each row of the matrix.")


def of_array(path: Path, n_rows: int) -> Column:
    """The one column of a .npy, of numbers, words, truths or dates."""
    found = mapped(path, "fiubUSM")
    if found.ndim == 0 or found.size != len(found):
        raise InputError(f"{path.name} holds {found.dtype} of shape {found.shape}; give one column.")
    if len(found) != n_rows:
        raise columns.uneven(len(found), n_rows, path.name)
    cells = np.array(found).reshape(-1)
    if cells.dtype.kind in "fiu":
        return cells.astype(np.float64)
    return np.strings.decode(cells, "utf-8", "replace").tolist() if cells.dtype.kind == "S" else cells.astype(str).tolist()
