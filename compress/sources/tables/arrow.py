"""Arrow's arrays as NumPy's, by their buffers: pyarrow's own way loads pandas, in every process that reads a file."""

from typing import Any

import numpy as np


def in_numpy(array: Any) -> np.ndarray:
    """(n,) the numbers of an Arrow array, not copied where none is missing; else NaN there, integers as float64."""
    array = array.combine_chunks() if hasattr(array, "combine_chunks") else array
    valid, numbers = array.buffers()
    kind = np.dtype(array.type.to_pandas_dtype())
    if not len(array):
        return np.empty(0, kind)
    values = np.frombuffer(numbers, kind, len(array), array.offset * kind.itemsize)
    if not array.null_count:
        return values
    bits = np.unpackbits(np.frombuffer(valid, np.uint8), count=array.offset + len(array), bitorder="little")[array.offset :]
    return np.where(bits, values, np.asarray(np.nan, kind if kind.kind == "f" else np.float64))
