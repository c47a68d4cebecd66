"""Word vectors as text (word2vec, GloVe, fastText) and in word2vec's binary form."""

import mmap
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from compress.errors import InputError
from compress.sources.info import Read, TensorInfo, pick
from compress.sources.limits import check_fits

HEAD = 4 << 20  # bytes looked at to tell the form
CHUNK = 16 << 20
LONGEST_TOKEN = 10_000  # bytes
LONGEST_NAME = 300  # bytes of a token with spaces
HEADER = re.compile(rb"\s*(\d{1,12})[ \t]+(\d{1,9})\s*")
DECIMAL = re.compile(r"[+-]?(\d+\.\d*|\.\d+|\d+[eE][+-]?\d+)([eE][+-]?\d+)?")
CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")
SpaceOf = Callable[[mmap.mmap, int, int], int]


@dataclass(frozen=True)
class Layout:
    """How a file of word vectors is laid out. begin: the byte of the first row; line: its number, counted from 1."""

    n_rows: int
    dim: int
    begin: int
    line: int
    binary: bool

    @property
    def info(self) -> TensorInfo:
        return TensorInfo("embedding", (self.n_rows, self.dim), "float32")


def infos(path: Path) -> list[TensorInfo]:
    """The one matrix of a file of word vectors, from its first lines."""
    return [layout_of(path).info]


def read(path: Path, tensor: str | None) -> Read:
    """Vectors as float32 and their words."""
    layout = layout_of(path)
    pick([layout.info], tensor, path.name)
    check_fits(4 * layout.n_rows * layout.dim, path.name)
    return read_binary(path, layout) if layout.binary else read_text(path, layout)


def layout_of(path: Path) -> Layout:
    """The layout, told from the first lines; a header "rows columns" is word2vec's, its absence GloVe's."""
    with open(path, "rb") as file:
        head = file.read(HEAD)
    lines = head.split(b"\n")
    if not head.strip():
        raise InputError(f"{path.name} is empty; give a file with one token and its numbers a line.")
    file_size = path.stat().st_size
    header = HEADER.fullmatch(lines[0].removeprefix(b"\xef\xbb\xbf"))
    if header and not (int(header[2]) > 1 and len(lines) > 1 and n_numbers(lines[1]) == 1 and is_text(lines[1])):
        n_rows, dim = int(header[1]), int(header[2])
        begin = len(lines[0]) + 1
        binary = len(lines) > 1 and n_numbers(lines[1]) < dim and not is_text(head[begin : begin + 32 * dim + 1000])
        if n_rows == 0 or dim == 0 or n_rows * dim * (4 if binary else 2) > file_size:
            raise InputError(
                f"{path.name} declares {n_rows:,} rows of {dim:,} numbers, which its {file_size:,} bytes do not hold; "
                "fetch the file again."
            )
        return Layout(n_rows, dim, begin, 2, binary)
    whole = [line for line in (lines[:-1] if len(head) < file_size else lines) if line.strip()][:200]
    dim = Counter(n_numbers(line) for line in whole).most_common(1)[0][0] if whole else 0
    if dim == 0:
        raise InputError(f"{path.name} is not a file of word vectors: its lines are not a token and numbers.")
    return Layout(count_lines(path), dim, 0, 1, False)


def n_numbers(line: bytes) -> int:
    """How many numbers follow the token of a line."""
    count = 0
    for field in reversed(line.split()[1:]):
        try:
            float(field)
        except ValueError:
            break
        count += 1
    return count


def is_text(sample: bytes) -> bool:
    """Whether bytes, perhaps cut inside a letter, are text."""
    try:
        sample.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start > len(sample) - 4 and not CONTROL.search(sample)
    return not CONTROL.search(sample)


def count_lines(path: Path) -> int:
    """Lines of a file, the last one with or without its newline."""
    last, count = b"\n", 0
    with open(path, "rb") as file:
        while part := file.read(CHUNK):
            count += part.count(b"\n")
            last = part
    return count + (not last.endswith(b"\n"))


def read_text(path: Path, layout: Layout) -> Read:
    """Rows "token and numbers", a line each."""
    tokens: list[str] = []
    values = np.empty((layout.n_rows, layout.dim), np.float32)
    number = layout.line
    with open(path, "rb") as file:
        file.seek(layout.begin)
        while lines := file.readlines(CHUNK):
            rows = [(number + i, line) for i, line in enumerate(lines) if line.strip()]
            number += len(lines)
            if len(tokens) + len(rows) > layout.n_rows:
                raise InputError(f"{path.name} declares {layout.n_rows:,} rows and has more; correct its first line.")
            names, block = parse(rows, layout, path)
            values[len(tokens) : len(tokens) + len(names)] = block
            tokens += names
    if layout.line == 2 and len(tokens) < layout.n_rows:
        raise InputError(
            f"{path.name} declares {layout.n_rows:,} rows and has {len(tokens):,}; it is cut short, fetch the file again."
        )
    if tokens and tokens[0].startswith("\ufeff"):
        tokens[0] = tokens[0][1:]
    return Read(values[: len(tokens)], tokens, "word")


def parse(rows: list[tuple[int, bytes]], layout: Layout, path: Path) -> tuple[list[str], np.ndarray]:
    """Tokens and (rows, d) numbers of numbered lines. A token may hold spaces, or be one."""
    tokens, numbers = [], []
    for number, line in rows:
        token, *fields = line.rsplit(None, layout.dim)
        if len(fields) == layout.dim - 1 and line[:1] == b" ":
            token, fields = b" ", [token, *fields]
        if len(fields) < layout.dim:
            raise InputError(
                f"Line {number:,} of {path.name} has {len(fields):,} numbers after its token, not {layout.dim:,}; "
                "the file is damaged or cut short there."
            )
        try:
            tokens.append(token.decode("utf-8"))
        except UnicodeDecodeError as error:
            raise InputError(f"Line {number:,} of {path.name} is not UTF-8 text; convert the file to UTF-8.") from error
        if b" " in token and DECIMAL.fullmatch(tokens[-1].rsplit(None, 1)[-1] if tokens[-1].strip() else ""):
            raise InputError(f"Line {number:,} of {path.name} has more than {layout.dim:,} numbers; correct that line.")
        numbers.append(fields)
    try:
        return tokens, np.array(numbers, np.float32).reshape(len(rows), layout.dim)
    except ValueError as error:
        number = next(number for number, line in rows if n_numbers(b"- " + line) < layout.dim)
        raise InputError(f"Line {number:,} of {path.name} has words where numbers should be; correct that line.") from error


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
    values = np.empty((layout.n_rows, layout.dim), "<f4")
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
