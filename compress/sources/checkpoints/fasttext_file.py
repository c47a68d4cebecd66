"""Models of fastText, `.bin`: rows of the words, rows of the hashed subwords, and the output layer."""

import mmap
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from compress.errors import InputError
from compress.sources.choice.info import Read, TensorInfo, pick

MAGIC, VERSIONS = 793712314, (11, 12)
SETTINGS = struct.Struct("<14i d")  # magic, version, then dim … minn, maxn, lrUpdateRate, and t
COUNTS = struct.Struct("<3i 2q")  # entries, words, labels; tokens, pruned subwords
ENTRY = 10  # bytes of an entry behind its text: a zero, a count, a kind
SHAPE = struct.Struct("<2q")
SUPERVISED = 3


@dataclass(frozen=True)
class Table:
    """A matrix of a model: its name, shape, first byte, and where the names of its rows stand among the entries."""

    name: str
    shape: tuple[int, int]
    start: int
    entries: slice | None

    @property
    def info(self) -> TensorInfo:
        return TensorInfo(self.name, self.shape, "float32")


def infos(path: Path) -> list[TensorInfo]:
    """The rows of the words first, then those of the subwords, and the output layer."""
    return [table.info for table in layout(path)[0]]


def read(path: Path, tensor: str | None) -> Read:
    """One of the tables, mapped, and the words or labels of its rows.

    A row of "words" is what the model stores for a word; what fastText gives for it is the mean of this row and those of its
    subwords.
    """
    tables, entries = layout(path)
    name = pick([table.info for table in tables], tensor or tables[0].name, path.name).name
    table = next(each for each in tables if each.name == name)
    tokens = None if table.entries is None else [each.decode("utf-8", "replace") for each in entries[table.entries]]
    mixed = name == "words" and any(each.name == "subwords" for each in tables)
    note = "rows of words as the model stores them; its vector of a word is their mean with rows of the table subwords"
    return Read(np.memmap(path, "<f4", "r", table.start, table.shape), tokens, "word", (note,) if mixed else ())


def layout(path: Path) -> tuple[list[Table], list[bytes]]:
    """The tables of a model and its entries, words before labels; InputError where the file is not whole."""
    size = path.stat().st_size
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        try:
            magic, version, dim, *settings, _ = SETTINGS.unpack_from(data)
            n_entries, n_words, n_labels, _, n_pruned = COUNTS.unpack_from(data, SETTINGS.size)
            at = SETTINGS.size + COUNTS.size
            if magic != MAGIC or version not in VERSIONS:
                raise InputError(f"{path.name} is of a version of fastText that is not read; save its .vec.")
            if dim < 1 or min(n_words, n_labels) < 0 or n_words + n_labels != n_entries or n_entries * ENTRY > size:
                raise ValueError("counts")
            entries = []
            for _ in range(n_entries):
                end = data.find(b"\0", at)
                if end < 0:
                    raise ValueError("entries")
                entries.append(data[at:end])
                at = end + ENTRY
            at += 8 * max(0, n_pruned)
            (quantized,) = struct.unpack_from("<?", data, at)
            if quantized:
                raise InputError(f"{path.name} is a quantized model of fastText (.ftz); give its .bin or .vec.")
            tables, at = input_tables(data, at + 1, n_words, dim, size), at + 1 + SHAPE.size
            at += sum(4 * dim * table.shape[0] for table in tables)
            (quantized,) = struct.unpack_from("<?", data, at)
            if not quantized:
                rows, columns = shape_at(data, at + 1, dim, size)
                supervised = settings[6] == SUPERVISED
                named = slice(n_words, None) if supervised else slice(n_words)
                fits = rows == (n_labels if supervised else n_words)
                tables.append(Table("output", (rows, columns), at + 1 + SHAPE.size, named if fits else None))
            return tables, entries
        except (struct.error, ValueError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"{path.name} is a damaged model of fastText, or it is cut short; fetch the file again.") from error


def input_tables(data: mmap.mmap, at: int, n_words: int, dim: int, size: int) -> list[Table]:
    """The input matrix, whose first rows are those of the words and whose others are those of the subwords."""
    rows, _ = shape_at(data, at, dim, size)
    if rows < n_words:
        raise ValueError("rows")
    start = at + SHAPE.size
    tables = [
        Table("words", (n_words, dim), start, slice(n_words)),
        Table("subwords", (rows - n_words, dim), start + 4 * dim * n_words, None),
    ]
    return [table for table in tables if table.shape[0]]


def shape_at(data: mmap.mmap, at: int, dim: int, size: int) -> tuple[int, int]:
    """The shape of a matrix that begins there, once the file is known to hold it."""
    rows, columns = SHAPE.unpack_from(data, at)
    if rows < 0 or columns != dim or at + SHAPE.size + 4 * rows * columns > size:
        raise ValueError("shape")
    return rows, columns
