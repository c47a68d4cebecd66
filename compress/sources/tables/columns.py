"""The columns of a table: which are its dimensions, which names its rows, and what is left beside the matrix."""

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from uuid import uuid4

import numpy as np

from compress.errors import InputError
from compress.sources.choice.info import TensorInfo, pick

DIGITS = re.compile(r"\d+(?=\D*$)")
INDEX = re.compile(  # what names the rows by number
    r"|unnamed: ?\d+|(.*[_ ])?(id|idx|index)|level_\d+|__index_level_\d+__|row(_?(no|num|number))?|key|#", re.IGNORECASE
)
BESIDE = re.compile(  # counts, groups and places, which are no dimensions where those look otherwise
    r"(.*[_ ])?(counts?|freq(uency|uencies)?|occurrences|n|rank|clusters?|labels?|class|group|topic|category|split|fold|target"
    r"|year|month|date|time(stamp)?|length|size|lat(itude)?|lon(gitude)?|lng|umap|t-?sne|pca)([_ ]?(id|[xyz]|\d))?",
    re.IGNORECASE,
)
NAMING = ("token", "tokens", "word", "words", "term", "terms", "text", "title", "name", "sentence", "document", "content", "label")
TOLD = {"token": "token", "tokens": "token", "word": "word", "words": "word"}  # what the names in a column of that name are
LISTED = re.compile(r"\s*+(?:array|tensor)?\(?\s*+[\[({][\[({\s'\"]*(?:np\.float\d+\()?[+-]?\.?\d")  # how a list of numbers begins
SPARSE = re.compile(r"\s*\d+:[+-]?\d[\d.eE+-]*\s*")
Column = Sequence[str] | np.ndarray
FEW = 8  # rows that are too few to tell by their values alone
SEVERAL = 6  # dimensions whose names follow each other, beside which others name none
MOST = 0.75  # of the other columns, from which on a column is unlike them
FAR = 30  # times as large as the other columns
SAID = 4  # columns that stand out
MOST_CELLS = 200_000  # of a sample, whose rows are fewer where they are wide


@dataclass(frozen=True)
class Asked:
    """What a person says of the columns of a table; what is None is judged by the table. left_out: those of numbers that are not in
    the matrix. names: the one that names the rows, which is not in the matrix either. columns: a second file, of more of them."""

    left_out: tuple[str, ...] | None = None
    names: str | None = None
    columns: str | None = None


JUDGED = Asked()


@dataclass(frozen=True)
class Told:
    """What a second file tells of the rows. names: of its columns, each once. texts: of those of words."""

    names: tuple[str, ...]
    texts: tuple[str, ...]


@dataclass(frozen=True)
class Sample:
    """Some rows of the columns of numbers of a table.

    values: (rows, columns) float64, NaN where a cell is empty. rows: their numbers, consecutive where they follow each other.
    typed: (columns,) whether a column is of a whole type, or all its cells are written without a point. names: None where the table
    has none.
    """

    values: np.ndarray
    rows: np.ndarray
    typed: np.ndarray
    names: Sequence[str] | None


def beside(sample: Sample) -> list[int]:
    """The columns of numbers that are no dimensions: an index, ids, counts, labels, coordinates among dimensions that have another
    kind of name, another scale, or are no whole numbers. All of them only where each is an index."""
    n, d = sample.values.shape
    if n < 2:
        return []
    present = np.isfinite(sample.values)
    whole = ((sample.values == np.round(sample.values)) | ~present).all(0) & present.any(0)
    running = runs_on(sample)
    unlike = whole & ((~whole).sum() >= MOST * (d - 1))
    family, strong = numbered(sample.names or [""] * d)
    found = running & (n >= FEW)
    if sample.names is None:
        found |= unlike & by_values(sample, whole)
    else:
        listed = np.array([bool(INDEX.fullmatch(name.strip())) for name in sample.names])
        known = np.array([bool(BESIDE.fullmatch(name.strip())) for name in sample.names])
        listed[listed] = [len(np.unique(column)) == n for column in sample.values.T[listed]]
        named = (listed & whole) | (known & unlike) | (unlike & sample.typed & (scale_beside_others(sample) > FAR))
        found |= ~family if strong else named & ~family
    index = running & (n >= FEW) if sample.names is None else running & (n >= FEW) | listed & whole
    return [] if found.all() and not index.all() else np.flatnonzero(found).tolist()


