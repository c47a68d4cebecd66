"""Rows of a text, read some megabytes at a time: by Arrow where its lines are as most, line by line where one is not."""

import csv
import re
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from compress.errors import InputError
from compress.sources.tables.arrow import in_numpy
from compress.sources.tables.blocks import blocks, lines_in
from compress.sources.tables.cells import is_missing, is_number, list_in, number_of
from compress.sources.tables.layout import BOM, Layout, joined

PIECE = 1 << 20  # bytes that Arrow parses at a time
AT_ONCE = 2  # blocks
WIDE = 3000  # columns from which on a row at a time is quicker
PRECISE = re.compile(rb"[+-]?\d*\.\d{3,}([eE][+-]?\d+)?|[+-]?\d+(\.\d*)?[eE][+-]?\d+")
NUMERIC = re.compile(rb"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*")
DECIMAL = re.compile(rb"[+-]?(\d+\.\d*|\.\d+|\d+[eE][+-]?\d+)([eE][+-]?\d+)?")
NULLS = ["", "NA", "N/A", "nan", "NaN", "null", "NULL", "None", "NAN", "-nan", "#N/A"]

Names = list[str] | list[bytes]
Part = tuple[list[bytes] | None, np.ndarray]  # names as they are written, and numbers (rows, d)


def parts(path: Path, layout: Layout, numbers: Sequence[int], text: int | None, kind: Any = np.float32) -> Iterator[Part]:
    """Of some rows at a time the cells of one column, and the numbers of others (rows, d), or the lists of one. kind: float32 or
    float64."""
    base, line = layout.base, layout.base.line
    work: deque[tuple[bytes, int, Future]] = deque()
    with ThreadPoolExecutor(AT_ONCE) as threads:
        for block in chain(blocks(path, base.begin, base.newline, base.quotes == "records"), [None] * AT_ONCE):
            if block is not None:
                n_lines = lines_in(block)
                work.append((block, n_lines, threads.submit(quickly, block, n_lines, layout, numbers, text, kind)))
            if work and (block is None or len(work) > AT_ONCE):
                first, n_lines, asked = work.popleft()
                found = asked.result()
                yield found if found is not None else slowly(first, layout, numbers, text, path, line, kind)
                line += n_lines


def quickly(
    block: bytes, n_lines: int, layout: Layout, numbers: Sequence[int], text: int | None, kind: Any = np.float32
) -> Part | None:
    """What Arrow reads of a block of so many lines; None where it does not read every one."""
    import pyarrow as pa
    from pyarrow import csv as arrow

    lists = len(numbers) == 1 and numbers[0] in layout.lists
    if layout.n_fields > WIDE or (layout.runs and layout.base.quotes != "none"):
        return None
    if layout.runs:
        block = b"\n".join(b" ".join(line.split()) for line in block.split(b"\n"))
    elif not layout.separator:
        block = re.sub(rb"[ \t]+\n", b"\n", block) if re.search(rb"[ \t]\n", block[:10_000]) else block
    if block.startswith(BOM):
        block = BOM + block  # of which Arrow takes one away
    delimiter = layout.separator or ("\t" if not layout.runs and b"\t" in block[:10_000] else " ")
    quoted = layout.base.quotes != "none"
    names = [f"{at}" for at in range(layout.n_fields)]
    wanted = [*numbers, *([text] if text is not None else [])]
    kinds = dict.fromkeys((f"{at}" for at in numbers), pa.binary() if lists else pa.from_numpy_dtype(kind))
    if text is not None:
        kinds[f"{text}"] = pa.binary()
    table = None
    for nulls in ([], NULLS):  # cells that are empty are looked for where one is no number
        with suppress(pa.ArrowException):
            table = arrow.read_csv(
                pa.BufferReader(block),
                read_options=arrow.ReadOptions(column_names=names, block_size=PIECE, use_threads=False),
                parse_options=arrow.ParseOptions(
                    delimiter=delimiter,
                    quote_char='"' if quoted else False,
                    double_quote=quoted,
                    newlines_in_values=layout.base.quotes == "records",
                ),
                convert_options=arrow.ConvertOptions(
                    column_types=kinds,
                    include_columns=[f"{at}" for at in dict.fromkeys(wanted)],
                    null_values=nulls,
                    strings_can_be_null=False,
                    decimal_point=layout.decimal,
                ),
            )
            break
    if table is None:
        return None
    blank = block.count(b"\n\n") + block.startswith(b"\n") if len(table) != n_lines else 0
    if layout.base.quotes != "records" and len(table) != n_lines - blank:
        return None
    cells = table.column(f"{text}").to_pylist() if text is not None else None
    if lists:
        held = lists_of(table.column(f"{numbers[0]}").to_pylist(), layout.lists[numbers[0]])
        return None if held is None else (cells, held)
    values = np.empty((len(table), len(numbers)), kind)
    for at, column in enumerate(numbers):
        values[:, at] = in_numpy(table.column(f"{column}"))
    return cells, values


