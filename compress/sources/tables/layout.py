"""How a text of rows is laid out: where they begin, what its columns are called and which are its dimensions."""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import AnyStr

import numpy as np

from compress.errors import InputError
from compress.sources.tables import columns
from compress.sources.tables.blocks import HEAD_BYTES, census, even, records_of, sample_of
from compress.sources.tables.cells import WHOLE, is_missing, is_number, kind_of, length_in, number_of, text_of, trailing, weight
from compress.sources.tables.parting import Parting, split

FIRST = 100  # rows that tell whether the one before names the columns
BOM = b"\xef\xbb\xbf"
HEADER = re.compile(rb"\s*(\d{1,12})[ \t]+(\d{1,9})\s*")
RUNS = re.compile(r"^[ \t]|[ \t]{2}|\t.* | .*\t")
EXCEL = re.compile(r"\"?sep=.\"?")  # what Excel writes to say what parts the cells
CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")


@dataclass(frozen=True)
class Base:
    """Where the rows of a text lie. begin: the byte of the first; line: its number, from 1. n_rows: how many there are at most.
    quotes: "none" where these are letters as any, "cells" or "records" where they enclose a cell, which in the last may hold
    newlines. declared: rows and columns that a first line tells, as word2vec's."""

    begin: int
    line: int
    n_rows: int
    quotes: str
    newline: bytes
    declared: tuple[int, int] | None

    def after(self, header: bytes, head: bytes) -> "Base":
        """The same without a header, as the file has it, and blank lines before it. head: the beginning of the file."""
        begin = head.index(header, self.begin) + len(header) + 1
        line = self.line + head.count(self.newline, self.begin, begin)
        return replace(self, begin=begin, line=line, n_rows=self.n_rows - 1)


@dataclass(frozen=True)
class Layout:
    """separator: BLANKS or one letter. runs: whether blanks stand in other numbers than one. names: of every column; named: whether
    the file gives them. token: the column that names the rows. texts: those of words. numbers: those of numbers; judged: which of
    them are no dimensions, odd: how others of them stand out. lists: how long those are that hold numbers as lists, by column."""

    base: Base
    separator: str
    runs: bool
    decimal: str
    names: tuple[str, ...]
    named: bool
    token: int | None
    texts: tuple[int, ...]
    numbers: tuple[int, ...]
    judged: tuple[int, ...]
    lists: dict[int, int]
    odd: dict[int, str]
    others: tuple[int, ...] = ()

    @property
    def n_fields(self) -> int:
        return len(self.names)


def layout_of(path: Path) -> Layout:
    """The layout of a text of rows. Raises InputError where it is none."""
    size = path.stat().st_size
    with open(path, "rb") as file:
        head = file.read(HEAD_BYTES)
        while size > len(head) and head.count(b"\n") < 3:
            head += file.read(max(HEAD_BYTES, len(head)))
    check_text(head, path)
    newline = b"\r" if b"\r" in head and b"\n" not in head else b"\n"
    begin = len(BOM) if head.startswith(BOM) else 0
    declared, line = declared_in(head[begin:], newline), 1
    if declared:
        check_declared(declared, size, path)
        begin, line = head.index(newline, begin) + 1, 2
    counted = census(path, begin, newline)
    lines, rows = sample_of(path, head, begin, newline, size)
    quotes = "cells" if counted.quotes and counted.balanced else "none"
    plain = [each for each in lines if not each.startswith(b"#")]
    found = Parting.best(plain if len(plain) > 1 else lines, quotes, declared, path.name)
    if counted.quotes and not counted.balanced and not (found and found.separator and even(path, begin, newline, found.separator)):
        records = records_of(head[begin:])
        parted = Parting.best(records, "records", declared, path.name) if records else None
        if parted and parted.separator and (found is None or found.separator or parted.score > found.score):
            found, lines, rows, quotes = parted, records, np.arange(len(records)), "records"
    if found is None:
        raise InputError(f"{path.name} is no table of numbers: its lines are not a token and numbers.")
    quotes = found.quotes
    n_rows = declared[0] if declared else counted.records if quotes == "records" else counted.lines
    return judged(found, lines, rows, path, Base(begin, line, n_rows, quotes, newline, declared), head)


