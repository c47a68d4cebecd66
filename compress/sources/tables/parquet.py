"""Parquet tables: columns of numbers are the dimensions, or a column of lists the rows; a column of words names the rows."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from compress.errors import InputError
from compress.files import bytes_text
from compress.guard.rooms import room
from compress.sources.choice.info import Read, TensorInfo
from compress.sources.limits import check_fits, check_unpacks
from compress.sources.tables import columns
from compress.sources.tables.arrow import in_numpy

BATCH_ROWS = 4096
AT_ONCE = 200  # columns
BUFFER = 1 << 16  # bytes of a column that are read at a time, not all that a group of rows has of it
WORDS_AT_ONCE = 1 << 16  # rows of one column
UNEVEN = "The lists in {} differ in length or are missing; give every row the same columns."
NAME = 8  # bytes that the name of a row takes, where others have the same
LONGEST_NAMES = 16 << 20  # bytes that the names of a small file's rows may take


@dataclass(frozen=True)
class Layout:
    """Columns by what they hold. numbers, texts, others: their places. lists: how long the lists of a column are. judged: which
    numbers are no dimensions; odd: how others of them stand out."""

    n_rows: int
    names: tuple[str, ...]
    numbers: tuple[int, ...]
    texts: tuple[int, ...]
    lists: dict[int, int]
    others: tuple[int, ...]
    judged: tuple[int, ...]
    odd: dict[int, str]


def infos(path: Path) -> list[TensorInfo]:
    """The matrix of a parquet file, or those of its columns of lists."""
    with opened(path) as file:
        layout = layout_of(file, path)
    return columns.offered(layout, layout.n_rows)


def read(path: Path, tensor: str | None, asked: columns.Asked = columns.JUDGED) -> Read:
    """The columns of numbers, or one of lists, as float32, and the column of words that names the rows."""
    with opened(path) as file:
        layout = layout_of(file, path)
        out, dims, found = columns.dimensions(layout, layout.n_rows, tensor, asked, path.name)
        token = columns.names_rows(layout, layout.texts, dims, asked, path.name)
        n_bytes = 4 * found.shape[0] * found.shape[1] + (0 if token is None else NAME * layout.n_rows)
        check_unpacks(n_bytes, path.stat().st_size, path.name)
        check_fits(n_bytes, path.name)
        values = values_of(file, [layout.names[at] for at in dims], found.shape, bool(layout.lists), path)
        tokens = None if token is None else words_of(file, layout.names[token], path)
    beside, said = columns.rest(layout, dims, out, token, asked, lambda name: column(path, name))
    return Read(values, tokens, columns.row_word(layout.names[token]) if token is not None else "row", said, beside)


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """The file as pyarrow has it; InputError where it is not a whole parquet file, or one that unpacks to far more than it is."""
    from pyarrow import ArrowException
    from pyarrow.parquet import ParquetFile

    try:
        with ParquetFile(path, read_dictionary=words_in(path), buffer_size=BUFFER, pre_buffer=False) as file:
            groups = [file.metadata.row_group(at).total_byte_size for at in range(file.metadata.num_row_groups)]
            check_unpacks(sum(groups), path.stat().st_size, path.name)
            yield file
    except (InputError, PermissionError):
        raise
    except (ArrowException, OSError, ValueError) as error:
        raise InputError(f"{path.name} is not a whole parquet file, or a damaged one; write or fetch it again.") from error


def words_in(path: Path) -> list[str]:
    """The columns of words, of which each word is to be read once."""
    from pyarrow import types as is_a
    from pyarrow.parquet import read_schema

    return [field.name for field in read_schema(path) if is_a.is_string(field.type) or is_a.is_large_string(field.type)]


def layout_of(file: Any, path: Path) -> Layout:
    """What the columns hold, by their types and some rows."""
    from pyarrow import types as is_a

    schema = file.schema_arrow
    check_names(schema.names, path)
    numbers, texts, lists = [], [], []
    for at, field in enumerate(schema):
        kind = plain(field.type)
        if is_a.is_string(kind) or is_a.is_large_string(kind) or is_a.is_string_view(kind):
            texts.append(at)
        elif is_list(kind) and is_real(inner(kind)):
            lists.append(at)
        elif is_real(kind):
            numbers.append(at)
    if not lists and not numbers:
        raise InputError(f"{path.name} has no column of lists and none of numbers; give a table with one row of numbers a token.")
    lengths = {at: length(file, schema.names[at], path) for at in lists}
    judged, odd = ([], {}) if lists or not numbers else outsiders(file, numbers)
    if not lists:
        columns.check_lists({schema.names[at]: some_words(file, schema.names[at]) for at in texts}, path.name)
        columns.check_numbers(schema.names, numbers, judged, path.name)
    others = [at for at in range(len(schema)) if at not in {*numbers, *texts, *lists}]
    n_rows = file.metadata.num_rows
    return Layout(n_rows, tuple(schema.names), tuple(numbers), tuple(texts), lengths, tuple(others), tuple(judged), odd)


def check_names(names: list[str], path: Path) -> None:
    """InputError where two columns have one name."""
    if len(set(names)) < len(names):
        raise InputError(f"{path.name} has two columns of one name; give each column its own.")


def some_words(file: Any, name: str) -> list[str]:
    """The first cells of a column of words."""
    batch = next(iter(file.iter_batches(columns.FEW, columns=[name])), None)
    return cells_of(batch.column(0)) if batch is not None else []


def cells_of(column: Any) -> list[Any]:
    """The cells of a column, a word that occurs several times made once."""
    from pyarrow import types

    if not types.is_dictionary(column.type):
        return column.to_pylist()
    if 2 * len(column.dictionary) > len(column):
        return column.dictionary_decode().to_pylist()
    each = column.dictionary.to_pylist()
    return [None if at is None else each[at] for at in column.indices.to_pylist()]


def plain(kind: Any) -> Any:
    """A type without what it is packed or dressed in."""
    from pyarrow import types as is_a

    kind = kind.value_type if is_a.is_dictionary(kind) else kind
    return getattr(kind, "storage_type", kind)


def decoded(column: Any) -> Any:
    """A column without a dictionary."""
    from pyarrow import types as is_a

    return column.dictionary_decode() if is_a.is_dictionary(column.type) else column


def is_real(kind: Any) -> bool:
    """Whether a type is one of numbers."""
    from pyarrow import types as is_a

    return is_a.is_floating(kind) or is_a.is_integer(kind) or is_a.is_decimal(kind)


def is_list(kind: Any) -> bool:
    """Whether a type is one of lists."""
    from pyarrow import types as is_a

    return any(is_one(kind) for is_one in (is_a.is_list, is_a.is_large_list, is_a.is_fixed_size_list, is_a.is_list_view))


def inner(kind: Any) -> Any:
    """What lists of lists hold in the end."""
    while is_list(kind):
        kind = kind.value_type
    return kind


def length(file: Any, name: str, path: Path) -> int:
    """How long the lists of a column are, by its first one that is there."""
    for batch in file.iter_batches(1, columns=[name]):
        if batch.column(0).null_count == 0:
            return len(flat(batch.column(0)))
    raise InputError(UNEVEN.format(path.name))


def flat(column: Any) -> Any:
    """The numbers of lists, or of lists of lists, one after another."""
    column = getattr(column, "storage", column)
    while is_list(column.type):
        column = column.flatten()
    return column


def outsiders(file: Any, numbers: list[int]) -> tuple[list[int], dict[int, str]]:
    """The columns of numbers that are no dimensions, and those that stand out, by rows of the beginning, the middle and the end."""
    from pyarrow import types as is_a

    schema, n_groups = file.schema_arrow, file.metadata.num_row_groups
    names = [schema.names[at] for at in numbers]
    found, rows = [], []
    n_rows = columns.sampled(1000, len(names))
    for place, group in enumerate(sorted({0, n_groups // 2, n_groups - 1} & {*range(n_groups)})):
        held = [
            np.stack([numbers_of(column).astype(np.float64) for column in batch.columns], axis=1)
            for part in some(names)
            if (batch := next(iter(file.iter_batches(n_rows, row_groups=[group], columns=part)), None)) is not None and len(batch)
        ]
        if held:
            found.append(np.hstack(held))
            rows.append(np.arange(len(found[-1])) + (place << 40))
    if not found:
        return [], {}
    typed = np.array([is_a.is_integer(schema.field(at).type) for at in numbers])
    return columns.judge(columns.Sample(np.concatenate(found), np.concatenate(rows), typed, names), numbers)


def numbers_of(column: Any) -> np.ndarray:
    """A column as numbers, NaN where a cell is empty."""
    from pyarrow import compute, float64, types

    if types.is_decimal(column.type):
        column = compute.cast(column, float64())
    return in_numpy(decoded(column))


def values_of(file: Any, names: list[str], shape: tuple[int, ...], of_lists: bool, path: Path) -> np.ndarray:
    """(n, d) float32, the numbers of some columns, or of the lists of one."""
    values = room(shape)
    for first, part in enumerate(some(names)):
        done = 0
        for batch in file.iter_batches(rows_at_once(shape[1]), columns=part):
            here = values[done : done + len(batch)]
            if len(here) < len(batch):
                raise InputError(f"{path.name} holds more rows than it declares; write it again.")
            if of_lists:
                here[:] = rows_of_lists(batch.column(0), shape[1], path)
            else:
                for at, name in enumerate(part, start=first * AT_ONCE):
                    here[:, at] = numbers_of(batch.column(name))
            done += len(batch)
    return values[:done]


def some(names: list[str]) -> list[list[str]]:
    """The columns, as many at a time as are read at once: each takes memory of its own."""
    return [names[at : at + AT_ONCE] for at in range(0, len(names), AT_ONCE)]


def rows_at_once(dim: int) -> int:
    """Rows that are read at a time: some megabytes."""
    return max(1, min(BATCH_ROWS, (4 << 20) // max(1, dim)))


def rows_of_lists(column: Any, dim: int, path: Path) -> np.ndarray:
    """(rows, dim) the lists of one column, which must be of one length."""
    from pyarrow import compute

    column = getattr(column, "storage", column)
    bounds = compute.min_max(compute.list_value_length(column)).as_py()
    numbers = flat(column)
    if column.null_count or bounds["min"] != bounds["max"] or len(numbers) != dim * len(column):
        raise InputError(UNEVEN.format(path.name))
    return numbers_of(numbers).reshape(len(column), dim)


def words_of(file: Any, name: str, path: Path) -> list[str]:
    """The cells of a column as words, each kept once however often it occurs; of what is empty, "None"."""
    return [word for cells in texts_in(file, name, path) for word in map(str, cells)]


def texts_in(file: Any, name: str, path: Path) -> Iterator[list[Any]]:
    """The cells of a column, some thousand words at a time, each made once where it often occurs."""
    from pyarrow import compute, types

    size = 0
    most = max(LONGEST_NAMES, 100 * path.stat().st_size)
    for batch in file.iter_batches(WORDS_AT_ONCE, columns=[name]):
        column = batch.column(0)
        if types.is_dictionary(column.type) and not types.is_boolean(column.type.value_type):
            lengths = compute.take(compute.binary_length(column.dictionary), column.indices)
            size += compute.sum(lengths).as_py() or 0
            if size > most:
                raise InputError(f"The names of rows in {path.name} take more than {bytes_text(most)}; give rows shorter names.")
        yield cells_of(column)


def told_of(path: Path, n_rows: int) -> columns.Told:
    """The columns of a table that tells of so many rows. Raises InputError where it has another number of them."""
    from pyarrow import types as is_a

    with opened(path) as file:
        schema, n = file.schema_arrow, file.metadata.num_rows
        if n != n_rows:
            raise columns.uneven(n, n_rows, path.name)
        check_names(schema.names, path)
        kinds = {field.name: plain(field.type) for field in schema}
        texts = [name for name, kind in kinds.items() if is_a.is_string(kind) or is_a.is_large_string(kind)]
    return columns.Told(tuple(kinds), tuple(texts))


def column(path: Path, name: str) -> columns.Column:
    """One column of a table: words, "" where a cell is empty, numbers (n,) float64, NaN there, or lists (n, d) float32. Dates and
    whatever else is neither are words, as Arrow writes them."""
    from pyarrow import types as is_a

    with opened(path) as file:
        kind, n_rows = plain(file.schema_arrow.field(name).type), file.metadata.num_rows
        if is_list(kind) and is_real(inner(kind)):
            return values_of(file, [name], (n_rows, length(file, name, path)), True, path)
        check_fits(8 * n_rows, path.name)
        if is_real(kind):
            found = [numbers_of(batch.column(0)) for batch in file.iter_batches(WORDS_AT_ONCE, columns=[name])]
            return np.concatenate([np.empty(0), *found])
        if is_a.is_temporal(kind) and not is_a.is_duration(kind):
            batches = file.iter_batches(WORDS_AT_ONCE, columns=[name])
            return [cell or "" for batch in batches for cell in decoded(batch.column(0)).cast("string").to_pylist()]
        return ["" if cell is None else str(cell) for cells in texts_in(file, name, path) for cell in cells]
