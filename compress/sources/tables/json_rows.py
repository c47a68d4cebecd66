"""Tables in JSON: rows as objects or lists, in an array or a line each; columns as lists; words with their rows."""

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np

from compress.errors import InputError
from compress.sources.choice.info import Read, TensorInfo
from compress.sources.limits import check_fits
from compress.sources.tables import columns
from compress.sources.tables.cells import list_in
from compress.sources.tables.json_stream import Stream, opened

SAMPLE = 1000  # rows that columns are judged by
BLOCK = 1000  # rows that are gathered before they become one array
EMBEDDING, NAME, UNNAMED = "embedding", "index", "column"  # of rows and cells that have no column's name

ROWS = ("data", "rows", "records")  # keys whose objects are rows, with lists in them or without
DEEPEST = 4  # objects within objects

Row = Mapping[str, Any]


def infos(path: Path) -> list[TensorInfo]:
    """The matrix of a JSON file, or those of its columns of lists."""
    table = Table(path)
    return columns.offered(table, sum(1 for _ in records(path)))


def read(path: Path, tensor: str | None, asked: columns.Asked = columns.JUDGED) -> Read:
    """The columns of numbers, or one of lists, as float32, and the column of words that names the rows."""
    table = Table(path)
    names = table.names
    out, dims, found = columns.dimensions(table, 1, tensor, asked, path.name)
    token = columns.names_rows(table, table.naming, dims, asked, path.name)
    tokens: list[str] = []
    blocks: list[np.ndarray] = []
    held: list[np.ndarray] = []
    for number, row in enumerate(records(path), start=1):
        held.append(numbers_in(row, [names[at] for at in dims], bool(table.lists), found.shape[1], number, path))
        if token is not None:
            tokens.append(str(row.get(names[token])))
        if len(held) == BLOCK:
            blocks.append(np.stack(held))
            held = []
            check_fits(8 * len(blocks) * blocks[0].size, path.name)
    values = np.concatenate([*blocks, np.stack(held)] if held else blocks)
    beside, said = columns.rest(table, dims, out, token, asked, lambda name: column(path, name))
    word = "row" if token is None else "word" if table.of_words else columns.row_word(names[token])
    return Read(values, None if token is None else tokens, word, said, beside)


class Table:
    """What the columns of a JSON table hold, by its first rows."""

    def __init__(self, path: Path):
        rows = list(islice(records(path), 1))
        rows = list(islice(records(path), columns.sampled(SAMPLE, len(rows[0]))))
        self.names = list(dict.fromkeys(name for row in rows for name in row))
        kinds = [kind_of([row[name] for row in rows if row.get(name) is not None]) for name in self.names]
        self.numbers = [at for at, kind in enumerate(kinds) if kind in (int, float)]
        self.texts = [at for at, kind in enumerate(kinds) if kind is str]
        self.naming = [at for at in self.texts if len({row.get(self.names[at]) for row in rows}) > 1]
        self.lists = {
            at: length_of(next(row[name] for row in rows if row.get(name) is not None))
            for at, (name, kind) in enumerate(zip(self.names, kinds, strict=True))
            if kind is list
        }
        held = [at for at, name in enumerate(self.names) if any(row.get(name) is not None for row in rows)]
        self.others = [at for at in held if at not in {*self.numbers, *self.texts, *self.lists}]
        self.of_words = self.names == [NAME, EMBEDDING]
        if not self.numbers and not self.lists:
            raise InputError(f"{path.name} has no rows of numbers; give rows, or objects with one list of numbers each.")
        self.judged: list[int] = []
        self.odd: dict[int, str] = {}
        if self.numbers and not self.lists:
            values = np.array([[row.get(self.names[at]) for at in self.numbers] for row in rows], np.float64)
            typed = np.array([kinds[at] is int for at in self.numbers])
            names = [self.names[at] for at in self.numbers]
            named = not all(name.startswith(f"{UNNAMED} ") for name in names)
            sample = columns.Sample(values, np.arange(len(rows)), typed, names if named else None)
            self.judged, self.odd = columns.judge(sample, self.numbers)
            columns.check_numbers(self.names, self.numbers, self.judged, path.name)


def kind_of(cells: list[Any]) -> type | None:
    """What the cells of a column are: int, float, str, or list of numbers; None for anything else."""
    kinds = {type(cell) for cell in cells}
    if kinds and kinds <= {int, float}:
        return int if kinds == {int} else float
    if kinds == {str}:
        return list if all(cell.startswith("[") and length_of(cell) for cell in cells) else str
    return list if kinds and kinds <= {list, np.ndarray} and all(length_of(cell) for cell in cells) else None


def length_of(cell: Any) -> int:
    """How many numbers a list holds, 0 where it holds others; a list of one list is that one."""
    if isinstance(cell, np.ndarray):
        return cell.size
    if isinstance(cell, str):
        return 0 if (held := list_in(cell)) is None else len(held)
    if len(cell) == 1 and isinstance(cell[0], list):
        return length_of(cell[0])
    return len(cell) if all(type(entry) in (int, float) or entry is None for entry in cell) else 0


