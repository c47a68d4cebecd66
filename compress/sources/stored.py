"""The numbers of a table, from the tensors that it is stored in."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from compress.matrix import Stored
from compress.sources.info import TensorInfo, stored_as, unread

READ = {"float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8"}


class Table(NamedTuple):
    """values: (n, d). stored: as in EmbeddingMatrix."""

    values: np.ndarray
    stored: Stored | None


def table_of(chosen: TensorInfo, infos: Sequence[TensorInfo], stored: Callable[[str], np.ndarray], where: str) -> Table:
    """The values of the chosen tensor, and how they are stored.

    infos: what the file holds, among it what the tensor may be decoded by. stored: a tensor as it lies in the file, by its name:
    an array of its shape, bytes where NumPy has no such dtype. Raises InputError for a tensor of a dtype that is not read.
    """
    if chosen.dtype not in READ:
        raise unread(chosen, where)
    itemsize = 2 if chosen.dtype == "bfloat16" else np.dtype(chosen.dtype).itemsize
    return Table(stored(chosen.name), stored_as(chosen.dtype, itemsize * math.prod(chosen.shape)))