def declared_in(head: bytes, newline: bytes) -> tuple[int, int] | None:
    """The rows and columns that the first line tells, as word2vec's does; None where it is a row itself."""
    first, *others = head.split(newline, 2)
    header = HEADER.fullmatch(first)
    if not header or (header[1], header[2]) == (b"0", b"1"):
        return None  # the names of two columns
    fields = text_of(others[0]).split() if others else []
    if int(header[2]) > 1 and len(fields) == 2 and trailing(fields) >= 1:
        return None  # two numbers a row
    return int(header[1]), int(header[2])


def check_text(head: bytes, path: Path) -> None:
    """InputError where a beginning is no text that is read."""
    if not head.strip():
        raise InputError(f"{path.name} is empty; give a file with one token and its numbers a line.")
    if b"\0" in head:
        raise InputError(f"{path.name} is neither text nor a table that is known here; check the file and its ending.")


def check_declared(declared: tuple[int, int], size: int, path: Path, of_number: int = 2) -> None:
    """InputError where a file of that size does not hold so many numbers. of_number: the fewest bytes that one takes."""
    n_rows, dim = declared
    if n_rows == 0 or dim == 0 or of_number * n_rows * dim > size:
        raise InputError(
            f"{path.name} declares {n_rows:,} rows of {dim:,} numbers, which its {size:,} bytes do not hold; fetch the file again."
        )


def judged(
    found: Parting,
    lines: list[bytes],
    rows: np.ndarray,
    path: Path,
    base: Base,
    head: bytes,
) -> Layout:
    """The layout, once every column is looked at. lines: some of the file's, of these numbers. head: its beginning."""
    texts = [text_of(line) for line in lines]
    cells = [split(text, found.separator, base.quotes) for text in texts]
    names, n = None, found.n_fields
    if not base.declared:
        columns.check_whole(cells, path.name)
    if base.declared and not found.separator and more_than(base.declared[1], cells):
        raise InputError(f"{path.name} declares {base.declared[1]:,} numbers a row and its rows have more; correct its first line.")
    while len(cells) > 1 and is_remark(texts[0], cells[0], texts[1], found):
        base, cells, texts, lines, rows = base.after(lines[0], head), cells[1:], texts[1:], lines[1:], rows[1:]
    if not base.declared and len(cells) > 1 and is_header(cells[0], cells[1:FIRST], found):
        names = names_in(cells[0], cells[1:FIRST], n)
        base = base.after(lines[0], head)
        cells, texts, rows = cells[1:], texts[1:], rows[1:]
    runs = not found.separator and any(RUNS.search(text.rstrip()) for text in texts)
    cells = [joined(row, n, found.separator or " ") if base.quotes == "none" else row for row in cells]
    same = [at for at, row in enumerate(cells) if len(row) == n]
    grid = [[cells[at][column] for at in same] for column in range(n)]
    kinds = [kind_of(column, found.decimal) for column in grid]
    words = [at for at, kind in enumerate(kinds) if kind == "text" or (kind == "mixed" and at == 0)]
    numbers = [at for at, kind in enumerate(kinds) if kind in ("number", "mixed") and at not in words]
    lists = {at: length_in(grid[at]) for at, kind in enumerate(kinds) if kind == "list"}
    every = [name or f"Unnamed: {at}" for at, name in enumerate(names)] if names else [f"column {at + 1}" for at in range(n)]
    every = columns.unique(every)
    token = columns.naming(every, [at for at in words if len({*grid[at]}) > 1] or words)
    if base.declared and n == base.declared[1] + 1:
        token, numbers, lists = 0, list(range(1, n)), {}
        judgement: list[int] = []
        odd: dict[int, str] = {}
    else:
        judgement, odd = outsiders(grid, numbers, rows[same], every if names else None, found.decimal) if numbers else ([], {})
    if not lists and not numbers:
        raise InputError(f"{path.name} has no columns of numbers; give a table with one row of numbers a token.")
    if not lists:
        columns.check_lists({every[at]: grid[at] for at in words}, path.name)
        columns.check_numbers(every, numbers, judgement, path.name)
    if token is None and judgement:
        token = judgement[0]
    return Layout(
        base,
        found.separator,
        runs,
        found.decimal,
        tuple(every),
        bool(names),
        token,
        tuple(words),
        tuple(numbers),
        tuple(judgement),
        lists,
        odd,
    )


