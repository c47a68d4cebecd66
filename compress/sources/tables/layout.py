"""How a text of rows is laid out: what parts its cells, what its columns are, told from rows of its beginning, middle and end."""

import csv
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from compress.errors import InputError
from compress.sources.tables import columns

CHUNK = 4 << 20
HEAD_ROWS, PLACES, PLACE_ROWS = 400, 8, 25  # rows that columns are judged by
HEAD_BYTES, PLACE_BYTES = 2 << 20, 64 << 10
FIRST = 100  # rows that tell whether the one before names the columns
LONG = 20_000  # letters of a line that tell what parts it
MOST_COLUMNS = 100_000
BOM = b"\xef\xbb\xbf"
HEADER = re.compile(rb"\s*(\d{1,12})[ \t]+(\d{1,9})\s*")
NUMBER = {
    ".": re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*|\s*[+-]?(inf|infinity)\s*", re.IGNORECASE),
    ",": re.compile(r"\s*[+-]?(\d+|\d*,\d+)([eE][+-]?\d+)?\s*|\s*[+-]?(inf|infinity)\s*", re.IGNORECASE),
}
WHOLE = re.compile(r"\s*[+-]?\d+\s*")
MISSING = {"", "na", "n/a", "nan", "null", "none", "-nan", "#n/a"}
LIST = re.compile(
    r"(?:array|tensor)?\(?\s*(?:[\[({]\s*){0,2}(?P<numbers>[^\[\](){}]*)(?:[\])}]\s*){0,2}(?:,\s*(?:dtype|device)=[\w.:]+\s*)*\)?"
)
WRAPPED = re.compile(r"(?:np|numpy)\.float\d+\(([^()]*)\)")  # a number, as lists of NumPy's are printed
PART = re.compile(r"[\s,;|]+")
RUNS = re.compile(r"^[ \t]|[ \t]{2}|\t.* | .*\t")
OPENING = "[({at"  # what a list begins with: a bracket, "array(" or "tensor("
CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")
BLANKS = ""  # the separator of a text whose cells stand between spaces or tabs


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

    def after(self, header: bytes) -> "Base":
        """The same without a header, as the file has it."""
        begin = self.begin + len(header) + 1
        return replace(self, begin=begin, line=self.line + header.count(b"\n") + 1, n_rows=self.n_rows - 1)


@dataclass(frozen=True)
class Layout:
    """separator: BLANKS or one letter. runs: whether blanks stand in other numbers than one. names: of every column; named: whether
    the file gives them. token: the column that names the rows. texts: those of words. numbers: those of numbers; judged: which of
    them are no dimensions. lists: how long those are that hold numbers as lists, by column."""

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
    return judged(found, lines, rows, path, Base(begin, line, n_rows, quotes, newline, declared))


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
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError(f"{path.name} is UTF-16 text, as a spreadsheet saves it; save it as UTF-8.")
    if b"\0" in head:
        raise InputError(f"{path.name} is neither text nor a table that is known here; check the file and its ending.")


def check_declared(declared: tuple[int, int], size: int, path: Path, of_number: int = 2) -> None:
    """InputError where a file of that size does not hold so many numbers. of_number: the fewest bytes that one takes."""
    n_rows, dim = declared
    if n_rows == 0 or dim == 0 or of_number * n_rows * dim > size:
        raise InputError(
            f"{path.name} declares {n_rows:,} rows of {dim:,} numbers, which its {size:,} bytes do not hold; fetch the file again."
        )


@dataclass
class Census:
    """What a pass over a file counts: lines that are not the empty end, quotes, and lines that end outside of quotes."""

    lines: int = 0
    quotes: int = 0
    records: int = 0

    @property
    def balanced(self) -> bool:
        return self.records == self.lines


