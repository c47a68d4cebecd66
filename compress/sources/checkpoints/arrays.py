"""NumPy arrays: .npy read in place, .npz one array at a time; nothing is unpickled."""

import errno
import math
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Literal

import numpy as np
from numpy.lib import format as npy

from compress.errors import InputError
from compress.guard.rooms import put, room
from compress.matrix import Stored
from compress.sources.checkpoints.stored import Table, decoded
from compress.sources.choice.clues import config_in
from compress.sources.choice.info import Read, TensorInfo, notes_on, pick, ranked, stored_as
from compress.sources.limits import check_fits, check_unpacks

MAX_HEADER = 1 << 16
MOST_TOLD = 1000
CHUNK = 1 << 20
LAST_LETTER = 0x10FFFF  # of Unicode
MOST_WORDS = 4000  # bytes of the longest name of a row
VERSIONS = {  # 3.0 is 2.0 with other letters in the names of fields, and arrays with fields are refused
    (1, 0): npy.read_array_header_1_0,
    (2, 0): npy.read_array_header_2_0,
    (3, 0): npy.read_array_header_2_0,
}


@dataclass(frozen=True)
class Array:
    """What the header of an array declares. offset: the byte at which its entries begin."""

    shape: tuple[int, ...]
    dtype: np.dtype
    order: Literal["C", "F"]
    offset: int

    @property
    def n_bytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize

    @property
    def stored(self) -> Stored | None:
        return stored_as(self.dtype.name, self.n_bytes)

    def mapped(self, path: Path) -> np.ndarray:
        """Its entries in a file; InputError where that lacks some."""
        missing = self.offset + self.n_bytes - path.stat().st_size
        if missing > 0:
            raise InputError(f"{path.name} is cut short: {missing:,} bytes of its array are missing; fetch the file again.")
        return np.memmap(path, self.dtype, "r", self.offset, self.shape, order=self.order)

    def info(self, name: str) -> TensorInfo:
        return TensorInfo(name, self.shape, "U32" if self.dtype.name == "uint32" else self.dtype.name)


def infos_npy(path: Path) -> list[TensorInfo]:
    """The one array of a .npy file, from its header."""
    with open(path, "rb") as file:
        return ranked([read_header(file, path.name).info("embedding")])


def read_npy(path: Path, tensor: str | None) -> Read:
    """The array, mapped."""
    with open(path, "rb") as file:
        array = read_header(file, path.name)
    pick([array.info("embedding")], tensor, path.name)
    return Read(array.mapped(path), None, stored=array.stored)


def mapped(path: Path, kinds: str) -> np.ndarray:
    """The one array of a .npy file, of some kinds of dtypes, mapped: as NumPy opens it, but for headers that it would take long
    to parse."""
    with open(path, "rb") as file:
        return read_header(file, path.name, kinds).mapped(path)


def infos_npz(path: Path) -> list[TensorInfo]:
    """The arrays of a .npz archive, from their headers."""
    with opened_zip(path) as archive:
        return ranked(infos_in(archive, path))


def read_npz(path: Path, tensor: str | None) -> Read:
    """One array of an archive, in memory."""
    with opened_zip(path) as archive:
        found = list(infos_in(archive, path))
        chosen = pick(found, tensor, path.name)
        taken = partial(array_in, archive, path)
        table = decoded(chosen, found, taken, path.name, lambda: config_in(path.parent))
        if table is None:
            values = taken(chosen.name)
            table = Table(values, stored_as(values.dtype.name, values.nbytes))
        words = words_in(archive, len(table.values), path)
    return Read(table.values, words, "word", notes=notes_on(chosen, found, tensor), stored=table.stored)


def named_in(path: Path, wanted: Sequence[str]) -> tuple[dict[str, np.ndarray], list[str]]:
    """Those arrays of an archive that have one of these names, and the names of all."""
    with opened_zip(path) as archive:
        names = [each.removesuffix(".npy") for each in archive.namelist()]
        return {name: array_in(archive, path, name) for name in wanted if name in names}, names


def array_in(archive: zipfile.ZipFile, path: Path, name: str) -> np.ndarray:
    """One array of an archive, in memory."""
    where = f"{name} in {path.name}"
    with archive.open(f"{name}.npy") as file:
        array = read_header(file, where)
        check_unpacks(array.n_bytes, path.stat().st_size, where)
        check_fits(array.n_bytes, where)
        values = room(array.shape, array.dtype, array.order)
        fill(values.reshape(-1, order="A").view(np.uint8), file, where)
    return values


