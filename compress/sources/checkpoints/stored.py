"""The numbers of a table, from the tensors that it is stored in."""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from compress.errors import InputError
from compress.files import read_json
from compress.linalg.lazy import LazyRows
from compress.matrix import Stored
from compress.sources import quantized
from compress.sources.choice.info import TensorInfo, stored_as, unread
from compress.sources.quantized.packed import Packed

READ = {"float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8"}


class Table(NamedTuple):
    """values: (n, d). stored: as in EmbeddingMatrix."""

    values: np.ndarray | LazyRows
    stored: Stored | None


def table_of(
    chosen: TensorInfo,
    infos: Sequence[TensorInfo],
    stored: Callable[[str], Any],
    where: str,
    config: Callable[[], Mapping[str, Any]] = dict,
) -> Table:
    """The values of the chosen tensor, decoded where they are quantized, and how they are stored.

    infos: what the file holds, among it what the tensor may be decoded by. stored: a tensor as it lies in the file, by its name:
    an array of its shape, bytes where NumPy has no such dtype. config: the content of config.json, asked for where it may
    be needed. Raises InputError for a tensor of a dtype, or quantized in a way, that is not read.
    """
    if (table := decoded(chosen, infos, stored, where, config)) is not None:
        return table
    if chosen.dtype not in READ:
        raise unread(chosen, where)
    itemsize = 2 if chosen.dtype == "bfloat16" else np.dtype(chosen.dtype).itemsize
    return Table(stored(chosen.name), stored_as(chosen.dtype, itemsize * math.prod(chosen.shape)))


def decoded(
    chosen: TensorInfo,
    infos: Sequence[TensorInfo],
    stored: Callable[[str], np.ndarray],
    where: str,
    config: Callable[[], Mapping[str, Any]] = dict,
) -> Table | None:
    """The same of a tensor whose numbers stand for others; None where nothing says that they do."""
    if not chosen.packed:
        return None
    packed = Packed(chosen, infos, stored, config(), where)
    try:
        found = quantized.read(packed)
    except InputError:
        raise
    except (ValueError, IndexError, TypeError, OverflowError, ZeroDivisionError) as error:  # of NumPy
        raise packed.refused("its tensors do not fit together") from error
    return None if found is None else Table(found[0], Stored(found[1], packed.n_bytes))


def parts_beside(path: Path, chosen: TensorInfo, index: str) -> dict[str, Path]:
    """Where the tensors lie that are beside a packed one in the model and in another of its files, by the index beside the file."""
    if not chosen.packed or not path.with_name(index).is_file():
        return {}
    content = read_json(path.with_name(index))
    weight_map = content.get("weight_map") if isinstance(content, dict) else None
    stem = f"{chosen.name.rpartition('.')[0]}."
    parts = {
        name: path.with_name(file)
        for name, file in (weight_map.items() if isinstance(weight_map, dict) else ())
        if name.startswith(stem) and isinstance(file, str) and file == Path(file).name != path.name
    }
    return {name: part for name, part in parts.items() if part.is_file()}