def slowly(
    block: bytes, layout: Layout, numbers: Sequence[int], text: int | None, path: Path, line: int, kind: Any = np.float32
) -> Part:
    """The same row by row. line: the number of the first. Raises InputError that names the line that is no row."""
    cells: list[bytes] = []
    rows: list[Any] = []
    for number, row in fields_of(block, layout, path, line):
        if len(row) != layout.n_fields:
            raise InputError(f"Line {number:,} of {path.name} has {ragged(len(row), layout)}; correct that line.")
        if layout.token == 0 and layout.base.quotes == "none":
            check_token(row, layout, path, number)
        rows.append(numbers_of(row, numbers, layout, path, number, kind))
        if text is not None:
            cells.append(row[text])
    width = layout.lists.get(numbers[0], 1) if len(numbers) == 1 else len(numbers)
    return cells if text is not None else None, np.array(rows, kind).reshape(len(rows), width)


def ragged(n_fields: int, layout: Layout) -> str:
    """How a row of so many cells differs from the others."""
    if layout.separator:
        return f"{n_fields:,} cells, not {layout.n_fields:,}, not a regular table's"
    n = layout.n_fields - (layout.token is not None)
    return f"{max(0, n_fields - (layout.token is not None)):,} numbers after its token, not {n:,}, and is damaged or cut short"


def fields_of(block: bytes, layout: Layout, path: Path, line: int) -> Iterator[tuple[int, list[bytes]]]:
    """The cells of every row that is not blank, with the number of its line. Raises InputError for a line that is none of a CSV."""
    if layout.base.quotes == "none":
        for at, one in enumerate(block.split(b"\n")):
            if one.strip(b" \t\r"):
                yield line + at, cells_of(one, layout)
        return
    text = block.decode("utf-8", "surrogateescape")
    whole = layout.base.quotes == "records"
    lines = [f"{one}\n" for one in text.split("\n")[:-1]]
    for at, read in enumerate([csv.reader(lines, delimiter=layout.separator or " ")] if whole else quoted(lines, layout)):
        try:
            for row in read:
                if any(cell.strip() for cell in row):
                    number = line + (read.line_num - 1 if whole else at)
                    yield number, trimmed([cell.encode("utf-8", "surrogateescape") for cell in row], layout)
        except csv.Error as error:
            number = line + (read.line_num - 1 if whole else at)
            raise InputError(f"Line {number:,} of {path.name} is none of a regular table ({error}); correct that line.") from error


def quoted(lines: list[str], layout: Layout) -> Iterator[Any]:
    """A reader of each line by itself, so that a quote that is not closed reaches no further."""
    return (csv.reader([line], delimiter=layout.separator or " ", skipinitialspace=not layout.separator) for line in lines)


def cells_of(line: bytes, layout: Layout) -> list[bytes]:
    """The cells of an unquoted row. The first may hold what separates them, or be empty."""
    n = layout.n_fields
    spills = layout.token == 0
    if layout.separator:
        row = trimmed(line.split(layout.separator.encode()), layout)
        return joined(row, n, layout.separator.encode()) if spills else row
    if not spills:
        return line.split()
    blank = b"\t" if line.count(b"\t") >= n - 1 else b" "
    row = line.rstrip(b" \t").rsplit(blank, n - 1)
    if len(row) < n or not all(is_cell(cell) for cell in row[1:]):
        row = line.rsplit(None, n - 1)
        row = [b" ", *row] if len(row) == n - 1 and line[:1] == b" " else row
    return row


def is_cell(cell: bytes) -> bool:
    """Whether a cell is one word without blanks."""
    return bool(cell) and not cell[:1].isspace() and b" " not in cell and b"\t" not in cell


def trimmed(row: list[bytes], layout: Layout) -> list[bytes]:
    """A row without an empty cell after its last, or with the one that others have."""
    n = layout.n_fields
    if len(row) == n + 1 and not row[-1].strip():
        return row[:-1]
    known = {*layout.texts, *layout.numbers, *layout.lists}
    return [*row, b""] if len(row) == n - 1 and n - 1 not in known else row


