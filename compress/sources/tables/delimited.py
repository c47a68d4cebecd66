"""Tables as text: columns of numbers are the dimensions, or a column of lists the rows; a column of words names the rows."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from compress.errors import InputError
from compress.guard.rooms import put, room
from compress.sources.choice.info import Read, TensorInfo
from compress.sources.limits import check_fits
from compress.sources.tables import columns, projector, rows
from compress.sources.tables.layout import Layout, layout_of


def infos(path: Path) -> list[TensorInfo]:
    """The matrix of a text of rows, or those of its columns of lists."""
    layout = layout_of(path)
    return columns.offered(layout, layout.base.n_rows)


def read(path: Path, tensor: str | None, asked: columns.Asked = columns.JUDGED) -> Read:
    """The numbers as float32 and the names of their rows."""
    layout = layout_of(path)
    out, dims, found = columns.dimensions(layout, layout.base.n_rows, tensor, asked, path.name)
    check_fits(4 * found.shape[0] * found.shape[1], path.name)
    usual = [] if layout.token is None or layout.token in layout.numbers else [layout.token]
    token = columns.names_rows(layout, usual, dims, asked, path.name)
    values, cells = gathered(path, layout, dims, token, found.shape)
    declared = layout.base.declared
    if declared and len(values) < declared[0]:
        raise InputError(
            f"{path.name} declares {declared[0]:,} rows and has {len(values):,}; it is cut short, fetch the file again."
        )
    tokens, told = rows.decoded(cells)
    if layout.separator and all(token.endswith(" ") for token in tokens):
        tokens = [token.strip() for token in tokens]
    beside, said = columns.rest(layout, dims, out, token, asked, lambda name: column(path, name))
    of_words = not layout.named and path.suffix.lower() not in (".csv", ".tsv")
    word = "word" if of_words else columns.row_word(layout.names[token]) if token is not None and layout.named else "row"
    if token is None and (names := projector.names_beside(path, len(values), beside)) is not None:
        return Read(values, *names, said, beside)
    return Read(values, None if token is None else tokens, word, (*said, *told), beside)


def gathered(
    path: Path, layout: Layout, dims: Sequence[int], token: int | None, shape: tuple[int, ...]
) -> tuple[np.ndarray, list[rows.Names]]:
    """The numbers of some columns, or of one of lists, for all rows, and the cells of another, some at a time."""
    values = room(shape)
    cells: list[rows.Names] = []
    done = 0
    for names, block in rows.parts(path, layout, dims, token):
        if done + len(block) > len(values):
            raise InputError(f"{path.name} declares {len(values):,} rows and has more; correct its first line.")
        put(values, done, block)
        done += len(block)
        cells += [rows.lettered(names)] if names is not None else []
    return values[:done], cells


def column(path: Path, name: str) -> columns.Column:
    """One column of a table: words, "" where a cell is empty, numbers (n,) float64, NaN there, or lists (n, d) float32. Words
    are one of numbers too in which a word stands."""
    layout = layout_of(path)
    at = layout.names.index(name)
    if at not in layout.texts:
        with suppress(InputError):
            kind = np.float32 if at in layout.lists else np.float64
            found = np.concatenate([block for _, block in rows.parts(path, layout, [at], None, kind)])
            return found if at in layout.lists else found[:, 0]
    return rows.decoded([rows.lettered(cells or []) for cells, _ in rows.parts(path, layout, [], at)])[0]
