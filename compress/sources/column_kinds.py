"""What a column beside a matrix holds: categories, numbers, dates or text, seen from its values.

Rules, in this order. A column is
- of dates, where every cell that is not empty is an ISO date, with a time or without; a time zone is turned to UTC;
- of numbers, where every such cell is one; not finite counts as empty. Whole numbers are labels, and so categories, where at most
  MOST_LABELS differ, or any number that categories may have if the column's name says so (cluster, label, topic, …); never where
  it says that they count or measure (count, year, age, …);
- of categories, where words are repeated: at most MOST_CATEGORIES differ, at most half as many as there are rows with one, none
  longer than LONGEST letters;
- of text in every other case: lists (written out by their first numbers), mixed types and what is empty throughout too.
Empty are cells of nothing or blanks; among numbers and dates also what tables write for it (NA, nan, null, None).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np

from compress.files import whole_letters
from compress.sources.tables.columns import Column

MOST_CATEGORIES = 10_000
MOST_LABELS = 32
LONGEST = 200  # letters of a category's name
NEARLY = 0.9  # of the cells, from which on text is of addresses
SHOWN = 4  # numbers of a list that are written out
LABELS = re.compile(r"(.*[_ ])?(clusters?|labels?|class|group|topic|category|split|fold|target)([_ ]?(id|\d))?", re.IGNORECASE)
MEASURES = re.compile(
    r"(.*[_ ])?(counts?|freq(uency|uencies)?|occurrences|n|rank|year|month|day|hour|age|length|size|price|score)", re.IGNORECASE
)
NUMBER = r"^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$|^[+-]?(?i:inf|infinity)$"
NOTHING = r"^(?i:na|n/a|nan|-nan|null|none|nat|#n/a)$"
DATE = r"^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d(:?\d\d)?)?)?$"
BEYOND = r"(\.\d{6})\d+"  # digits of a second that Arrow does not take
ADDRESS = r"^\s*https?://"


@dataclass(frozen=True, eq=False)
class Categories:
    """codes: (n,) int32, each row's place in names, -1 where its cell is empty. names: the most frequent first. counts: rows of
    each."""

    name: str
    codes: np.ndarray
    names: tuple[str, ...]
    counts: np.ndarray


@dataclass(frozen=True, eq=False)
class Numbers:
    """values: (n,) float64, NaN where a cell is empty."""

    name: str
    values: np.ndarray


@dataclass(frozen=True, eq=False)
class Dates:
    """values: (n,) datetime64[s], UTC where the cells have a zone, NaT where one is empty."""

    name: str
    values: np.ndarray


@dataclass(frozen=True, eq=False)
class Texts:
    """values: n texts. urls: whether nearly all are addresses on the web."""

    name: str
    values: Sequence[str]
    urls: bool


Typed = Categories | Numbers | Dates | Texts


def typed(values: Column, name: str) -> Typed:
    """A column by what it holds, see the rules above. values: n words, numbers or dates, or (n, d) lists of numbers."""
    if not isinstance(values, np.ndarray):
        return of_words(values, name)
    if values.ndim > 1:
        return Texts(name, Lists(values), False)
    if values.dtype.kind == "M":
        return Dates(name, values.astype("datetime64[s]"))
    if values.dtype.kind in "fiu":
        return of_numbers(values.astype(np.float64), name)
    return of_words(["" if cell is None else str(cell) for cell in values.tolist()], name)


def of_numbers(values: np.ndarray, name: str) -> Typed:
    """values: (n,) float64, which is then the column's."""
    values[~np.isfinite(values)] = np.nan
    held = values[~np.isnan(values)]
    if not len(held):
        return Texts(name, [""] * len(values), False)
    if MEASURES.fullmatch(name.strip()) or (held != np.round(held)).any():
        return Numbers(name, values)
    each, places = np.unique(held, return_inverse=True)
    most = MOST_CATEGORIES if LABELS.fullmatch(name.strip()) else MOST_LABELS
    if len(each) > most or 2 * len(each) > len(held):
        return Numbers(name, values)
    codes = np.full(len(values), -1, np.int32)
    codes[~np.isnan(values)] = places
    return by_count(name, codes, [f"{number:.0f}" for number in each])


