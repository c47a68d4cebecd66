"""Tables that stay in their files: a block of rows is read, and turned to float32, when it is asked for."""

import itertools
import os
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

import numpy as np

from compress.errors import InputError, unreadable
from compress.guard import budget
from compress.guard.rooms import put, room
from compress.linalg import blocks
from compress.linalg.lazy import LazyRows
from compress.sources.limits import check_fits

LARGE = 256 << 20  # bytes in float32: a table of more stays in its file
NEAR = 1 << 16  # bytes between two rows that are read with them, rather than by themselves
AT_ONCE = 4 << 20  # bytes that are read at a time, at most
BFLOAT16 = "bfloat16"


@dataclass(frozen=True, eq=False)
class InPlace(LazyRows):
    """Rows of a file, one after another from byte `start` on, each of `width` bytes.

    kind: how a row is kept, as NumPy writes a dtype ("<f2"), "bfloat16", or as GGUF calls a type ("Q6_K"). state: the file's, when
    it was opened: its size, when it was written last, and its number. Every read raises InputError where that is another by then.
    """

    path: str
    start: int
    shape: tuple[int, int]
    width: int
    kind: str
    state: tuple[int, int, int]

    def between(self, first: int, stop: int) -> np.ndarray:
        with self.opened() as file:
            return self.decoded(self.read(file, first, stop))

    def top(self, first: int, stop: int) -> float:
        if self.kind not in (BFLOAT16, "<f2"):
            return super().top(first, stop)
        with self.opened() as file:
            bits = self.read(file, first, stop).view("<u2")
        bits &= 0x7FFF  # without the sign a larger number has larger bits, and none has larger ones than what is not finite
        return float(self.decoded(bits.max().reshape(1, 1).view(np.uint8))[0, 0])

    def some(self, rows: np.ndarray) -> np.ndarray:
        found, places = np.unique(np.where(rows < 0, rows + len(self), rows), return_inverse=True)
        if len(found) and not 0 <= found[0] <= found[-1] < len(self):
            raise IndexError(f"rows must be between 0 and {len(self) - 1:,}")
        out = np.empty((len(found), self.shape[1]), np.float32)
        apart = np.diff(found) > NEAR // self.width + 1
        ends = np.flatnonzero(apart | (np.diff(found // max(1, AT_ONCE // self.width)) > 0)) + 1
        with self.opened() as file:
            for begin, end in itertools.pairwise([0, *ends, len(found)]):
                here = found[begin:end]
                if len(here):
                    out[begin:end] = self.decoded(self.read(file, here[0], here[-1] + 1)[here - here[0]])
        return out[places.reshape(-1)]

    def whole(self) -> np.ndarray:
        if self.kind == "<f4" and self.start % 4 == 0:
            return np.memmap(self.path, self.kind, "r", self.start, self.shape)
        if budget.ASKED.get() is not None:  # by whoever reads, who keeps what is read
            return self.filled()
        with budget.sharing() as share:
            values = self.filled()
            share.keep(values.nbytes, values)
        return values

    def filled(self) -> np.ndarray:
        """All rows in memory."""
        check_fits(4 * self.shape[0] * self.shape[1], Path(self.path).name)
        values = room(self.shape)
        for rows in blocks.parts(self.shape, AT_ONCE):
            put(values, rows.start, self.between(rows.start, rows.stop))
        return values

    def opened(self) -> FileIO:
        """The file."""
        try:
            return open(self.path, "rb", buffering=0)
        except OSError as error:
            raise unreadable(self.path, error) from error

    def read(self, file: FileIO, first: int, stop: int) -> np.ndarray:
        """The bytes (r, width) of consecutive rows."""
        content = np.empty((stop - first, self.width), np.uint8)
        left = memoryview(content.reshape(-1).data)
        try:
            file.seek(self.start + int(first) * self.width)
            while left and (done := file.readinto(left)):
                left = left[done:]
            state = state_of(os.fstat(file.fileno()))
        except OSError as error:
            raise unreadable(self.path, error) from error
        if left or state != self.state:
            raise InputError(f"{Path(self.path).name} has changed since it was opened; open it again.")
        return content

    def decoded(self, content: np.ndarray) -> np.ndarray:
        """Rows (r, d) float32 of their bytes (r, width)."""
        if self.kind == BFLOAT16:
            wide = content.view("<u2").astype("<u4")
            wide <<= 16
            return wide.view("<f4")
        if self.kind[0] in "<>|=":
            with np.errstate(over="ignore"):  # what overflows float32 becomes infinite, which is then told
                return content.view(self.kind).astype(np.float32, copy=False)
        from gguf import GGMLQuantizationType, dequantize

        return np.ascontiguousarray(dequantize(content, GGMLQuantizationType[self.kind]), np.float32)


def is_large(shape: tuple[int, ...]) -> bool:
    """Whether a table of that shape stays where it lies."""
    return len(shape) == 2 and min(shape) > 0 and 4 * shape[0] * shape[1] > LARGE


def state_of(facts: os.stat_result) -> tuple[int, int, int]:
    """What is another once a file has been written to, or another one has its name."""
    return facts.st_size, facts.st_mtime_ns, facts.st_ino


def in_place(path: str | os.PathLike, start: int, shape: tuple[int, int], n_bytes: int, kind: str) -> InPlace:
    """A table of so many bytes from byte `start` of a file on. kind: as in InPlace."""
    absolute = os.path.abspath(path)
    return InPlace(absolute, start, shape, n_bytes // shape[0], kind, state_of(os.stat(absolute)))


def unmapped(values: np.ndarray) -> InPlace | None:
    """The same table as it lies in the file that it is mapped from; None where it is not mapped, or not large, or not in rows."""
    owner = values
    while isinstance(owner.base, np.ndarray):
        owner = owner.base
    if not isinstance(owner, np.memmap) or not is_large(values.shape) or not values.flags.c_contiguous:
        return None
    if values.dtype.kind not in "fiu" or owner.filename is None:
        return None
    start = owner.offset + values.ctypes.data - owner.ctypes.data
    kind = values.dtype.newbyteorder("<").str if values.dtype.isnative else values.dtype.str
    return in_place(owner.filename, start, values.shape, values.nbytes, kind)
