"""Models of fastText, `.bin` and `.ftz`: rows of the words, rows of the hashed subwords, and the output layer."""

import mmap
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from compress.errors import InputError
from compress.guard.rooms import room
from compress.matrix import Stored
from compress.sources.choice.info import Read, TensorInfo, pick
from compress.sources.limits import check_fits

MAGIC, VERSIONS = 793712314, (11, 12)
SETTINGS = struct.Struct("<14i d")  # magic, version, then dim … minn, maxn, lrUpdateRate, and t
COUNTS = struct.Struct("<3i 2q")  # entries, words, labels; tokens, pruned subwords
ENTRY = 10  # bytes of an entry behind its text: a zero, a count, a kind
SHAPE = struct.Struct("<2q")
QUANTIZED = struct.Struct("<? 2q i")  # whether lengths are apart; shape; bytes of codes
PARTS = struct.Struct("<4i")  # columns, parts, columns of a part, of the last part
CENTROIDS = 256  # vectors of a part, a byte a code
SUPERVISED = 3
BLOCK = 1 << 20  # numbers that are decoded at a time


@dataclass(frozen=True)
class Table:
    """A matrix of a model: its name, shape, first byte, or of a quantized one its first row, and where the names of its rows stand
    among the entries."""

    name: str
    shape: tuple[int, int]
    start: int
    entries: slice | None
    quantized: "Quantized | None" = None

    @property
    def info(self) -> TensorInfo:
        return TensorInfo(self.name, self.shape, "float32" if self.quantized is None else "uint8")


@dataclass(frozen=True)
class Quantized:
    """A matrix in product quantization. codes: where those of the rows begin, (n, parts). centroids: the vectors of each part.
    lengths: what a code of a row's length stands for, and where those codes begin; None where vectors have their lengths."""

    shape: tuple[int, int]
    codes: int
    centroids: list[np.ndarray]
    lengths: tuple[np.ndarray, int] | None
    stop: int

    @classmethod
    def at(cls, data: mmap.mmap, at: int, dim: int) -> "Quantized":
        """The one that begins there. Raises ValueError where the file does not hold it."""
        apart, n, d, n_codes = QUANTIZED.unpack_from(data, at)
        codes = at + QUANTIZED.size
        centroids, stop = centroids_at(data, codes + n_codes, dim)
        if n < 1 or d != dim or n_codes != n * len(centroids):
            raise ValueError("codes")
        lengths = None
        if apart:
            (each,), end = centroids_at(data, stop + n, 1)
            lengths, stop = (each[:, 0], stop), end
        return cls((n, d), codes, centroids, lengths, stop)

    def rows(self, path: Path, first: int, stop: int) -> np.ndarray:
        """Those rows, decoded."""
        check_fits(4 * (stop - first) * self.shape[1], path.name)
        parts = len(self.centroids)
        codes = np.memmap(path, np.uint8, "r", self.codes, (self.shape[0], parts))[first:stop]
        values = room((stop - first, self.shape[1]))
        step = max(1, BLOCK // self.shape[1])
        for at in range(0, stop - first, step):
            rows = slice(at, at + step)
            values[rows] = np.concatenate([each[codes[rows, part]] for part, each in enumerate(self.centroids)], axis=1)
        if self.lengths:
            values *= self.lengths[0][np.memmap(path, np.uint8, "r", self.lengths[1] + first, (stop - first,))][:, None]
        return values

    def n_bytes(self, n_rows: int) -> int:
        """Bytes of so many of its rows, and of all vectors."""
        shared = sum(each.nbytes for each in self.centroids) + (self.lengths[0].nbytes if self.lengths else 0)
        return n_rows * (len(self.centroids) + bool(self.lengths)) + shared


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
    notes = (note,) if mixed else ()
    if table.quantized is None:
        return Read(np.memmap(path, "<f4", "r", table.start, table.shape), tokens, "word", notes)
    values = table.quantized.rows(path, table.start, table.start + table.shape[0])
    return Read(
        values, tokens, "word", notes, stored=Stored("fastText's product quantization", table.quantized.n_bytes(len(values)))
    )


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
            packed = Quantized.at(data, at + 1, dim) if quantized else None
            rows = packed.shape[0] if packed else shape_at(data, at + 1, dim, size)[0]
            tables = input_tables(rows, n_words, dim, at + 1 + SHAPE.size, packed)
            at = packed.stop if packed else at + 1 + SHAPE.size + 4 * dim * rows
            (output_too,) = struct.unpack_from("<?", data, at)
            packed = Quantized.at(data, at + 1, dim) if quantized and output_too else None
            rows = packed.shape[0] if packed else shape_at(data, at + 1, dim, size)[0]
            supervised = settings[6] == SUPERVISED
            named = slice(n_words, None) if supervised else slice(n_words)
            fits = rows == (n_labels if supervised else n_words)
            start = 0 if packed else at + 1 + SHAPE.size
            return [*tables, Table("output", (rows, dim), start, named if fits else None, packed)], entries
        except (struct.error, ValueError, OverflowError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"{path.name} is a damaged model of fastText, or it is cut short; fetch the file again.") from error


def input_tables(rows: int, n_words: int, dim: int, start: int, quantized: Quantized | None) -> list[Table]:
    """The input matrix, whose first rows are those of the words and whose others are those of the subwords. start: its first byte;
    of a quantized one, tables tell their first row instead."""
    if rows < n_words:
        raise ValueError("rows")
    begin, behind = (0, n_words) if quantized else (start, start + 4 * dim * n_words)
    tables = [
        Table("words", (n_words, dim), begin, slice(n_words), quantized),
        Table("subwords", (rows - n_words, dim), behind, None, quantized),
    ]
    return [table for table in tables if table.shape[0]]


def centroids_at(data: mmap.mmap, at: int, dim: int) -> tuple[list[np.ndarray], int]:
    """The vectors of each part, (CENTROIDS, columns), and the byte behind them. Raises ValueError where the file lacks them."""
    columns, parts, each, last = PARTS.unpack_from(data, at)
    if columns != dim or parts < 1 or min(each, last) < 1 or (parts - 1) * each + last != dim:
        raise ValueError("parts")
    stop = at + PARTS.size + 4 * dim * CENTROIDS
    if stop > len(data):
        raise ValueError("centroids")
    numbers = np.frombuffer(data[at + PARTS.size : stop], "<f4")
    cut = [part.reshape(CENTROIDS, -1) for part in np.split(numbers, [CENTROIDS * each * part for part in range(1, parts)])]
    return cut, stop


def shape_at(data: mmap.mmap, at: int, dim: int, size: int) -> tuple[int, int]:
    """The shape of a matrix that begins there, once the file is known to hold it."""
    rows, columns = SHAPE.unpack_from(data, at)
    if rows < 0 or columns != dim or at + SHAPE.size + 4 * rows * columns > size:
        raise ValueError("shape")
    return rows, columns