def check_token(row: list[bytes], layout: Layout, path: Path, number: int) -> None:
    """Raises InputError where a token ends in numbers that are the row's: two, or one as exact as those after it."""
    parts = row[0].rsplit(layout.separator.encode() or None, 2)[1:]
    if not parts:
        return
    exact = NUMERIC if layout.separator else DECIMAL if len(parts) == 2 and DECIMAL.fullmatch(parts[0]) else PRECISE
    if exact.fullmatch(parts[-1]) and not (exact is PRECISE and layout.base.declared):
        n = layout.n_fields - 1
        raise InputError(f"Line {number:,} of {path.name} has more than {n:,} numbers, not a regular table's; correct that line.")


def numbers_of(row: list[bytes], numbers: Sequence[int], layout: Layout, path: Path, line: int, kind: Any = np.float32) -> Any:
    """The numbers of a row, or those of its list."""
    if len(numbers) == 1 and numbers[0] in layout.lists:
        held = list_in(row[numbers[0]].decode("utf-8", "replace"))
        if held is None or len(held) != layout.lists[numbers[0]]:
            what = "no list of numbers" if held is None else f"a list of {len(held):,} numbers"
            raise InputError(
                f"Line {line:,} of {path.name} has {what}, others have {layout.lists[numbers[0]]:,} numbers; correct that line."
            )
        return held
    found = [row[at] for at in numbers]
    if layout.decimal == ",":
        found = [cell.replace(b",", b".") for cell in found]
    try:
        if b"_" in b"".join(found):
            raise ValueError
        return np.array(found, dtype="S").astype(kind) if len(found) < WIDE else wide(found)
    except ValueError:
        texts = [row[at].decode("utf-8", "replace") for at in numbers]
        wrong = next((text for text in texts if not is_number(text, layout.decimal) and not is_missing(text)), None)
        if wrong is None:
            return np.array([number_of(text, layout.decimal) for text in texts], kind)
        told = f" ({wrong.strip()[:40]!r})"
        raise InputError(
            f"Line {line:,} of {path.name} has words where numbers should be{told}, not a regular table's; correct that line."
        ) from None


def wide(cells: list[bytes]) -> np.ndarray:
    """The numbers of very many cells."""
    return np.array([float(cell) for cell in cells], np.float32)


def lists_of(cells: list[bytes], length: int) -> np.ndarray | None:
    """(rows, length) the numbers of cells that hold lists; None where one is no such list."""
    found = np.empty((len(cells), length), np.float32)
    for at, cell in enumerate(cells):
        held = list_in(cell.decode("utf-8", "replace"))
        if held is None or len(held) != length:
            return None
        found[at] = held
    return found


def lettered(names: list[bytes]) -> Names:
    """Names as letters, which take less memory, where each is UTF-8; else as they are."""
    try:
        text = b"\0".join(names).decode()
    except UnicodeDecodeError:
        return names
    return text.split("\0") if text.count("\0") == len(names) - 1 else [name.decode() for name in names]


def decoded(parts: list[Names]) -> tuple[list[str], tuple[str, ...]]:
    """All names as letters, and what is to be told of those that are no UTF-8: in a text that has none else beyond ASCII they are
    Latin-1, in another their bytes are replaced."""
    found: list[str] = []
    bad: dict[int, bytes] = {}
    name: str | bytes
    for part in parts:
        if part and isinstance(part[0], bytes):
            for row, name in enumerate(map(bytes, part), start=len(found)):
                if "\ufffd" in name.decode("utf-8", "replace") and "\ufffd".encode() not in name:
                    bad[row] = name
            found += [name.decode("utf-8", "replace") for name in map(bytes, part)]
        else:
            found += map(str, part)
    if not bad:
        return found, ()
    if not any(not name.replace("\ufffd", "").isascii() for name in found):
        for row, name in bad.items():
            found[row] = name.decode("cp1252", "replace")
        return found, (f"{count(len(bad), 'name')} read as Latin-1",)
    return found, (f"{count(len(bad), 'name')} cut inside a letter or not in UTF-8: what is missing stands as \ufffd",)


def count(n: int, word: str) -> str:
    """So many of them, and the verb."""
    return f"{n:,} {word} is" if n == 1 else f"{n:,} {word}s are"
