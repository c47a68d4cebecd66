"""Where a matrix comes from: the demos, points made by code, a file, a folder, a model on the hub."""

import os
import re
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from glob import escape
from pathlib import Path
from typing import Any

import numpy as np

from compress.errors import InputError, reading, unreadable
from compress.files import whole_letters
from compress.guard import budget
from compress.guard.apart import apart
from compress.guard.rooms import put, room
from compress.linalg.lazy import LazyRows, Table
from compress.matrix import EmbeddingMatrix
from compress.sources import demo, documentation, glove, hub, model_folder, smollm2, toy
from compress.sources.beside import column as column_beside
from compress.sources.beside import with_columns
from compress.sources.checkpoints.safetensors_file import save_matrix
from compress.sources.choice.info import Read, TensorInfo
from compress.sources.choice.vocabulary import are_labels
from compress.sources.in_place import unmapped
from compress.sources.kinds import opened
from compress.sources.limits import check_fits
from compress.sources.order import check_order
from compress.sources.tables.columns import JUDGED, Asked, Column, Columns
from compress.sources.toy import planted
from compress.sources.weights import UNIFORM, row_weights

__all__ = ["TensorInfo", "load_matrix", "planted", "save_matrix", "tensors"]

HUB = "hub:"
MADE: dict[str, Any] = {  # what is there without a file
    "demo": demo,
    "demo:smollm2": smollm2,
    "demo:glove": glove,
    documentation.SOURCE: documentation,
    "toy": toy,
}
OF_FILES = ("counts:", "column:")  # row weights that a file tells
SLOWER = 20  # times as long as other reading takes what counts tokens in a text
BLOCK = 1 << 18  # entries that are converted at a time
TOKEN = 64  # bytes of memory that a name of a row takes, about
WITH_MODEL = {"demo": demo, "demo:smollm2": smollm2}


def load_matrix(
    source: str | os.PathLike,
    *,
    tensor: str | None = None,
    weights: str = UNIFORM,
    device: str = "cpu",
    left_out: Sequence[str] | None = None,
    names: str | None = None,
    columns: str | os.PathLike | None = None,
    guarded: bool = False,
) -> EmbeddingMatrix:
    """The matrix of a source, with its tokens where it has them.

    source: "demo", "demo:smollm2", "demo:glove", "demo:docs", "toy", the path of a file, the folder of a transformers model,
        "hub:org/name" or "hub:org/name@revision".
    tensor: which 2-D tensor to take where there are several; the most embedding-like one for None.
    weights: of the rows: "uniform", "order:0.6", "counts:TEXTFILE", "scripts:Latin" or "column:FILE", see compress.sources.weights.
    left_out: which columns of numbers of a table are not in the matrix, by name; those that look like no dimensions for None.
    names: which column of a table names its rows; the one of text that looks most like it for None.
    columns: a second file, a table with a row for each of the matrix: its columns are then the matrix's too, see `matrix.columns`.
    guarded: whether it is read in a process of its own, which is ended where it takes more time or memory than the size of the
        source allows, see compress.guard; for what others made. What this program brings itself needs none.
    Nothing in a file is ever run. Raises InputError with one plain sentence where the source cannot be used.
    """
    asked = Asked(None if left_out is None else tuple(left_out), names, None if columns is None else os.fspath(columns))
    with budget.sharing() as share, reading(source if isinstance(source, str | os.PathLike) else repr(source)):
        if guarded and not (is_made(source) and columns is None):
            size = None if is_on_hub(source) else (size_of(source) or 0) + (size_of(columns) or 0 if columns else 0)
            read, name = apart(read_of, source, tensor, asked, name=named(source), size=size, share=share)
            if isinstance(read.columns, Columns):
                read.columns.read_by(partial(column_apart, source, read.columns.elsewhere, len(read.values)))
        else:
            read, name = read_of(source, tensor, asked)
        try:
            word = "row" if are_labels(read.tokens or ()) else read.row_word
            matrix = EmbeddingMatrix(read.values, read.tokens, None, name, device, word, read.notes, read.columns, read.stored)
        except InputError as error:
            raise InputError(f"{name}: {error}") from error
        owner = owner_of(read.values) if isinstance(read.values, np.ndarray) else read.values
        mapped = isinstance(owner, np.memmap | LazyRows)
        in_memory = share.handed or (0 if mapped else 4 * matrix.shape[0] * matrix.shape[1])
        share.keep(in_memory + TOKEN * len(read.tokens or ()), owner)
        return matrix if weights == UNIFORM else matrix.with_weights(weights_of(source, weights, matrix, guarded=guarded))