def numbers_in(row: Row, names: list[str], of_list: bool, dim: int, number: int, path: Path) -> np.ndarray:
    """(dim,) the numbers of a row. Raises InputError that names the row where it has others."""
    try:
        cells = row.get(names[0]) if of_list else [row.get(name) for name in names]
        cells = list_in(cells) if isinstance(cells, str) else cells
        found = np.array([] if cells is None else cells, np.float32).ravel()
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"Row {number:,} of {path.name} has something else where numbers should be; correct that row.") from error
    if len(found) != dim:
        raise InputError(f"Row {number:,} of {path.name} has {len(found):,} numbers, others have {dim:,}; correct that row.")
    return found


def told_of(path: Path, n_rows: int) -> columns.Told:
    """The columns of a table that tells of so many rows. Raises InputError where it has another number of them."""
    n, names = 0, dict[str, bool]()
    for row in records(path):
        n += 1
        for name, cell in row.items():
            if cell is not None:
                names[name] = names.get(name, True) and isinstance(cell, str)
    if n != n_rows:
        raise columns.uneven(n, n_rows, path.name)
    return columns.Told(tuple(names), tuple(name for name, words in names.items() if words))


def column(path: Path, name: str) -> columns.Column:
    """One column of a table: words, "" where a cell is empty, numbers (n,) float64, NaN there, or lists (n, d) float32."""
    found = [row.get(name) for row in records(path)]
    kind = kind_of([cell for cell in found if cell is not None])
    found = [list_in(str(cell)) for cell in found] if kind is list and isinstance(found[0], str) else found
    if kind in (int, float, list):
        return np.array(found, np.float32 if kind is list else np.float64)
    return ["" if cell is None else str(cell) for cell in found]


def records(path: Path) -> Iterator[Row]:
    """The rows of a table, each by the names of its columns. Raises InputError where a file of JSON holds none."""
    with opened(path) as file:
        stream = Stream(file, path.name)
        found = False
        try:
            for row in uncounted(rows_of(stream)):
                found = True
                yield row
        except InputError:
            raise
        except (TypeError, ValueError, OverflowError) as error:
            raise InputError(
                f"{path.name} has lists of other lengths, or other things in them, than its first; correct them."
            ) from error
        if not found:
            raise InputError(f"{path.name} holds no rows; give a list of rows, or of objects with one list of numbers each.")
        if stream.peek():
            raise stream.damaged()


def uncounted(rows: Iterator[Row]) -> Iterator[Row]:
    """The rows; of lists without names, whose first number counts them, that number is the name."""
    first = list(islice(rows, columns.FEW))
    cells = [row[EMBEDDING] for row in first if row.keys() == {EMBEDDING}]
    counts = [cell[0] for cell in cells if length_of(cell) > 1 and np.ndim(cell) == 1]
    counted = counts in ([*range(columns.FEW)], [*range(1, columns.FEW + 1)])
    for row in chain(first, rows):
        cell = row.get(EMBEDDING) if counted else None
        yield row if cell is None else {NAME: f"{cell[0]:g}", EMBEDDING: cell[1:]}


def rows_of(stream: Stream) -> Iterator[Row]:
    """The rows that stand in a stream."""
    if stream.peek() == "[":
        yield from listed(stream)
        return
    if stream.peek() != "{":
        raise stream.damaged()
    table: dict[str, Any] = {}
    for key in stream.pairs():
        if key in table:
            raise InputError(f"{stream.name} has {key!r} twice in one object; give each its own name.")
        if stream.peek() != "[":
            table[key] = stream.value()
            continue
        held = elements(stream)
        first = next(held, None)
        if isinstance(first, dict) and (key in ROWS or any(kind_of([cell]) is list for cell in flattened(first).values())):
            yield flattened(first)
            for row in held:
                yield checked(row, stream)
            pass_rest(stream)
            return
        table[key] = gathered(first, held)
    if stream.peek() == "{":
        yield flattened(table)
        while stream.peek() == "{":
            yield checked(stream.value(), stream)
    else:
        yield from turned(table, stream.name)


def pass_rest(stream: Stream) -> None:
    """Goes past the other entries of an object."""
    while stream.take(",}") == ",":
        stream.value()
        stream.take(":")
        stream.value()


def listed(stream: Stream) -> Iterator[Row]:
    """The rows of an array, or of arrays that follow each other."""
    rows = elements(stream)
    first = next(rows, None)
    if isinstance(first, str):
        yield checked([first, *rows], stream)
        while stream.peek() == "[":
            yield checked(stream.value(), stream)
        return
    if type(first) in (int, float):
        row = gathered(first, rows)
        yield {EMBEDDING: row}
        while stream.peek() == "[":
            yield {EMBEDDING: stream.value()}
        return
    if first is not None:
        yield checked(first, stream)
    for row in rows:
        yield checked(row, stream)