def census(path: Path, begin: int, newline: bytes) -> Census:
    """Counts a file's lines, and what its quotes make of them."""
    found, last = Census(), newline
    with open(path, "rb") as file:
        file.seek(begin)
        while part := file.read(CHUNK):
            n_lines = lines_in(part, newline)
            if b'"' in part or found.quotes % 2:
                data = np.frombuffer(part, np.uint8)
                ends = np.flatnonzero(data == newline[0])
                marks = np.flatnonzero(data == ord('"'))
                found.records += int(((found.quotes + np.searchsorted(marks, ends)) % 2 == 0).sum())
                found.quotes += len(marks)
            else:
                found.records += n_lines
            found.lines += n_lines
            last = part[-1:]
    if last != newline:
        found.lines += 1
        found.records += found.quotes % 2 == 0
    return found


def even(path: Path, begin: int, newline: bytes, separator: str) -> bool:
    """Whether all lines hold the separator equally often."""
    if not separator:
        return True
    counts: set[int] = set()
    for block in blocks(path, begin, newline):
        data = np.frombuffer(block, np.uint8)
        ends = np.flatnonzero(data == ord("\n"))
        marks = np.searchsorted(np.flatnonzero(data == ord(separator)), ends)
        full = np.diff(ends, prepend=-1) > 1
        counts |= {*np.diff(marks, prepend=0)[full].tolist()}
        if len(counts) > 1:
            return False
    return True


def blocks(path: Path, begin: int, newline: bytes, quoted: bool = False) -> Iterator[bytes]:
    """Some whole lines at a time, which end in "\\n"; for `quoted` ones a newline between quotes ends none."""
    rest = b""
    with open(path, "rb") as file:
        file.seek(begin)
        while newline == b"\n" and not quoted:
            file.seek(begin + CHUNK)
            length = CHUNK + len(file.readline())  # told first, so that nothing is copied
            file.seek(begin)
            if not (part := file.read(length)):
                break
            begin += len(part)
            yield unix(part) + (b"" if part.endswith(b"\n") else b"\n")
        while part := file.read(max(CHUNK, len(rest))):  # a long line doubles what is read
            if newline == b"\r":
                part = part.replace(b"\r", b"\n")
            part = rest + part
            cut = part.rfind(b"\n") + 1
            if quoted:
                cut = last_record(part)
            rest = part[cut:]
            if cut:
                yield unix(part[:cut])
    if rest.strip():
        yield unix(rest) + b"\n"


def unix(block: bytes) -> bytes:
    """The lines with a newline alone behind each."""
    return block.replace(b"\r\n", b"\n") if b"\r" in block else block


def lines_in(block: bytes, newline: bytes = b"\n") -> int:
    """How many newlines there are."""
    return int(np.count_nonzero(np.frombuffer(block, np.uint8) == newline[0]))


def last_record(part: bytes) -> int:
    """The byte after the last newline that no quotes enclose."""
    data = np.frombuffer(part, np.uint8)
    ends = np.flatnonzero(data == ord("\n"))
    outside = ends[np.searchsorted(np.flatnonzero(data == ord('"')), ends) % 2 == 0]
    return int(outside[-1]) + 1 if len(outside) else 0