def of_words(values: Sequence[str], name: str) -> Typed:
    """values: n words or texts."""
    from pyarrow import compute, scalar

    cells = in_arrow(values)
    if (compute.max(compute.utf8_length(cells)).as_py() or 0) > LONGEST:
        return Texts(name, values, are_addresses(cells))
    cells = compute.utf8_trim_whitespace(cells)
    coded = compute.if_else(compute.equal(cells, ""), scalar(None, cells.type), cells).dictionary_encode()
    words, n_held = coded.dictionary, len(coded) - coded.null_count
    if not n_held:
        return Texts(name, values, False)
    codes = compute.fill_null(coded.indices, -1).to_numpy().astype(np.int32)
    if (dates := dates_in(words)) is not None:
        return Dates(name, np.append(dates, np.datetime64("NaT"))[codes])
    if (numbers := numbers_in(words)) is not None:
        return of_numbers(np.append(numbers, np.nan)[codes], name)
    if len(words) > MOST_CATEGORIES or 2 * len(words) > n_held:
        return Texts(name, values, are_addresses(cells))
    return by_count(name, codes, words.to_pylist())


def in_arrow(values: Sequence[str]) -> Any:
    """The words as Arrow keeps them; half of a letter that takes two cannot be written, and is replaced."""
    from pyarrow import array, large_string

    try:
        return array(values, large_string())
    except UnicodeEncodeError:
        return array([*map(whole_letters, values)], large_string())


def by_count(name: str, codes: np.ndarray, names: Sequence[str]) -> Categories:
    """Categories, the most frequent first, and of two as frequent the one that the alphabet has first."""
    counts = np.bincount(codes[codes >= 0], minlength=len(names))
    order = np.array(sorted(range(len(names)), key=lambda at: (-counts[at], names[at])), np.int64)
    places = np.full(len(names) + 1, -1, np.int32)
    places[order] = np.arange(len(names))
    return Categories(name, places[codes], tuple(names[at] for at in order), counts[order])


def numbers_in(words: Any) -> np.ndarray | None:
    """(m,) float64, the words of an Arrow array as numbers, NaN for what stands for nothing; None where one is something else, or
    all are nothing."""
    from pyarrow import compute, float64, scalar

    if not all_are(words, NUMBER):
        return None
    words = compute.if_else(compute.match_substring_regex(words, NOTHING), scalar(None, words.type), words)
    return compute.cast(compute.utf8_ltrim(words, "+"), float64()).to_numpy(zero_copy_only=False)


def dates_in(words: Any) -> np.ndarray | None:
    """(m,) datetime64[s], the same as dates."""
    from pyarrow import ArrowInvalid, compute, scalar, timestamp

    if not all_are(words, DATE):
        return None
    words = compute.if_else(compute.match_substring_regex(words, NOTHING), scalar(None, words.type), words)
    words = compute.replace_substring_regex(words, BEYOND, r"\1")
    for zone in (None, "UTC"):
        try:
            found = compute.cast(words, timestamp("us", zone))
        except ArrowInvalid:  # as a 13th month, or a zone in some cells
            continue
        return found.to_numpy(zero_copy_only=False).astype("datetime64[s]")
    return None


def all_are(words: Any, pattern: str) -> bool:
    """Whether words are of a pattern or stand for nothing, and one of them at least is of the pattern."""
    from pyarrow import compute

    are = compute.match_substring_regex(words, pattern)
    if not compute.any(are).as_py():
        return False
    return bool(compute.all(compute.or_(are, compute.match_substring_regex(words, NOTHING))).as_py())


def are_addresses(cells: Any) -> bool:
    """Whether nearly all texts that are not empty begin as addresses on the web do."""
    from pyarrow import compute

    held = compute.sum(compute.not_equal(cells, "")).as_py() or 0
    return bool(held) and compute.sum(compute.match_substring_regex(cells, ADDRESS)).as_py() >= NEARLY * held


class Lists(Sequence):
    """Lists of numbers (n, d), each as a text of its first ones, made when asked for."""

    def __init__(self, values: np.ndarray):
        self._values = values.reshape(len(values), -1)

    def __len__(self) -> int:
        return len(self._values)

    @overload
    def __getitem__(self, row: int) -> str: ...
    @overload
    def __getitem__(self, row: slice) -> list[str]: ...
    def __getitem__(self, row: int | slice) -> str | list[str]:
        if isinstance(row, slice):
            return [self.written(cells) for cells in self._values[row]]
        return self.written(self._values[row])

    def written(self, cells: np.ndarray) -> str:
        return ", ".join(f"{cell:.3g}" for cell in cells[:SHOWN]) + (" …" if len(cells) > SHOWN else "")