def elements(stream: Stream) -> Iterator[Any]:
    """The values of an array."""
    for _ in stream.items():
        yield stream.value()


def checked(row: Any, stream: Stream) -> Row:
    """A value as a row by the names of its columns."""
    if isinstance(row, dict):
        return flattened(row)
    if isinstance(row, list):
        if len(row) == 2 and isinstance(row[0], str) and isinstance(row[1], list):
            return {NAME: row[0], EMBEDDING: row[1]}
        mixed = any(isinstance(cell, str) for cell in row)
        return {f"{UNNAMED} {at + 1}": cell for at, cell in enumerate(row)} if mixed else {EMBEDDING: row}
    raise InputError(f"{stream.name} holds {type(row).__name__} where a row should be; give a list of rows.")


def gathered(first: Any, others: Iterator[Any]) -> Any:
    """The values of an array, those of numbers and of lists of numbers as arrays of float32."""
    if first is None:
        return [first, *others] if (second := next(others, None)) is not None and not isinstance(second, list) else []
    kind = kind_of([first])
    if kind is list:
        blocks = [np.array([first, *islice(others, BLOCK - 1)], np.float32)]
        while rows := list(islice(others, BLOCK)):
            blocks.append(np.array(rows, np.float32))
        return np.concatenate(blocks)
    if kind in (int, float):
        cells = [first, *others]
        return np.array(cells) if all(type(cell) in (int, float) for cell in cells) else cells
    return [first, *others]


def holds_rows(table: dict[str, dict[str, Any]]) -> bool:
    """Whether the objects in an object are rows, not columns: by which names are those of dimensions, else as the longer side."""
    first = next(iter(table.values()))
    if any(isinstance(cell, (list, str)) for cell in first.values()):
        return not are_places([*first])
    within, without = columns.numbered([*first])[1] and not are_places([*first]), columns.numbered([*table])[1]
    return within if within != without else len(table) > len(first)


def are_places(names: list[str]) -> bool:
    """Whether names count from 0, as pandas calls the rows of a table that has no names for them."""
    return names == [str(at) for at in range(len(names))]


def flattened(row: Row) -> Row:
    """A row with what stands in objects within it, by names with a point."""
    cells = {key: cell[0] if isinstance(cell, list) and [*map(type, cell)] == [dict] else cell for key, cell in row.items()}
    if not any(isinstance(cell, dict) for cell in cells.values()):
        return row
    found: dict[str, Any] = {}
    for key, cell in cells.items():
        inner = {f"{key}.{name}": each for name, each in cell.items()} if isinstance(cell, dict) else {key: cell}
        found |= flattened(inner) if key.count(".") < DEEPEST else inner
    return found


def turned(table: dict[str, Any], name: str) -> Iterator[Row]:
    """The rows of an object: of columns, of words with their rows, or as pandas splits a table."""
    if isinstance(table.get("columns"), list) and table.get("data") is not None and len(table) <= 3:
        names = [str(name) for name in table["columns"]]
        rows = table["data"].tolist() if isinstance(table["data"], np.ndarray) else table["data"]
        index = table.get("index")
        words = index if isinstance(index, list) and len(index) == len(rows) else []
        for at, row in enumerate(rows):
            yield {**({NAME: words[at]} if words else {}), **dict(zip(names, row, strict=False))}
        return
    inner = {key: value for key, value in table.items() if isinstance(value, dict)}
    if inner and len(inner) == len(table):
        if holds_rows(inner):
            yield from ({NAME: key, **value} for key, value in inner.items())
            return
        names = [*next(iter(inner.values()))]
        table = {key: list(value.values()) for key, value in inner.items()} | ({} if are_places(names) else {NAME: names})
    sized = {key: value for key, value in table.items() if isinstance(value, (list, np.ndarray)) and len(value)}
    flat = all(isinstance(value, np.ndarray) and value.ndim == 1 for value in sized.values())
    lengths = Counter(map(len, sized.values()))
    if flat and len(sized) == len(table) and len(lengths) > 1:
        usual = lengths.most_common(1)[0][0]
        key = next(key for key, value in sized.items() if len(value) != usual)
        raise InputError(f"{key!r} of {name} has {len(sized[key]):,} numbers, others have {usual:,}; correct that list.")
    by_columns = columns.numbered(list(sized))[1] and len(sized) < max(lengths, default=0)
    if flat and len(lengths) == 1 and not by_columns:
        yield from ({NAME: key, EMBEDDING: value} for key, value in sized.items())
        return
    n_rows = lengths.most_common(1)[0][0] if lengths else 0
    whole = {key: value for key, value in sized.items() if len(value) == n_rows}
    plain = {key: value.tolist() if isinstance(value, np.ndarray) and value.ndim == 1 else value for key, value in whole.items()}
    yield from ({key: value[at] for key, value in plain.items()} for at in range(n_rows))
