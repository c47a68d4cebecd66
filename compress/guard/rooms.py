"""Memory for what is read: of this process, or of a file that another process maps."""

import mmap
import os
import tempfile
from collections.abc import Callable
from typing import Any

import numpy as np

made: list[tuple[int, int, int]] = []  # address, bytes and file of every shared room


def room(shape: tuple[int, ...], dtype: Any = np.float32, order: Any = "C") -> np.ndarray:
    """An array to be filled: the one that a reader gives in the end, which is then copied no more."""
    return make(shape, dtype, order)


make: Callable[..., np.ndarray] = np.empty  # what a room is made by in this process


def shared(shape: tuple[int, ...], dtype: Any, order: Any) -> np.ndarray:
    """One whose memory is a file's."""
    n_bytes = int(np.prod(shape, dtype=object)) * np.dtype(dtype).itemsize
    if not n_bytes:
        return np.empty(shape, dtype, order)
    file = nameless()
    os.truncate(file, n_bytes)
    array = np.frombuffer(mmap.mmap(file, n_bytes), dtype).reshape(shape, order=order)
    made.append((array.ctypes.data, n_bytes, file))
    return array


def put(values: np.ndarray, first: int, rows: np.ndarray) -> None:
    """Writes rows into a room, from its first one on that is given. A file is written to: the system then makes its pages with what
    they hold, where those that are mapped are made empty, one at a time, as each is touched."""
    here = values[first : first + len(rows)]
    start, found = here.ctypes.data, [each for each in made if each[0] <= values.ctypes.data < each[0] + each[1]]
    if not found or not here.flags.c_contiguous:
        here[...] = rows
        return
    address, _, file = found[0]
    content = np.ascontiguousarray(rows, values.dtype).reshape(-1).view(np.uint8).data
    while content:
        done = os.pwrite(file, content, start - address)
        content, start = content[done:], start + done


def nameless() -> int:
    """A file without a name, in memory where the system has such, which is gone when nobody has it open."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("flatland")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())