def standing_out(sample: Sample) -> dict[int, str]:
    """The columns of numbers that are unlike the others, and how: far larger, whole among others that are not, or in order."""
    n, d = sample.values.shape
    if n < FEW or d < 2:
        return {}
    values = np.nan_to_num(sample.values, posinf=0, neginf=0)
    sizes = np.abs(values).mean(0)
    order = np.argsort(-sizes)[: np.count_nonzero(sizes)]
    falls = np.flatnonzero(sizes[order[:-1]] >= FAR * sizes[order[1:]])
    large = order[: falls[0] + 1] if len(falls) and falls[0] + 1 <= (1 - MOST) * d else order[:0]
    whole = (values == np.round(values)).all(0)
    alone = whole & values.any(0) & ((~whole).sum() >= MOST * (d - 1))
    steps = np.diff(values, axis=0)
    sorted_ = ((steps > 0).all(0) | (steps < 0).all(0)) & (len(steps) > FEW)
    found = {at: f"{sizes[at] / sizes[order[len(large)]]:,.0f} times as large as the others" for at in large.tolist()}
    for mark, told in ((alone, "of whole numbers"), (sorted_, "in order")):
        found |= {at: f"{found[at]}, {told}" if at in found else told for at in np.flatnonzero(mark).tolist()}
    return found if len(found) <= max(1, (1 - MOST) * d) else {}


def judge(sample: Sample, numbers: Sequence[int]) -> tuple[list[int], dict[int, str]]:
    """Of columns of numbers, which stand at these places, those that are no dimensions, and those that stand out among the rest."""
    out = beside(sample)
    rest = [at for at in range(len(numbers)) if at not in {*out}]
    names = None if sample.names is None else [sample.names[at] for at in rest]
    found = standing_out(Sample(sample.values[:, rest], sample.rows, sample.typed[rest], names))
    return [numbers[at] for at in out], {numbers[rest[at]]: told for at, told in found.items()}


def check_lists(texts: Mapping[str, Sequence[str]], where: str) -> None:
    """InputError where a column of text holds lists of numbers that are not whole: other columns are not the matrix then."""
    for name, cells in texts.items():
        held = [cell for cell in cells if cell]
        if held and sum(LISTED.match(cell) is not None for cell in held) > MOST * len(held):
            short = any("..." in cell for cell in held)
            told = "are cut short by the program that printed them (...)" if short else "stand there as text that is not read"
            raise InputError(f"The lists in {name} of {where} {told}; write them as lists of numbers, as by tolist().")


def check_numbers(names: Sequence[str], numbers: Sequence[int], judged: Sequence[int], where: str) -> None:
    """InputError where the columns of numbers do nothing but number the rows."""
    if numbers and len(judged) == len(numbers):
        told = listed([names[at] for at in numbers])
        raise InputError(f"{where} has no numbers but those of its rows ({told}); give a table with the numbers of each row.")


def check_whole(rows: Sequence[Sequence[str]], where: str) -> None:
    """InputError where what parts cells stands within lists, or rows are sparse."""
    torn = [row for row in rows if any(cell.count("[") > cell.count("]") for cell in row)]
    if len(torn) > MOST * len(rows):
        raise InputError(f"The lists in {where} hold what parts its cells; put quotes around each, or a tab before it.")
    sparse = [row for row in rows if SPARSE.fullmatch(row[-1])]
    if len(sparse) > MOST * len(rows):
        raise InputError(f"{where} has sparse rows (as 3:0.5), which are not read; save it as CSV or with numpy.save.")


