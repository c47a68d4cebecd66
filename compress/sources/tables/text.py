"""Text of rows (word2vec, GloVe, fastText, CSV, TSV) and word2vec's binary form."""

import mmap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from compress.errors import InputError
from compress.guard.rooms import room
from compress.sources.choice.info import Read, TensorInfo, pick
from compress.sources.limits import check_fits
from compress.sources.tables import columns, delimited
from compress.sources.tables.cells import n_numbers
from compress.sources.tables.layout import BOM, CONTROL, HEADER, check_declared

HEAD = 4 << 20  # bytes looked at to tell the form
LONGEST_TOKEN = 10_000  # bytes
LONGEST_NAME = 300  # bytes of a token with spaces
SpaceOf = Callable[[mmap.mmap, int, int], int]


@dataclass(frozen=True)
class Layout:
    """How a binary file of word vectors is laid out. begin: the byte of the first row."""

    n_rows: int
    dim: int
    begin: int

    @property
    def info(self) -> TensorInfo:
        return TensorInfo("embedding", (self.n_rows, self.dim), "float32")


def infos(path: Path) -> list[TensorInfo]:
    """The matrix of a file of rows, or those of its columns of lists."""
    layout = binary_layout(path)
    return [layout.info] if layout else delimited.infos(path)


def read(path: Path, tensor: str | None, asked: columns.Asked = columns.JUDGED) -> Read:
    """Vectors as float32 and the names of their rows."""
    layout = binary_layout(path)
    if layout is None:
        return delimited.read(path, tensor, asked)
    pick([layout.info], tensor, path.name)
    check_fits(4 * layout.n_rows * layout.dim, path.name)
    return read_binary(path, layout)


def column(path: Path, name: str) -> columns.Column:
    """One column of a table of text."""
    return delimited.column(path, name)


def binary_layout(path: Path) -> Layout | None:
    """The layout of a binary file, which a line "rows columns" begins; None where the file is text."""
    with open(path, "rb") as file:
        head = file.read(HEAD)
    first, *others = head.split(b"\n", 2)
    header = HEADER.fullmatch(first.removeprefix(BOM))
    if not header or not others:
        return None
    n_rows, dim = int(header[1]), int(header[2])
    begin = len(first) + 1
    if n_numbers(others[0]) >= dim or is_text(head[begin : begin + 32 * dim + 1000]):
        return None
    check_declared((n_rows, dim), path.stat().st_size, path, of_number=4)
    return Layout(n_rows, dim, begin)


def is_text(sample: bytes) -> bool:
    """Whether bytes, perhaps cut inside a letter, are text."""
    try:
        sample.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start > len(sample) - 4 and not CONTROL.search(sample)
    return not CONTROL.search(sample)


def read_binary(path: Path, layout: Layout) -> Read:
    """Rows "token, space, d float32", with or without a newline between them. A token may hold spaces: where the rows do not end
    with the file when it holds none, it goes on to the first space that numbers seem to follow."""
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        for space_of in (first_space, likely_space):
            tokens, values, end = binary_rows(data, layout, space_of)
            if len(tokens) == layout.n_rows and not data[end : end + LONGEST_TOKEN].strip():
                return Read(values, tokens, "word")
        if len(tokens) < layout.n_rows:
            raise InputError(
                f"Row {len(tokens) + 1:,} of the {layout.n_rows:,} that {path.name} declares is damaged or cut short; "
                "fetch the file again."
            )
        raise InputError(
            f"{path.name} goes on behind the {layout.n_rows:,} rows that it declares: its first line is wrong, or a word in it "
            "has a space; save it as text."
        )


def binary_rows(
    data: mmap.mmap, layout: Layout, space_of: Callable[[mmap.mmap, int, int], int]
) -> tuple[list[str], np.ndarray, int]:
    """Tokens and (n, d) numbers of the rows up to one that is not whole, and the byte behind them. space_of: the byte that ends a
    token, of the data, the byte it begins at and the bytes that its numbers take; −1 where there is none."""
    tokens: list[str] = []
    values = room((layout.n_rows, layout.dim), "<f4")
    n_bytes, at = 4 * layout.dim, layout.begin
    for row in range(layout.n_rows):
        space = space_of(data, at, n_bytes)
        numbers = data[space + 1 : space + 1 + n_bytes] if space > 0 else b""
        if len(numbers) < n_bytes:
            break
        tokens.append(data[at:space].removeprefix(b"\n").decode("utf-8", "replace"))
        values[row] = np.frombuffer(numbers, "<f4")
        at = space + 1 + n_bytes
    return tokens, values, at


def first_space(data: mmap.mmap, at: int, n_bytes: int) -> int:
    """The first space behind a byte."""
    return data.find(b" ", at + 1, at + LONGEST_TOKEN)


def likely_space(data: mmap.mmap, at: int, n_bytes: int) -> int:
    """The first space that is followed by numbers of a size that word vectors have; letters read as numbers are very large or very
    small."""
    space = first = first_space(data, at, n_bytes)
    while 0 < space < at + LONGEST_NAME:
        held = data[space + 1 : space + 1 + n_bytes]
        sizes = np.abs(np.frombuffer(held, "<f4")) if len(held) == n_bytes else np.full(1, np.inf, np.float32)
        if np.all((sizes < 1e10) & ((sizes > 1e-15) | (sizes == 0))):
            return space
        space = data.find(b" ", space + 1, at + LONGEST_NAME)
    return first