def read_of(source: str | os.PathLike, tensor: str | None, asked: Asked) -> tuple[Read, str]:
    """What a source gives, its values in float32 and its tokens as they can be written, and the name of the matrix."""
    reader, where, name = located(source)
    own = replace(asked, columns=None)
    if asked.columns is not None and asked.names is not None:
        own = replace(own, names=None)  # which may be a column of the second file
    if own != JUDGED and getattr(reader, "column", None) is None:
        told = "to leave out" if own.names is None else "to name its rows by"
        raise InputError(f"{name} is no table, so it has no columns {told}.")
    with reading(where):
        read = taken(reader, where, tensor, own)
        if asked.columns is not None:
            second = Path(asked.columns).expanduser()
            names = asked.names
            if names is not None and isinstance(read.columns, Columns) and names in read.columns.naming:
                read, names = taken(reader, where, tensor, replace(own, names=names)), None
            read = with_columns(read, second, names)
        stored = [read.stored.words(read.values.shape)] if read.stored else []
        values, tokens = in_float32(read.values, name, stays=stays(source, where)), whole_text(read.tokens)
        return read._replace(values=values, tokens=tokens, notes=(*stored, *read.notes)), name


def taken(reader: Any, where: Any, tensor: str | None, asked: Asked) -> Read:
    """What a reader gives, asked of the columns only where a person says something of them."""
    return reader.read(where, tensor) if asked == JUDGED else reader.read(where, tensor, asked)


def column_of(source: str | os.PathLike, elsewhere: Mapping[str, tuple[str, str]], n_rows: int, name: str) -> Column:
    """A column that is not in the matrix of so many rows: of its table, or of a second file. elsewhere: of those of such, the
    file and what it is called there."""
    if name in elsewhere:
        file, there = elsewhere[name]
        with reading(file):
            return column_beside(Path(file), n_rows, there)
    reader, where, _ = located(source)
    with reading(where):
        if reader is model_folder:
            reader, where = opened(model_folder.only_matrix(where))
        return reader.column(where, name)


def column_apart(source: str | os.PathLike, elsewhere: Mapping[str, tuple[str, str]], n_rows: int, name: str) -> Column:
    """The same, read in a process of its own."""
    file = elsewhere[name][0] if name in elsewhere else source
    with budget.sharing() as share:
        return apart(column_of, source, elsewhere, n_rows, name, name=named(file), size=size_of(file), share=share)


def owner_of(values: np.ndarray) -> np.ndarray:
    """The array that the memory of another goes with."""
    while isinstance(values.base, np.ndarray):
        values = values.base
    return values


def weights_of(source: str | os.PathLike, spec: str, matrix: EmbeddingMatrix, *, guarded: bool = False) -> np.ndarray:
    """Row weights (n_rows,) of a source's matrix, not scaled, see compress.sources.weights; by the source's own tokenizer where it
    has one. Raises InputError as `row_weights` does, and where the order of the rows tells nothing of their use."""
    reader, where, _ = located(source)
    mapping = reader.mapping(where) if reader in (hub, model_folder) else None
    tokens = matrix.tokens if matrix.has_tokens else None
    folder = tokenizer_folder(source)
    given = (spec, matrix.shape[0], tokens, folder, mapping)
    if guarded and spec.startswith(OF_FILES):
        file = told_in(spec)
        size = SLOWER * (size_of(file) or 0) + (size_of(folder) or 0 if folder else 0)
        with budget.sharing() as share:
            weights = apart(row_weights, *given, name=named(file), size=size, share=share)
    else:
        weights = row_weights(*given)
    if spec.startswith("order:"):
        check_order(matrix)
    return weights


def told_in(spec: str) -> str:
    """The file that tells row weights."""
    file = spec.partition(":")[2]
    return file if Path(file).expanduser().is_file() else file.rpartition(":")[0] or file


def is_installed(source: str) -> bool:
    """Whether a source that stands in MADE can be opened; `make demos` installs what is not there with the requirements."""
    return source == "toy" or MADE[source].installed()


