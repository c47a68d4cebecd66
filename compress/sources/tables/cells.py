"""What a cell of a text holds: a number, a list of them, nothing, or words."""

import re
from collections import Counter

import numpy as np

from compress.sources.tables import columns

NUMBER = {
    ".": re.compile(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*|\s*[+-]?(inf|infinity)\s*", re.IGNORECASE),
    ",": re.compile(r"\s*[+-]?(\d+|\d*,\d+)([eE][+-]?\d+)?\s*|\s*[+-]?(inf|infinity)\s*", re.IGNORECASE),
}
WHOLE = re.compile(r"\s*[+-]?\d+\s*")
MISSING = {"", "na", "n/a", "nan", "null", "none", "-nan", "#n/a"}
LIST = re.compile(
    r"(?:array|tensor)?\(?\s*+(?:[\[({]\s*+){0,2}(?P<numbers>[^\[\](){}]*)(?:[\])}]\s*){0,2}(?:,\s*(?:dtype|device)=[\w.:]+\s*)*\)?"
)
WRAPPED = re.compile(r"(?:np|numpy)\.float\d+\(([^()]*)\)")  # a number, as lists of NumPy's are printed
PART = re.compile(r"[\s,;|]+")
OPENING = "[({at"  # what a list begins with: a bracket, "array(" or "tensor("


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
    if not match or sum(map(text.count, "[({")) != sum(map(text.count, "])}")):
        return None
    numbers = match["numbers"].strip(" \t\n,;|")
    parts = PART.split(numbers.replace(",", ".") if ";" in numbers or "|" in numbers else numbers)
    if not all(is_number(part) or is_missing(part) for part in parts) or parts == [""]:
        return None
    if text[0] not in OPENING and len(parts) < 3:
        return None
    return np.array([np.nan if is_missing(part) else float(part) for part in parts])


def weight(cell: str, decimal: str, bare: bool = True) -> float:
    """How many numbers a cell holds; a list without brackets is a little less than the same numbers in cells. bare: whether there
    may be such lists. One that is not whole is a list too, less one."""
    if is_number(cell, decimal):
        return 1
    if decimal == "." and (held := list_in(cell)) is not None:
        bracketed = cell.strip()[0] in OPENING
        return len(held) * (1 if bracketed else (1 - 1e-6) * bare)
    if columns.LISTED.match(cell):
        return max(0, sum(is_number(part.strip("[](){}")) for part in PART.split(cell)) - 1)
    return 0


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


def number_of(cell: str, decimal: str) -> float:
    """A cell as a number, NaN for any that is none."""
    return float(cell.replace(decimal, ".")) if is_number(cell, decimal) else np.nan
