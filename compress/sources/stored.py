"""The numbers of a table, from the tensors that it is stored in."""

from collections.abc import Callable, Sequence

import numpy as np

from compress.sources.info import TensorInfo, unread

READ = {"float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8"}


def table_of(chosen: TensorInfo, infos: Sequence[TensorInfo], stored: Callable[[str], np.ndarray], where: str) -> np.ndarray:
    """The values (n, d) of the chosen tensor.

    infos: what the file holds, among it what the tensor may be decoded by. stored: a tensor as it lies in the file, by its name:
    an array of its shape, bytes where NumPy has no such dtype. Raises InputError for a tensor of a dtype that is not read.
    """
    if chosen.dtype not in READ:
        raise unread(chosen, where)
    return stored(chosen.name)