def sample_of(path: Path, head: bytes, begin: int, newline: bytes, size: int) -> tuple[list[bytes], np.ndarray]:
    """Lines of a file's beginning, middle and end, and their numbers: those of other places are far apart."""
    whole = len(head) == size
    lines = head[begin:].split(newline)
    lines = [each for each in (lines if whole else lines[:-1]) if each.strip(b" \t\r")]
    found, rows = lines[:HEAD_ROWS], list(range(min(len(lines), HEAD_ROWS)))
    if whole:
        found += lines[HEAD_ROWS:][-PLACE_ROWS:]
        rows += range(len(lines) - (len(found) - len(rows)), len(lines))
        return found, np.array(rows)
    with open(path, "rb") as file:
        for place in range(1, PLACES + 1):
            file.seek(max(len(head), size * place // PLACES - PLACE_BYTES))
            part = file.read(PLACE_BYTES).split(newline)[1:]
            part = [each for each in (part if place == PLACES else part[:-1]) if each.strip(b" \t\r")][-PLACE_ROWS:]
            found += part
            rows += range(place << 40, (place << 40) + len(part))
    return found, np.array(rows)


def records_of(head: bytes) -> list[bytes]:
    """The records of a beginning, quoted newlines within them."""
    data = np.frombuffer(head + b"\n", np.uint8)
    ends = np.flatnonzero(data == ord("\n"))
    ends = ends[np.searchsorted(np.flatnonzero(data == ord('"')), ends) % 2 == 0]
    starts = [0, *(ends[:-1] + 1)]
    return [record for start, end in zip(starts, ends, strict=False) if (record := head[start:end]).strip()][:HEAD_ROWS]


def text_of(line: bytes) -> str:
    """A line as letters; a byte that is no UTF-8 keeps its place."""
    return line.decode("utf-8", "surrogateescape").removesuffix("\r")


def is_number(cell: str, decimal: str = ".") -> bool:
    """Whether a cell is a number."""
    return NUMBER[decimal].fullmatch(cell) is not None


def is_missing(cell: str) -> bool:
    """Whether a cell says that there is nothing."""
    return cell.strip().lower() in MISSING


def trailing(fields: list[str], decimal: str = ".") -> int:
    """How many numbers a row ends in."""
    count = 0
    for field in reversed(fields):
        if not (is_number(field, decimal) or (is_missing(field) and field)):
            break
        count += 1
    return count


def n_numbers(line: bytes) -> int:
    """How many numbers follow the token of a line whose cells blanks part."""
    return trailing(text_of(line).split()[1:])


def list_in(cell: str) -> np.ndarray | None:
    """The numbers of a cell that holds a list: in brackets, or three and more with spaces or commas between; None where it holds
    none."""
    text = cell.strip()
    if len(text) < 3 or not (text[0] in OPENING or text[0] in "+-.0123456789"):
        return None
    if text[0] in OPENING and "." in text[:12]:
        text = WRAPPED.sub(r"\1", text)
    match = LIST.fullmatch(text.replace("'", "") if text[0] in OPENING else text)
    if not match:
        return None
    numbers = match["numbers"].strip(" \t\n,;|")
    parts = PART.split(numbers.replace(",", ".") if ";" in numbers or "|" in numbers else numbers)
    if not all(is_number(part) or is_missing(part) for part in parts) or parts == [""]:
        return None
    if text[0] not in OPENING and len(parts) < 3:
        return None
    return np.array([np.nan if is_missing(part) else float(part) for part in parts])


def split(line: str, separator: str, quotes: str) -> list[str]:
    """The cells of a line."""
    if separator == BLANKS:
        if quotes != "none":
            return [cell for cell in next(csv.reader([line.replace("\t", " ")], delimiter=" "), []) if cell]
        return line.split()
    if quotes == "none":
        return line.split(separator)
    return next(csv.reader([line], delimiter=separator), [])


@dataclass(frozen=True)
class Parting:
    """What parts the cells of a text. score: how many of them it makes numbers."""

    separator: str
    decimal: str
    quotes: str
    n_fields: int
    score: float

    @classmethod
    def best(cls, lines: list[bytes], quotes: str, declared: tuple[int, int] | None, name: str) -> "Parting | None":
        """The one that makes the most numbers of the lines, by their beginnings where they are long. InputError where that is
        more columns than are read."""
        whole = [text_of(line) for line in lines[:60]]
        texts = [text[:LONG] for text in whole]
        found, tabs = [], {text.count("\t") for text in whole[1:] or whole}
        for separator in ("\t", BLANKS, ",", ";", "|"):
            if separator and not any(separator in text for text in texts):
                continue
            if separator == BLANKS and len(tabs) == 1 and tabs != {0}:
                continue  # a space beside them is part of a word
            wanted = quotes if separator or all_quoted(texts) else "none"
            if separator and wanted == "cells" and needless(texts, separator):
                wanted = "none"
            for decimal in (".", ","):
                if decimal != separator and (decimal == "." or any("," in text for text in texts)):
                    found.append(cls.of(texts, separator, decimal, wanted, declared))
        best = max(found, key=lambda each: each.score, default=None)
        if best is None or best.score == 0 or max(map(len, whole)) <= LONG:
            return best if best and best.score > 0 else None
        n_fields = max(text.count(best.separator or " ") for text in whole)
        if n_fields > MOST_COLUMNS:
            raise InputError(
                f"{name} has some {n_fields:,} columns, more than the {MOST_COLUMNS:,} that are read; turn it on its side."
            )
        return cls.of(whole, best.separator, best.decimal, best.quotes, declared)

    @classmethod
    def of(cls, texts: list[str], separator: str, decimal: str, quotes: str, declared: tuple[int, int] | None) -> "Parting":
        try:
            rows = [split(text, separator, quotes) for text in texts]
        except csv.Error:
            return cls(separator, decimal, quotes, 0, 0.0)
        body = rows[1:] if len(rows) > 1 else rows
        counts = Counter(map(len, body))
        n_fields = max(counts, key=lambda count: (counts[count], count == len(rows[0]), count))
        if separator == BLANKS:
            numbers = Counter(trailing(row[1:], decimal) for row in body)
            most = declared[1] if declared else max(numbers, key=lambda count: (numbers[count], count))
            if most and not (declared and n_fields == most and counts[n_fields] == len(body)):
                n_fields = most + 1
        fitting = sum(len(row) == n_fields for row in rows)
        scores, bare = [], separator != BLANKS or lists_behind_words(rows)
        for row in body:
            worth = [weight(cell, decimal, bare) for cell in row[-n_fields:]]
            every = sum(worth) + worth.count(0) + max(0, len(row) - n_fields)
            scores.append(sum(worth) ** 2 / max(1, every))
        return cls(separator, decimal, quotes, n_fields, float(np.mean(scores)) * (0.5 + 0.5 * fitting / len(rows)))


def lists_behind_words(rows: list[list[str]]) -> bool:
    """Whether words and lists without brackets may stand between blanks, not phrases that end in a number between commas."""
    alike = all(len(row) == len(rows[0]) and not row[-1].partition(",")[0].isdecimal() for row in rows)
    return alike and 2 * len({row[0] for row in rows if row}) > len(rows)


def weight(cell: str, decimal: str, bare: bool = True) -> float:
    """How many numbers a cell holds; a list without brackets is a little less than the same numbers in cells. bare: whether there
    may be such lists. One that is not whole is a list too."""
    if is_number(cell, decimal):
        return 1
    if decimal == "." and (held := list_in(cell)) is not None:
        bracketed = cell.strip()[0] in OPENING
        return len(held) * (1 if bracketed else (1 - 1e-6) * bare)
    if columns.LISTED.match(cell):
        return len(PART.split(cell))
    return 0


def all_quoted(texts: list[str]) -> bool:
    """Whether every line begins with a cell in quotes."""
    return all(text.lstrip().startswith('"') for text in texts) and all(text.count('"') >= 2 for text in texts)


def needless(texts: list[str], separator: str) -> bool:
    """Whether words in quotes that need none stand beside words without, so that the quotes are letters of theirs."""
    rows = [text.split(separator) for text in texts]
    plain = [cell for row in rows[1:] for cell in row if cell.strip() and '"' not in cell]
    cells = [cell for row in rows for cell in row]
    useless = [cell for cell in cells if len(cell) > 2 and cell[0] == cell[-1] == '"' and '"' not in cell[1:-1]]
    torn = any(cell.count('"') == 1 for cell in cells)
    return bool(useless) and not torn and any(not is_number(cell) and not is_missing(cell) for cell in plain)


def judged(
    found: Parting,
    lines: list[bytes],
    rows: np.ndarray,
    path: Path,
    base: Base,
) -> Layout:
    """The layout, once every column is looked at. lines: some of the file's, of these numbers."""
    texts = [text_of(line) for line in lines]
    cells = [split(text, found.separator, base.quotes) for text in texts]
    names, n = None, found.n_fields
    if base.declared and not found.separator and more_than(base.declared[1], cells):
        raise InputError(f"{path.name} declares {base.declared[1]:,} numbers a row and its rows have more; correct its first line.")
    while len(cells) > 1 and is_remark(texts[0], cells[0], texts[1], found):
        base, cells, texts, lines, rows = base.after(lines[0]), cells[1:], texts[1:], lines[1:], rows[1:]
    if not base.declared and len(cells) > 1 and is_header(cells[0], cells[1:FIRST], found):
        names = names_in(cells[0], cells[1:FIRST], n)
        base = base.after(lines[0])
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
    every = unique(every)
    token = columns.naming(every, [at for at in words if len({*grid[at]}) > 1] or words)
    if base.declared and n == base.declared[1] + 1:
        token, numbers, lists = 0, list(range(1, n)), {}
        judgement: list[int] = []
    else:
        judgement = outsiders(grid, numbers, rows[same], every if names else None, found.decimal) if numbers else []
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
    )


def more_than(n: int, rows: list[list[str]]) -> bool:
    """Whether most rows have a number with a point between their token and their last n numbers."""
    return 2 * sum(len(row) > n + 1 and "." in row[-n - 1] and is_number(row[-n - 1]) for row in rows) > len(rows)


def is_remark(text: str, row: list[str], behind: str, found: Parting) -> bool:
    """Whether a line is neither a row nor the names of columns, and says so. behind: the line that follows it."""
    n = found.n_fields
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


def joined(row: list[str], n: int, separator: str) -> list[str]:
    """A row of n cells, the first of which may hold the separator."""
    return [separator.join(row[: len(row) - n + 1]), *row[len(row) - n + 1 :]] if len(row) > n else row


def kind_of(cells: list[str], decimal: str) -> str:
    """What the cells of a column are: "number", "list", "text", "empty", or "mixed" where most are numbers and not all."""
    held = [cell for cell in cells if not is_missing(cell)]
    if not held:
        return "empty" if all(not cell.strip() for cell in cells) else "number"
    numbers = sum(is_number(cell, decimal) for cell in held)
    if numbers == len(held):
        return "number"
    if 2 * numbers >= len(held):
        return "mixed"
    return "list" if numbers == 0 and sum(list_in(cell) is not None for cell in held) > 0.9 * len(held) else "text"


def length_in(cells: list[str]) -> int:
    """How long the lists of a column are."""
    return Counter(len(held) for cell in cells if (held := list_in(cell)) is not None).most_common(1)[0][0]


def unique(names: list[str]) -> list[str]:
    """The names, each once: a second one of a name is numbered."""
    seen: Counter[str] = Counter()
    found = []
    for name in names:
        found.append(f"{name}.{seen[name]}" if seen[name] else name)
        seen[name] += 1
    return found


def outsiders(grid: list[list[str]], numbers: list[int], rows: np.ndarray, names: list[str] | None, decimal: str) -> list[int]:
    """The columns of numbers that are no dimensions."""
    values = np.array([[number_of(cell, decimal) for cell in grid[at]] for at in numbers]).T
    typed = np.array([all(WHOLE.fullmatch(cell) or is_missing(cell) for cell in grid[at]) for at in numbers])
    sample = columns.Sample(values, rows, typed, [names[at] for at in numbers] if names else None)
    return [numbers[at] for at in columns.beside(sample)]


def number_of(cell: str, decimal: str) -> float:
    """A cell as a number, NaN for any that is none."""
    return float(cell.replace(decimal, ".")) if is_number(cell, decimal) else np.nan
