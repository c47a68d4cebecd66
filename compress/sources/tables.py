"""Tables: parquet and CSV or TSV. Numeric columns are the dimensions, one column of text names the rows."""

import csv
from pathlib import Path
from typing import Any

import numpy as np

from compress.errors import InputError
from compress.sources.info import Read, TensorInfo, pick
from compress.sources.limits import check_fits
from compress.sources.text import count_lines

TOKEN_COLUMNS = {"", "token", "tokens", "word", "words", "id", "index", "name", "label", "key", "__index_level_0__"}
TOLD = {"token": "token", "tokens": "token", "word": "word", "words": "word"}  # what the names in a column of that name are
MISSING = ["", "NA", "N/A", "nan", "NaN", "null", "NULL", "None"]
BATCH_ROWS = 4096
UNEVEN = "The lists in {} differ in length or are missing; give every row the same columns."


def infos_csv(path: Path) -> list[TensorInfo]:
    """The one matrix of a CSV or TSV file."""
    _, _, dims, names = columns_of(path)
    return [TensorInfo("embedding", (count_lines(path) - (names is not None), len(dims)), "float32")]


def read_csv(path: Path, tensor: str | None) -> Read:
    """The columns of numbers as float32, and the column of text as tokens."""
    import pandas as pd

    separator, text, dims, names = columns_of(path)
    found = infos_csv(path)
    pick(found, tensor, path.name)
    check_fits(8 * found[0].shape[0] * len(dims), path.name)
    try:
        table = pd.read_csv(
            path,
            sep=separator,
            header=None,
            skiprows=int(names is not None),
            dtype={column: str if column == text else np.float32 for column in range(len(dims) + (text is not None))},
            keep_default_na=False,
            na_values={column: MISSING for column in dims},
        )
    except (ValueError, OverflowError) as error:  # pandas' own parsing errors are ValueErrors
        raise InputError(
            f"{path.name} is not a regular table of numbers ({' '.join(str(error).split())[:200]}); correct that place."
        ) from error
    tokens = None if text is None else table[text].tolist()
    return Read(table[dims].to_numpy(np.float32), tokens, row_word(names[text] if names and text is not None else ""))


def row_word(column: str) -> str:
    """What the names in a column are, by the name that it has itself."""
    return TOLD.get(column.strip().lower(), "row")


def columns_of(path: Path) -> tuple[str, int | None, list[int], list[str] | None]:
    """The separator, the column of tokens, the columns of numbers, and the names of the columns where the first line has them."""
    with open(path, encoding="utf-8-sig", newline="") as file:
        try:
            sample = file.readline(10_000_000) + file.readline(10_000_000)
        except UnicodeDecodeError as error:
            raise InputError(f"{path.name} is not UTF-8 text; convert the file to UTF-8.") from error
    if not sample.strip():
        raise InputError(f"{path.name} is empty; give a table with one row of numbers a token.")
    separator = max("\t,;", key=sample.count)
    try:
        first, *rest = csv.reader(sample.splitlines(), delimiter=separator)
    except (csv.Error, ValueError) as error:
        raise InputError(f"{path.name} is not a table of numbers; check the file and its extension.") from error
    numeric = [is_number(cell) for cell in first]
    counted = [cell for cell, number in zip(first, numeric, strict=True) if number]
    has_names = bool(rest) and (sum(numeric) < 2 <= sum(map(is_number, rest[0])) or not any(numeric))
    has_names |= bool(rest) and len(counted) > 1 and counted in numbered(len(counted))
    row = rest[0] if has_names else first
    text = [at for at, cell in enumerate(row) if not (is_number(cell) or cell in MISSING)]
    if has_names and not text and first[0].strip().lower() in TOKEN_COLUMNS:
        text = [0]
    if len(text) > 1:
        raise InputError(f"{path.name} has {len(text)} columns of text; keep one for the tokens, the others must be numbers.")
    dims = [at for at in range(len(row)) if at not in text]
    if not dims:
        raise InputError(f"{path.name} has no columns of numbers; give a table with one row of numbers a token.")
    return separator, text[0] if text else None, dims, first if has_names else None


def numbered(n: int) -> tuple[list[str], list[str]]:
    """Column names 0 … n−1 and 1 … n, which look like numbers and are not."""
    return [str(i) for i in range(n)], [str(i) for i in range(1, n + 1)]


def is_number(cell: str) -> bool:
    """Whether a cell reads as a number."""
    try:
        float(cell)
    except ValueError:
        return False
    return True