def words_in(archive: zipfile.ZipFile, n_rows: int, path: Path) -> list[str] | None:
    """The one array of as many words as there are rows; None where there is none, or there are several."""
    found = []
    for member in archive.infolist():
        if member.filename.endswith(".npy"):
            with archive.open(member) as file:
                try:
                    array = read_header(file, path.name, "US")
                except InputError:
                    continue
                if array.shape == (n_rows,) and array.dtype.itemsize <= MOST_WORDS:
                    check_unpacks(array.n_bytes, path.stat().st_size, path.name)
                    words = np.empty(array.shape, array.dtype)
                    fill(words.view(np.uint8), file, f"{member.filename} in {path.name}")
                    if words.dtype.kind == "U" and array.n_bytes and words.view(array.dtype.str[0] + "u4").max() > LAST_LETTER:
                        continue
                    found.append(np.char.decode(words, "utf-8", "replace") if array.dtype.kind == "S" else words)
    return found[0].tolist() if len(found) == 1 else None


def infos_in(archive: zipfile.ZipFile, path: Path) -> Iterator[TensorInfo]:
    """The arrays of numbers in an archive; those of other kinds are passed over, unless there is nothing else."""
    refused, found = None, False
    for member in archive.infolist():
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise InputError(f"{path.name} is packed in a way that NumPy does not use; save it again with numpy.savez.")
        if not member.filename.endswith(".npy"):
            continue
        try:
            with archive.open(member) as file:
                array = read_header(file, f"{member.filename} in {path.name}")
        except InputError as error:
            refused = error
        else:
            found = True
            yield array.info(member.filename.removesuffix(".npy"))
    if refused and not found:
        raise refused


@contextmanager
def opened_zip(path: Path) -> Iterator[zipfile.ZipFile]:
    """The archive while it is open; InputError for one that is damaged or encrypted."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except InputError:
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError, KeyError) as error:
        if isinstance(error, OSError) and error.errno != errno.EINVAL:  # which a member before the file's first byte gives
            raise
        raise InputError(f"{path.name} is a damaged or encrypted .npz archive; save it again with numpy.savez.") from error


def fill(buffer: np.ndarray, file: IO[bytes], where: str) -> None:
    """Reads bytes into a buffer until it is full; InputError where the file ends before."""
    for start in range(0, len(buffer), CHUNK):
        part = file.read(min(CHUNK, len(buffer) - start))
        put(buffer, start, np.frombuffer(part, np.uint8))
        if len(part) < min(CHUNK, len(buffer) - start):
            raise InputError(f"{where} is cut short; fetch the file again.")


@dataclass(frozen=True)
class Bounded:
    """A file that gives at most MAX_HEADER bytes at once, of which MOST_TOLD are no blanks: NumPy takes as many as a header
    declares before it judges how many, and its parser takes time that grows with the square of them."""

    file: IO[bytes]

    def read(self, count: int = -1, /) -> bytes:
        if not 0 <= count <= MAX_HEADER:
            raise ValueError(f"a header of {count:,} bytes")
        part = self.file.read(count)
        if len(part.strip()) > MOST_TOLD:
            raise ValueError("a header that tells more than one of an array does")
        return part


def read_header(file: IO[bytes], where: str, kinds: str = "fiu") -> Array:
    """The header of a .npy file that starts where file stands. kinds: of dtypes that are read. Objects are refused: to read them is
    to run a pickle."""
    try:
        read = VERSIONS[npy.read_magic(file)]
    except (ValueError, KeyError) as error:
        raise InputError(f"{where} is not a NumPy array file, or it is empty; check the file and its extension.") from error
    try:
        shape, fortran, dtype = read(Bounded(file), max_header_size=MAX_HEADER)
        sound = all(type(part) is int and part >= 0 for part in shape)
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile):  # of the file, not of what it says
        raise
    except Exception as error:  # whatever class its parser or numpy.dtype fails with
        if isinstance(error.__cause__, TypeError):
            raise InputError(f"{where} has an unknown dtype ({error.__cause__}); save it again with dtype float32.") from error
        sound = False
    if not sound:
        raise InputError(f"The header of {where} is damaged; save the array again with numpy.save.")
    if dtype.hasobject:
        raise InputError(f"{where} holds Python objects, which are not read; save it again with dtype float32.")
    if dtype.kind not in kinds:
        held = npy.dtype_to_descr(dtype)
        raise InputError(f"{where} holds {held} and not real numbers; save it again with dtype float32.")
    return Array(shape, dtype, "F" if fortran else "C", file.tell())