def more_than(n: int, rows: list[list[str]]) -> bool:
    """Whether most rows have a number with a point between their token and their last n numbers."""
    return 2 * sum(len(row) > n + 1 and "." in row[-n - 1] and is_number(row[-n - 1]) for row in rows) > len(rows)


def is_remark(text: str, row: list[str], behind: str, found: Parting) -> bool:
    """Whether a line is neither a row nor the names of columns, and says so. behind: the line that follows it."""
    n = found.n_fields
    if EXCEL.fullmatch(text):
        return True
    return text.startswith("#") and 2 * trailing(row, found.decimal) < n and (len(row) not in (n, n + 1) or behind.startswith("#"))


def is_header(first: list[str], body: list[list[str]], found: Parting) -> bool:
    """Whether a first row names the columns: it has words where the others have numbers, or counts the columns."""
    n, decimal = found.n_fields, found.decimal
    counted = [cell.strip() for cell in first if is_number(cell)]
    fewest = 2 if any(WHOLE.fullmatch(row[-1]) for row in body if row) else 1
    if len(counted) >= fewest and counted in ([str(i) for i in range(len(counted))], [str(i + 1) for i in range(len(counted))]):
        return len(counted) < len(first) or counted != [cell.strip() for cell in body[0]]
    body = [row for row in body if len(row) == n]
    if not body or len(first) not in (n - 1, n, n + 1):
        return False
    shift = max(0, n - len(first))
    numeric = [at for at in range(shift, n) if kind_of([row[at] for row in body], decimal) in ("number", "list", "mixed")]
    held = [first[at - shift] for at in numeric if not is_missing(first[at - shift])]
    return 2 * sum(not weight(cell, decimal) for cell in held) > len(held)


def names_in(first: list[str], body: list[list[str]], n: int) -> list[str]:
    """The names of n columns in a first row, which may lack that of the rows' own names, or of an empty end."""
    first = [name.strip().lstrip("#") for name in first]
    if len(first) == n + 1 and first[0] == "":
        return first[1:]
    empty = all(not row[-1].strip() for row in body if len(row) == n)
    return [*first, ""] if len(first) < n and empty else [*[""] * (n - len(first)), *first][:n]


def joined(row: list[AnyStr], n: int, separator: AnyStr) -> list[AnyStr]:
    """A row of n cells, the first of which may hold the separator."""
    if len(row) <= n:
        return row
    whole = row[len(row) - n :]
    whole[0] = separator.join(row[: len(row) - n + 1])
    return whole


def outsiders(
    grid: list[list[str]], numbers: list[int], rows: np.ndarray, names: list[str] | None, decimal: str
) -> tuple[list[int], dict[int, str]]:
    """The columns of numbers that are no dimensions, and those that stand out."""
    values = np.array([[number_of(cell, decimal) for cell in grid[at]] for at in numbers]).T
    typed = np.array([all(WHOLE.fullmatch(cell) or is_missing(cell) for cell in grid[at]) for at in numbers])
    return columns.judge(columns.Sample(values, rows, typed, [names[at] for at in numbers] if names else None), numbers)
