"""The numbers of a table, from the tensors that it is stored in."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from compress.errors import InputError
from compress.matrix import Stored
from compress.sources import quantized
from compress.sources.choice.info import PLAIN, TensorInfo, stored_as, unread
from compress.sources.quantized.packed import Packed

READ = {"float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8"}


class Table(NamedTuple):
    """values: (n, d). stored: as in EmbeddingMatrix."""

    values: np.ndarray
    stored: Stored | None


def table_of(
    chosen: TensorInfo,
    infos: Sequence[TensorInfo],
    stored: Callable[[str], np.ndarray],
    where: str,
    config: Callable[[], Mapping[str, Any]] = dict,
) -> Table:
    """The values of the chosen tensor, decoded where they are quantized, and how they are stored.

    infos: what the file holds, among it what the tensor may be decoded by. stored: a tensor as it lies in the file, by its name:
    an array of its shape, bytes where NumPy has no such dtype. config: the content of config.json, asked for where it may
    be needed. Raises InputError for a tensor of a dtype, or quantized in a way, that is not read.
    """
    if chosen.dtype not in PLAIN:
        packed = Packed(chosen, infos, stored, config(), where)
        try:
            decoded = quantized.read(packed)
        except InputError:
            raise
        except (ValueError, IndexError, TypeError, OverflowError, ZeroDivisionError) as error:  # of NumPy
            raise packed.refused("its tensors do not fit together") from error
        if decoded is not None:
            values, scheme = decoded
            return Table(values, Stored(scheme, packed.n_bytes))
    if chosen.dtype not in READ:
        raise unread(chosen, where)
    itemsize = 2 if chosen.dtype == "bfloat16" else np.dtype(chosen.dtype).itemsize
    return Table(stored(chosen.name), stored_as(chosen.dtype, itemsize * math.prod(chosen.shape)))
