"""Rows that a matrix could do without, listed: copies, near copies, rows that a form holds worst, and empty ones."""

import json
from collections.abc import Mapping, Sequence

import numpy as np

from compress.analysis.duplicates import Groups
from compress.analysis.near_rows import cosines_of, empty
from compress.errors import InputError
from compress.files import whole_letters
from compress.matrix import EmbeddingMatrix

EQUAL, NEAR, FAR, EMPTY = WHY = ("exact duplicate", "near duplicate", "far", "empty")
Table = dict[str, np.ndarray]


def empty_rows(matrix: EmbeddingMatrix) -> np.ndarray:
    """Rows of zeros, and those so near 0 beside the others that they hold nothing, in order."""
    return np.flatnonzero(empty(matrix))


def far_rows(matrix: EmbeddingMatrix, errors: np.ndarray, count: int) -> np.ndarray:
    """The `count` rows that a form holds worst by their relative errors (n,), the worst first; empty rows are none of them."""
    rows = np.argsort(-np.where(empty(matrix), -1, errors), kind="stable")[: max(count, 0)]
    return rows[~empty(matrix)[rows]]


def listed(matrix: EmbeddingMatrix, found: Mapping[str, Groups | np.ndarray]) -> Table:
    """What was found, by why it is listed, a line a row. A row may stand there for several reasons.

    why: one of WHY. group: from 1, 0 where rows are in none. row: its number. kept: whether it is the first of its group, which
    stays. cosine: with that first row, NaN where there is none.
    """
    lines: list[Table] = []
    for why, each in found.items():
        if isinstance(each, Groups):
            rows, group, kept = each.rows, each.group + 1, each.rows == each.first
            cosines = cosines_of(matrix, rows, each.first).astype(np.float64)
        else:
            rows, group, kept = each, np.zeros(len(each), np.int64), np.zeros(len(each), bool)
            cosines = np.full(len(each), np.nan)
        reason = np.full(len(rows), why, dtype=f"<U{max(map(len, WHY))}")
        lines.append({"why": reason, "group": group, "row": rows.astype(np.int64), "kept": kept, "cosine": cosines})
    return {name: np.concatenate([each[name] for each in lines]) for name in lines[0]} if lines else {}


def spare(table: Table) -> np.ndarray:
    """The rows of a list that are not kept, in order, each once."""
    return np.unique(table["row"][~table["kept"]]) if table else np.empty(0, np.int64)


def without(matrix: EmbeddingMatrix, rows: np.ndarray) -> bytes:
    """The matrix without some rows as a safetensors file that load_matrix reads: "embedding" (m, d), "rows" (m,), which tells what
    number each had, and the names. Raises InputError where fewer than 2 rows would be left."""
    from safetensors.numpy import save

    left = np.setdiff1d(np.arange(matrix.shape[0]), rows)
    if len(left) < 2:
        raise InputError("Without them fewer than 2 rows would be left, and a matrix has 2 at least; keep more.")
    named = {"tokens": json.dumps([matrix.tokens[row] for row in left]), "row_word": matrix.row_word}
    return save({"embedding": matrix.rows[left], "rows": left}, named if matrix.has_tokens else None)


def as_file(columns: Mapping[str, Sequence | np.ndarray], ending: str) -> bytes:
    """Columns as a file, ".csv" or ".parquet": NaN is an empty cell, dates without hours are written short; half of a letter that
    takes two cannot be written, and is replaced."""
    from io import BytesIO

    from pyarrow import array, csv, parquet, table

    content = BytesIO()
    arrow = table({name: array(written(each), from_pandas=True) for name, each in columns.items()})
    csv.write_csv(arrow, content) if ending == ".csv" else parquet.write_table(arrow, content)
    return content.getvalue()


def written(cells: Sequence | np.ndarray) -> list | np.ndarray:
    """The cells as a file has them: text that is UTF-8, dates by day where none has hours."""
    if isinstance(cells, np.ndarray):
        days = cells.astype("datetime64[D]") if cells.dtype.kind == "M" else None
        return cells if days is None or not np.array_equal(days, cells, equal_nan=True) else days
    return [whole_letters(each) if isinstance(each, str) else each for each in cells]