def infos_parquet(path: Path) -> list[TensorInfo]:
    """The one matrix of a parquet file, from the file's own account."""
    with opened(path) as file:
        _, dims, lists = fields_of(file, path)
        n_rows = file.metadata.num_rows
        dim = n_numbers(file, lists) // max(1, n_rows) if lists else len(dims)
    return [TensorInfo("embedding", (n_rows, dim), "float32")]


def read_parquet(path: Path, tensor: str | None) -> Read:
    """The columns of numbers, or the one of lists, as float32, and the column of text as tokens."""
    from pyarrow import ArrowException

    pick(infos_parquet(path), tensor, path.name)
    try:
        with opened(path) as file:
            text, dims, lists = fields_of(file, path)
            n_rows = file.metadata.num_rows
            check_fits(8 * (n_numbers(file, lists) if lists else n_rows * len(dims)), path.name)
            tokens, blocks = [], []
            for batch in file.iter_batches(BATCH_ROWS, columns=[*dims, *([text] if text else [])]):
                blocks.append(rows_of_lists(batch[lists], path) if lists else rows_of_columns(batch, dims))
                tokens += [str(token) for token in batch[text].to_pylist()] if text else []
            if len({block.shape[1] for block in blocks}) > 1:
                raise InputError(UNEVEN.format(path.name))
            return Read(np.concatenate(blocks), tokens if text else None, row_word(text or ""))
    except InputError:
        raise
    except (ArrowException, OSError, ValueError) as error:
        raise InputError(f"{path.name} is a damaged parquet file; write or fetch it again.") from error


def opened(path: Path) -> Any:
    """The file as pyarrow has it; InputError where it is not a whole parquet file."""
    from pyarrow import ArrowException
    from pyarrow.parquet import ParquetFile

    try:
        return ParquetFile(path)
    except (ArrowException, OSError, ValueError) as error:
        if isinstance(error, PermissionError):
            raise
        raise InputError(f"{path.name} is not a whole parquet file; write or fetch it again.") from error


def fields_of(file: Any, path: Path) -> tuple[str | None, list[str], str | None]:
    """The column of tokens, the columns of numbers, and the column of lists where rows are lists."""
    from pyarrow import types as is_a

    def is_real(kind: Any) -> bool:
        return is_a.is_floating(kind) or is_a.is_integer(kind)

    names = file.schema_arrow.names
    if len(set(names)) < len(names):
        raise InputError(f"{path.name} has two columns of one name; give each column its own.")
    text, dims, lists = [], [], []
    for field in file.schema_arrow:
        kind = field.type.value_type if is_a.is_dictionary(field.type) else field.type
        if is_a.is_string(kind) or is_a.is_large_string(kind):
            text.append(field.name)
        elif is_a.is_list(kind) or is_a.is_large_list(kind) or is_a.is_fixed_size_list(kind):
            lists += [field.name] if is_real(kind.value_type) else []
        elif is_a.is_floating(kind) or (is_a.is_integer(kind) and field.name.lower() not in TOKEN_COLUMNS):
            dims.append(field.name)
    if len(text) > 1:
        raise InputError(f"{path.name} has {len(text)} columns of text ({', '.join(text[:5])}); keep the one with the tokens.")
    if len(lists) > 1 or not (lists or dims):
        raise InputError(f"{path.name} has {len(lists)} columns of lists and {len(dims)} of numbers; keep one kind, one matrix.")
    return text[0] if text else None, lists or dims, lists[0] if lists else None


def n_numbers(file: Any, column: str) -> int:
    """How many numbers the lists of a column hold together, by the file's own account."""
    groups = [file.metadata.row_group(i) for i in range(file.metadata.num_row_groups)]
    parts = [group.column(i) for group in groups for i in range(group.num_columns)]
    return sum(part.num_values for part in parts if part.path_in_schema.startswith(f"{column}."))


def rows_of_columns(batch: Any, dims: list[str]) -> np.ndarray:
    """(rows, d) float32 of columns of numbers."""
    return np.stack([batch[name].to_numpy(zero_copy_only=False).astype(np.float32) for name in dims], axis=1)


def rows_of_lists(column: Any, path: Path) -> np.ndarray:
    """(rows, d) the lists of one column, which must be of one length."""
    from pyarrow.compute import list_value_length

    lengths = set(list_value_length(column).to_pylist())
    if len(lengths) > 1 or None in lengths:
        raise InputError(UNEVEN.format(path.name))
    flat = column.flatten().to_numpy(zero_copy_only=False)
    return flat.astype(np.float32).reshape(len(column), -1)
