"""What a text tells of the rows of a matrix: columns of any kind, a row for each, with a first row of names or without."""

from pathlib import Path
from typing import Any

import numpy as np

from compress.errors import InputError
from compress.sources.limits import OF_TEXT, check_fits
from compress.sources.tables import columns
from compress.sources.tables.arrow import in_numpy
from compress.sources.tables.layout import BOM
from compress.sources.tables.parquet import cells_of
from compress.sources.tables.parting import split

SEPARATORS = "\t,;|"
ONE = "\x1f"  # what parts cells where there is one a row: no text has it
TABLES = (".csv", ".tsv")
PIECE = 1 << 20  # bytes that Arrow parses at a time, or a whole file in which rows may be longer
MOST_PIECE = (1 << 31) - 1


def told_of(path: Path, n_rows: int) -> columns.Told:
    """The columns of a text that tells of so many rows. Raises InputError where it has another number of them."""
    table = read(path, n_rows)
    return columns.Told(tuple(table.column_names), tuple(name for name in table.column_names if numbers_in(table[name]) is None))


def column(path: Path, n_rows: int, name: str) -> columns.Column:
    """One of its columns: words, "" where a cell is empty, or numbers (n,) float64, NaN there."""
    cells = read(path, n_rows)[name]
    numbers = numbers_in(cells)
    return numbers if numbers is not None else cells_of(cells.combine_chunks().dictionary_encode())


def numbers_in(cells: Any) -> np.ndarray | None:
    """A column of words as numbers; None where one is none, or all are empty."""
    from pyarrow import ArrowInvalid, compute, float64

    if not compute.max(compute.binary_length(cells)).as_py():
        return None
    try:
        return in_numpy(compute.replace_substring_regex(cells, "^$", "nan").cast(float64()))
    except ArrowInvalid:
        return None


def read(path: Path, n_rows: int) -> Any:
    """The whole text as a table of words: with quotes around cells that need them, else with quotes as letters."""
    check_fits(OF_TEXT * path.stat().st_size, path.name)
    text = text_of(path)
    other = None
    for separator in separators_of(text, path):
        for quoted in (True, False) if b'"' in text else (False,):
            if (table := parsed(text, separator, quoted)) is None:
                continue
            headed = is_headed(table, n_rows)
            if len(table) - headed == n_rows:
                return table[headed:].rename_columns(names_of(table, headed, path))
            told = "" if headed else " (its first too, which may name the columns)"
            other = other or columns.uneven(len(table) - headed, n_rows, path.name, told)
    if other is None:
        raise InputError(f"{path.name} has rows of different numbers of cells; write it again as CSV or TSV.")
    raise other


def names_of(table: Any, headed: bool, path: Path) -> list[str]:
    """What its first row calls the columns; their numbers where it does not, and the file's name of a single one."""
    first = [table[name][0].as_py().strip() if headed else "" for name in table.column_names]
    spare = [path.stem] if len(first) == 1 else [f"column {at + 1}" for at in range(len(first))]
    return columns.unique([name or other for name, other in zip(first, spare, strict=True)])


def text_of(path: Path) -> bytes:
    """What a file says, in UTF-8, its lines ended as Arrow knows it. Raises InputError where it is no text."""
    text = path.read_bytes().removeprefix(BOM)
    if not text.strip():
        raise InputError(f"{path.name} is empty; give a table with one row for each row of the matrix.")
    if b"\0" in text:
        raise InputError(f"{path.name} is no text; give a table, as CSV or parquet, with a row for each row of the matrix.")
    try:
        text.decode()
    except UnicodeDecodeError:
        text = text.decode("cp1252", "replace").encode()
    return text if b"\n" in text else text.replace(b"\r", b"\n")


def separators_of(text: bytes, path: Path) -> list[str]:
    """What may part the cells, the likeliest first: what the first line has, and nothing unless it is said to be a table."""
    first = first_of(text)
    counts = {separator: len(split(first, separator, "cells")) for separator in SEPARATORS}
    found = sorted((each for each in counts if counts[each] > 1), key=lambda each: -counts[each])
    return found if found and path.suffix.lower() in TABLES else [*found, ONE]


def first_of(text: bytes) -> str:
    """The first line."""
    return text.split(b"\n", 1)[0].decode("utf-8", "replace").removesuffix("\r")


def parsed(text: bytes, separator: str, quoted: bool) -> Any | None:
    """All rows as Arrow reads them, without names; None where they are not of one length."""
    import pyarrow as pa
    from pyarrow import csv as arrow

    first = text.split(b"\n", 1)[0].decode("utf-8", "replace").removesuffix("\r")
    names = [f"{at}" for at in range(len(split(first, separator, "cells" if quoted else "none")))]
    try:
        return arrow.read_csv(
            pa.BufferReader(text),
            read_options=arrow.ReadOptions(
                column_names=names, block_size=min(MOST_PIECE, max(PIECE, len(text) + 1)), use_threads=False
            ),
            parse_options=arrow.ParseOptions(
                delimiter=separator,
                quote_char='"' if quoted else False,
                newlines_in_values=quoted,
                ignore_empty_lines=len(names) > 1,
            ),
            convert_options=arrow.ConvertOptions(
                column_types=dict.fromkeys(names, pa.large_string()), strings_can_be_null=False, null_values=[]
            ),
        )
    except pa.ArrowException:
        return None


def is_headed(table: Any, n_rows: int) -> bool:
    """Whether the first row names the columns: it is one more than the matrix has, and not all are numbers, or it has a word where
    all others have numbers."""
    if len(table) == n_rows + 1:
        return not all(numbers_in(table[name]) is not None for name in table.column_names)
    return any(
        table[name][0].as_py() and numbers_in(table[name][:1]) is None and numbers_in(table[name][1:]) is not None
        for name in table.column_names
    )