def tensors(source: str | os.PathLike, *, guarded: bool = False) -> list[TensorInfo]:
    """The 2-D tensors a source offers, embedding-like ones first, from its headers alone. guarded: as in load_matrix."""
    if guarded and not is_made(source):
        with budget.sharing() as share:
            return apart(tensors, source, name=named(source), size=size_of(source), share=share)
    reader, where, _ = located(source)
    with reading(where):
        return reader.infos(where)


def is_made(source: str | os.PathLike) -> bool:
    """Whether a source is one that this program brings itself."""
    return isinstance(source, str) and source in MADE


def named(source: str | os.PathLike) -> str:
    """What a source is called in messages."""
    return str(source).removeprefix(HUB) if is_on_hub(source) else Path(source).name


def is_on_hub(source: str | os.PathLike) -> bool:
    return isinstance(source, str) and source.startswith(HUB)


def size_of(source: str | os.PathLike) -> int | None:
    """Bytes of the file of a source with its parts beside it, or of all files in its folder; None for what is fetched."""
    if is_on_hub(source):
        return None
    with suppress(OSError, RuntimeError, ValueError):
        path = Path(source).expanduser()
        parts = path.iterdir() if path.is_dir() else path.parent.glob(f"{escape(re.split('[-.]', path.name)[0])}*")
        return sum(each.stat().st_size for each in parts if each.is_file())
    return 0


def config_folder(source: str | os.PathLike) -> Path | None:
    """Where the config of a source's model lies, if it has one: with the model, in the cache for a model on the hub."""
    reader, where, _ = located(source)
    if reader is model_folder:
        return model_folder.home_of(where)
    return hub.config_folder(where) if reader is hub else tokenizer_folder(source)


def tokenizer_folder(source: str | os.PathLike) -> Path | None:
    """Where the tokenizer of a source lies, if it has one: beside the model, in the cache for a model on the hub."""
    reader, where, _ = located(source)
    if reader in WITH_MODEL.values():
        return reader.model_folder()
    if reader is hub:
        return hub.kept_folder(where)
    return model_folder.vocabulary_folder(where) if reader is model_folder else None


def located(source: str | os.PathLike) -> tuple[Any, Any, str]:
    """What reads a source, what it is given, and the name of the matrix."""
    if is_made(source):
        return MADE[str(source)], source, str(source).removeprefix("demo:")
    if is_on_hub(source):
        model = str(source).removeprefix(HUB)
        return hub, model, model
    try:
        path = Path(source).expanduser()
        if path.is_dir():
            return model_folder, path, path.resolve().name
        if path.is_file():
            return *opened(path), path.name
        path.stat()
    except InputError:
        raise
    except FileNotFoundError as error:
        raise InputError(f"There is nothing at {source}; check the path, or write hub:org/name.") from error
    except OSError as error:
        raise unreadable(source, error) from error
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"{source!r} is not a path; give demo, toy, a file, a folder or hub:org/name.") from error
    raise InputError(f"{source} is neither a file nor a folder; give the path of one.")


def stays(source: str | os.PathLike, where: Any) -> bool:
    """Whether a source's file is a person's own, which stays there: neither one that was unpacked nor one of the hub's cache."""
    return isinstance(where, Path) and where == Path(source).expanduser()


def in_float32(values: Table, name: str, *, stays: bool = False) -> Table:
    """The values as aligned float32 rows; as they are, mapped ones too, where they are that already; those of a large table are
    left in their file where that stays."""
    if stays and (rows := values if isinstance(values, LazyRows) else unmapped(values)) is not None:
        return rows
    if isinstance(values, LazyRows):
        values = values.whole()
    if values.dtype == np.float32 and values.flags.c_contiguous and values.flags.aligned:
        return values
    check_fits(4 * values.size, name)
    found = room(values.shape)
    step = max(1, BLOCK // max(1, values[:1].size))
    with np.errstate(over="ignore"):
        for first in range(0, len(values), step):
            put(found, first, values[first : first + step])
    return found


def whole_text(tokens: list[str] | None) -> list[str] | None:
    """The tokens with lone surrogates replaced: those cannot be written as UTF-8, so nothing could show them."""
    if tokens is None:
        return None
    try:
        deque(map(str.encode, tokens), maxlen=0)  # not as one text, which would take their memory again
    except UnicodeEncodeError:
        return [*map(whole_letters, tokens)]
    return tokens