def sampled(most: int, n_columns: int) -> int:
    """How many rows of so many columns make a sample."""
    return max(5 * FEW, min(most, MOST_CELLS // max(1, n_columns)))


def runs_on(sample: Sample) -> np.ndarray:
    """(columns,) whether a column counts the rows, from 0 or 1."""
    steps = np.diff(sample.values, axis=0)[np.diff(sample.rows) == 1]
    return np.isin(sample.values[0], (0, 1)) & (steps == 1).all(0) & (len(steps) > 0)


def by_values(sample: Sample, whole: np.ndarray) -> np.ndarray:
    """(columns,) whether whole numbers look like ids, counts or labels: written as such and not all 0, or, written with a point, of
    more values than -1, 0 and 1."""
    few = np.array([np.isin(column, (-1, 0, 1)).all() for column in sample.values.T])
    empty = np.array([not column.any() for column in sample.values.T])
    return (sample.typed & ~empty & (len(sample.values) >= FEW // 2)) | (whole & ~few & (len(sample.values) >= FEW))


def scale_beside_others(sample: Sample) -> np.ndarray:
    """(columns,) the median size of a column's entries over the largest of the others'."""
    sizes = np.median(np.abs(np.nan_to_num(sample.values)), axis=0)
    first, second = np.sort([0, *sizes])[::-1][:2]
    return sizes / np.maximum(np.where(sizes == first, second, first), 1e-30)


def numbered(names: Sequence[str]) -> tuple[np.ndarray, bool]:
    """(columns,) which names are those of dimensions: one word with numbers, or letters, that follow each other; and whether
    they are most of all, so that the others name none."""
    patterns = [pattern_of(name) for name in names]
    ranked = Counter(pattern for pattern in patterns if pattern is not None).most_common(2)
    if not ranked:
        return np.zeros(len(names), bool), False
    word, count = ranked[0]
    mine = np.array([pattern == word for pattern in patterns])
    numbers = [number_in(name) for name, member in zip(names, mine, strict=True) if member]
    follow = len(set(numbers)) == count and (max(numbers) - min(numbers) == count - 1 or count > FEW)
    second = ranked[1][1] if len(ranked) > 1 else 0
    if not follow or count < 2 or count < 2 * second or 3 * count < len(names):
        return np.zeros(len(names), bool), False
    return mine, 2 * count >= len(names) or count >= SEVERAL


def pattern_of(name: str) -> str | None:
    """A column's name without its number; None where it has none."""
    name = name.strip().lower()
    if len(name) == 1 and "a" <= name <= "z":
        return "a letter"
    return DIGITS.sub("#", name) if DIGITS.search(name) else None


def number_in(name: str) -> int:
    """The number of a column's name, or of its letter."""
    name = name.strip().lower()
    match = DIGITS.search(name)
    return int(match[0][:18]) if match else ord(name)


def naming(names: Sequence[str], texts: Sequence[int]) -> int | None:
    """The column of text that names the rows: the one with the most telling name, or the first."""
    if not texts:
        return None
    order = {word: at for at, word in enumerate(NAMING)}
    return min(texts, key=lambda at: (order.get(names[at].strip().lower(), len(order)), at))


def telling(names: Sequence[str], texts: Sequence[str]) -> str | None:
    """That of these columns of text whose name says that it names the rows."""
    known = [name for name in texts if name.strip().lower() in NAMING]
    return None if (at := naming(names, [names.index(name) for name in known])) is None else names[at]


def row_word(column: str) -> str:
    """What the names in a column are, by the name that it has itself."""
    return TOLD.get(column.strip().lower(), "row")


def unique(names: Sequence[str]) -> list[str]:
    """The names, each once: a second one of a name is numbered."""
    seen: Counter[str] = Counter()
    found: dict[str, None] = {}
    for name in names:
        new = name
        while new in found:
            seen[name] += 1
            new = f"{name}.{seen[name]}"
        found[new] = None
    return [*found]


def uneven(n: int, n_rows: int, where: str, first: str = "") -> InputError:
    """That a second file has not a row for each of the matrix. first: what its first row may be."""
    held = f"{n:,} row{'s' * (n != 1)}{first}"
    return InputError(f"{where} has {held} and the matrix {n_rows:,}; give a row for each, in the same order.")


def spelled(names: Sequence[str]) -> str:
    """Names as one text: commas between them, quotes around one that holds a comma."""
    with io.StringIO() as text:
        csv.writer(text, lineterminator="").writerow(names)
        return text.getvalue() if names else ""


def named(text: str) -> list[str]:
    """The names that `spelled` made a text of."""
    try:
        return next(csv.reader([text], skipinitialspace=True), [])
    except csv.Error:  # of breaks of lines, and of more letters than a cell may have
        return [name.strip() for name in text.split(",")]


def listed(names: Sequence[str], most: int = 8) -> str:
    """Names with commas between them, the first of many."""
    return ", ".join(names[:most]) + (f" and {len(names) - most:,} more" if len(names) > most else "")


def said(dims: int | str, left: Sequence[str]) -> tuple[str, ...]:
    """What is told of a table that holds more than its matrix. dims: how many columns that is, or the one whose lists it is."""
    if not left:
        return ()
    kept = f"The lists of {dims} are" if isinstance(dims, str) else f"{dims:,} column is" if dims == 1 else f"{dims:,} columns are"
    return (f"{kept} the matrix; left out: {listed(left)}",)


def doubted(names: Sequence[str], odd: Mapping[int, str]) -> tuple[str, ...]:
    """What is told of columns that stand out and are in the matrix."""
    if not odd:
        return ()
    told = "; ".join(f"{names[at]} is {how}" for at, how in [*odd.items()][:SAID])
    more = f"; {len(odd) - SAID:,} more are like that" if len(odd) > SAID else ""
    return (f"In the matrix, {told}{more}: leave out what is no dimension (Left out, --left-out).",)


class Columns(Mapping[str, Column]):
    """The columns of a table that are not in its matrix, by name, each read when it is asked for.

    numbers: every column of numbers, those of the matrix too. left_out: which of these are not in it. naming: those that may name
    the rows. names_rows: the one that does. odd: how those of the matrix that stand out do, by name. elsewhere: of those that a
    second file holds, this and what they are called there. key: what is seen of these columns is kept under it; no others have the
    same.
    """

    def __init__(
        self,
        names: Sequence[str],
        read: Callable[[str], Column],
        numbers: Sequence[str] = (),
        left_out: Sequence[str] = (),
        naming: Sequence[str] = (),
        names_rows: str | None = None,
        odd: Mapping[str, str] | None = None,
    ):
        self._names, self._read = dict.fromkeys(names), read
        self.numbers, self.left_out = tuple(numbers), tuple(left_out)
        self.naming, self.names_rows = tuple(naming), names_rows
        self.odd = dict(odd or {})
        self.elsewhere: dict[str, tuple[str, str]] = {}
        self.key = uuid4().hex

    def read_by(self, read: Callable[[str], Column]) -> None:
        """Has its columns read in another way from now on."""
        self._read = read

    def add(self, path: Path, names: Sequence[str], read: Callable[[str], Column]) -> dict[str, str]:
        """Adds the columns of a second file, each by a name of its own, and gives these by those that they have there."""
        own, held = self._read, [*self._names]
        found = dict(zip(names, unique([*held, *names])[len(held) :], strict=True))
        self.elsewhere |= {new: (str(path), old) for old, new in found.items()}
        self._names |= dict.fromkeys(found.values())
        self.naming = (*self.naming, *found.values())
        self._read = lambda name: read(self.elsewhere[name][1]) if name in found.values() else own(name)
        return found

    def __getstate__(self) -> dict:
        return vars(self) | {"_read": None}  # which goes to no other process

    def __getitem__(self, name: str) -> Column:
        if name not in self._names:
            raise KeyError(name)
        return self._read(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def nothing(name: str) -> Column:
    """What reads the columns of a source that has none itself."""
    raise KeyError(name)


class Kinds(Protocol):
    """What the columns of a table hold: words, numbers, lists of so many, or what is none of these, by their places; judged: which
    numbers are no dimensions; odd: how others of them stand out."""

    @property
    def names(self) -> Sequence[str]: ...
    @property
    def texts(self) -> Sequence[int]: ...
    @property
    def numbers(self) -> Sequence[int]: ...
    @property
    def lists(self) -> Mapping[int, int]: ...
    @property
    def others(self) -> Sequence[int]: ...
    @property
    def judged(self) -> Sequence[int]: ...
    @property
    def odd(self) -> Mapping[int, str]: ...


def offered(of: Kinds, n_rows: int, dims: Sequence[int] | None = None) -> list[TensorInfo]:
    """The matrix of a table where these columns are the dimensions, those that look so for None; or those of its columns of lists,
    the one that says so first."""
    if not of.lists:
        n_dims = len(of.numbers) - len(of.judged) if dims is None else len(dims)
        return [TensorInfo("embedding", (n_rows, n_dims), "float32")]
    order = sorted(of.lists, key=lambda at: "emb" not in of.names[at].lower() and "vec" not in of.names[at].lower())
    return [TensorInfo("embedding" if len(of.lists) == 1 else of.names[at], (n_rows, of.lists[at]), "float32") for at in order]


def dimensions(of: Kinds, n_rows: int, tensor: str | None, asked: Asked, where: str) -> tuple[list[int], list[int], TensorInfo]:
    """The columns that are left out, see `chosen`, those that are the dimensions, or the one of lists, and the matrix they make."""
    out = chosen(of, asked, where)
    dims = [at for at in of.numbers if at not in out]
    found = pick(offered(of, n_rows, dims), tensor, where)
    if of.lists:
        dims = [next(at for at in of.lists if len(of.lists) == 1 or of.names[at] == found.name)]
    return out, dims, found


def chosen(of: Kinds, asked: Asked, where: str) -> list[int]:
    """The columns of numbers that are left out: those asked for, or the judged ones, and the one that is to name the rows.
    InputError for a name that no column of numbers has, and where none would be left."""
    known = {of.names[at]: at for at in of.numbers}
    names = [of.names[at] for at in of.judged] if asked.left_out is None else asked.left_out
    for name in names:
        if name not in known:
            raise InputError(f"{where} has no column of numbers {name!r}; those that can be left out are {listed(list(known))}.")
    out = [known[name] for name in dict.fromkeys([*names, *({asked.names} & {*known})])]
    if out and len(out) == len(of.numbers) and not of.lists:
        raise InputError(f"Every column of numbers of {where} would be left out; keep one at least.")
    return out


def names_rows(of: Kinds, texts: Sequence[int], dims: Sequence[int], asked: Asked, where: str) -> int | None:
    """The column that names the rows: the one asked for, else one of text, else the first that looks like no dimension and is none.
    InputError where the one asked for is none that can."""
    if asked.names is not None:
        found = next((at for at in (*of.texts, *of.numbers) if of.names[at] == asked.names), None)
        if found is None:
            able = listed([of.names[at] for at in (*of.texts, *of.numbers)])
            raise InputError(f"{where} has no column {asked.names!r} to name its rows by; those that can are {able}.")
        return found
    token = naming(of.names, texts)
    return of.judged[0] if token is None and of.judged and of.judged[0] not in dims else token


def rest(
    of: Kinds, dims: Sequence[int], out: Sequence[int], token: int | None, asked: Asked, read: Callable[[str], Column]
) -> tuple[Columns, tuple[str, ...]]:
    """The columns beside the dimensions, and what is told of them, and of dimensions that nobody has looked at and that stand out.
    out: those of numbers that are left out. token: the one that names the rows. read: one of them by its name."""
    known = sorted({*of.texts, *of.numbers, *of.lists, *of.others} - {*dims})
    odd = {at: how for at, how in of.odd.items() if at in dims and asked.left_out is None}
    beside = Columns(
        [of.names[at] for at in known if at != token or at in of.numbers],
        read,
        () if of.lists else [of.names[at] for at in of.numbers],
        () if of.lists else [of.names[at] for at in out],
        [of.names[at] for at in sorted({*of.texts, *(of.numbers if of.lists else out)})],
        None if token is None else of.names[token],
        {of.names[at]: how for at, how in odd.items()},
    )
    return beside, (*said(of.names[dims[0]] if of.lists else len(dims), list(beside)), *doubted(of.names, odd))
