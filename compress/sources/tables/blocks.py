"""Lines of a text: some megabytes of whole ones at a time, their number, and a sample of its beginning, middle and end."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

CHUNK = 4 << 20
HEAD_ROWS, PLACES, PLACE_ROWS = 400, 8, 25  # rows that columns are judged by
HEAD_BYTES, PLACE_BYTES = 2 << 20, 64 << 10


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
    ends = ends_in(part)
    return int(ends[-1]) + 1 if len(ends) else 0


def ends_in(part: bytes) -> np.ndarray:
    """Where the newlines are that no quotes enclose."""
    data = np.frombuffer(part, np.uint8)
    ends = np.flatnonzero(data == ord("\n"))
    return ends[np.searchsorted(np.flatnonzero(data == ord('"')), ends) % 2 == 0]


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
    ends = ends_in(head + b"\n")
    starts = [0, *(ends[:-1] + 1)]
    return [record for start, end in zip(starts, ends, strict=False) if (record := head[start:end]).strip()][:HEAD_ROWS]
