"""Arrays handed from one process to another in files that both map: those that they lie in already, or memory made for them."""

import io
import mmap
import os
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from compress.guard import rooms

FUNCTIONS = {("numpy._core.numeric", "_frombuffer"), ("numpy.core.numeric", "_frombuffer"), ("numpy", "dtype")}
ALIGNED = 64  # bytes that arrays begin at multiples of

Place = tuple[int, int, int]  # the number of a file, the byte that an array begins at, and how many it takes


def packed(value: Any) -> tuple[list[int], list[Place], int]:
    """What stands for a value elsewhere: files, where in them the value itself, first, and its arrays lie, and how many bytes it
    takes in memory. Arrays are copied only where no file has them."""
    arrays: list[memoryview] = []
    stream = io.BytesIO()
    Pickler(stream, 5, buffer_callback=lambda each: arrays.append(each.raw())).dump(value)
    rest = rooms.nameless()
    files, places, n_bytes = [rest], [], 0
    end = os.pwrite(rest, stream.getbuffer(), 0)
    places.append((0, 0, end))
    for array in arrays:
        address, n = (np.frombuffer(array, np.uint8).ctypes.data, array.nbytes) if array.nbytes else (0, 0)
        found = in_room(address, n)
        n_bytes += n if found else 0
        found = found or in_file(address, n)
        if found is None:
            end += -end % ALIGNED
            found = rest, end
            for at in range(0, n, 1 << 30):  # the most that one call writes is a little more
                end += os.pwrite(rest, array[at : at + (1 << 30)], end)
            n_bytes += n
        if found[0] not in files:
            files.append(found[0])
        places.append((files.index(found[0]), found[1], n))
    return files, places, n_bytes + places[0][2]


class Pickler(pickle.Pickler):
    """Keeps arrays out of the stream, mapped ones and views too."""

    def reducer_override(self, value: Any) -> Any:
        return np.asarray(value, order="C").__reduce_ex__(5) if isinstance(value, np.ndarray) else NotImplemented


def in_room(address: int, n_bytes: int) -> tuple[int, int] | None:
    """The file and the byte of an array that lies in a room."""
    for start, length, file in rooms.made:
        if start <= address and address + n_bytes <= start + length:
            return file, address - start
    return None


def in_file(address: int, n_bytes: int) -> tuple[int, int] | None:
    """The file, opened anew, and the byte of an array that is mapped from one; None where it is not, or the system does not say."""
    try:
        lines = Path("/proc/self/maps").read_text(encoding="utf-8", errors="surrogateescape").splitlines() if n_bytes else []
    except OSError:
        return None
    for line in lines:
        span, _, offset, _, inode, *path = line.split(maxsplit=5)
        start, stop = (int(each, 16) for each in span.split("-"))
        if start <= address and address + n_bytes <= stop:
            return opened(path[0], int(inode), int(offset, 16) + address - start) if path and int(inode) else None
    return None


def opened(path: str, inode: int, at: int) -> tuple[int, int] | None:
    """The file of that name, if it still is the one."""
    try:
        file = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    if os.fstat(file).st_ino == inode:
        return file, at
    os.close(file)
    return None


def unpacked(files: Sequence[int], places: Sequence[Place]) -> Any:
    """The value that `packed` told of. Its arrays are mapped, and can only be read."""
    maps = [mapped(files[file], at, n) for file, at, n in places]
    return Unpickler(io.BytesIO(maps[0]), buffers=maps[1:]).load()


def mapped(file: int, at: int, n_bytes: int) -> memoryview:
    """Bytes of a file, to be read only."""
    if not n_bytes:
        return memoryview(b"")
    before = at % mmap.ALLOCATIONGRANULARITY
    return memoryview(mmap.mmap(file, before + n_bytes, access=mmap.ACCESS_READ, offset=at - before))[before:]


class Unpickler(pickle.Unpickler):
    """Makes arrays and this program's own records, and calls nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        found = super().find_class(module, name) if module.startswith("compress.") or (module, name) in FUNCTIONS else None
        if isinstance(found, type) or (module, name) in FUNCTIONS:
            return found
        raise pickle.UnpicklingError(f"{module} {name}")
