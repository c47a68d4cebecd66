"""Datasets of HDF5 files and of Keras models: what lies in the file itself, and nothing that it names elsewhere."""

import io
import math
import mmap
import os
import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import numpy as np

from compress.errors import InputError
from compress.files import bytes_text
from compress.guard.rooms import room
from compress.sources.checkpoints.stored import decoded
from compress.sources.choice.info import Read, TensorInfo, notes_on, pick, ranked, stored_as
from compress.sources.limits import check_fits

WEIGHTS = "model.weights.h5"  # in a .keras archive
MOST = 20_000  # groups and datasets looked at
DEEPEST = 30
PACKED = 250  # times that a packed table may be larger than its bytes in the file
BUILT_IN = range(1, 7)  # filters that the library itself has
NAMES = {"token", "tokens", "word", "words", "vocab", "vocabulary", "names", "labels", "index", "axis1", "keys", "ids"}
BATCH = 1024  # rows whose names are read at once
HEAP = b"GCOL\x01\0\0\0"  # how a collection of texts begins
ENTRY = struct.Struct("<H6xQ")  # the number of one, 0 for what is free, and its bytes; the text follows


def infos(path: Path) -> list[TensorInfo]:
    """The datasets of numbers in a file."""
    with opened(path) as file:
        return ranked(info_of(name, each) for name, each in datasets(file, path))


def read(path: Path, tensor: str | None) -> Read:
    """One dataset as float32, and the names of its rows where the file has as many beside it."""
    with opened(path) as file:
        found = dict(datasets(file, path))
        infos = [info_of(name, each) for name, each in found.items()]
        picked = pick(infos, tensor, path.name)
        name = picked.name
        chosen = found[name]
        notes, dotted = notes_on(picked, infos, tensor), {name.replace("/", "."): name for name in found}

        def taken(name: str) -> np.ndarray:
            return numbers_of(found[dotted[name]], dotted[name], path, None)

        table = decoded(renamed(picked), [renamed(info) for info in infos], taken, path.name)
        if table is not None:
            return Read(table.values, names_beside(chosen, len(table.values), path), notes=notes, stored=table.stored)
        values = numbers_of(chosen, name, path, np.float32)
        values = values.T if transposed(chosen) else values
        n_bytes = chosen.id.get_storage_size()
        return Read(values, names_beside(chosen, len(values), path), notes=notes, stored=stored_as(chosen.dtype.name, n_bytes))


def numbers_of(dataset: Any, name: str, path: Path, dtype: type | None) -> np.ndarray:
    """The numbers of a dataset in a dtype, its own for None; InputError where the file does not hold them, or they do not fit."""
    where = f"{name} in {path.name}"
    check_held(dataset, where)
    check_fits(4 * dataset.size, where)
    values = room(dataset.shape, dtype or dataset.dtype)
    if values.size:
        dataset.read_direct(values)
    return values


def renamed(info: TensorInfo) -> TensorInfo:
    """With the parts of its name between dots, as the schemes that tables are quantized by have it."""
    return replace(info, name=info.name.replace("/", "."))


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """The file as h5py has it, within a .keras archive too; InputError where it is damaged."""
    import h5py

    try:
        with open(path, "rb") as raw:
            within = Within(raw, *member(path)) if raw.read(2) == b"PK" else None
            with h5py.File(within or path, "r") as file:
                yield file
    except (InputError, PermissionError):
        raise
    except MemoryError:
        raise
    except Exception as error:  # h5py turns what HDF5 says into whatever class fits
        raise InputError(f"{path.name} is a damaged HDF5 file, or it is cut short; write or fetch it again.") from error


def member(path: Path) -> tuple[int, int]:
    """First byte and length of the weights in a .keras archive, where Keras stores them as they are."""
    with zipfile.ZipFile(path) as archive, open(path, "rb") as raw:
        held = archive.getinfo(WEIGHTS)
        if held.compress_type != zipfile.ZIP_STORED:
            raise InputError(f"{WEIGHTS} in {path.name} is packed; unpack it and give that file.")
        raw.seek(held.header_offset)
        lengths = struct.unpack("<26x2H", raw.read(30))
        return held.header_offset + 30 + sum(lengths), held.file_size


class Within(io.RawIOBase):
    """A part of a file, as a file to read: what h5py asks of one."""

    def __init__(self, raw: IO[bytes], start: int, length: int):
        self.raw, self.start, self.length, self.at = raw, start, length, 0

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self.at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self.at, os.SEEK_END: self.length}[whence]
        return self.at

    def tell(self) -> int:
        return self.at

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self.raw.seek(self.start + self.at)
        part = self.raw.read(min(len(buffer), max(0, self.length - self.at)))
        buffer[: len(part)] = part
        self.at += len(part)
        return len(part)


def datasets(file: Any, path: Path) -> Iterator[tuple[str, Any]]:
    """Names and datasets of real numbers. Links that leave the file are not followed, and each object is looked at once."""
    import h5py

    waiting, seen = [("", file, 0)], {address(file)}
    while waiting:
        prefix, group, depth = waiting.pop(0)
        for key in group:
            if not isinstance(group.get(key, getlink=True), h5py.HardLink):
                continue
            held, name = group[key], f"{prefix}{key}"
            if address(held) in seen:
                continue
            seen.add(address(held))
            if len(seen) > MOST:
                raise InputError(f"{path.name} holds more than {MOST:,} groups and datasets; write the table to a file of its own.")
            if isinstance(held, h5py.Group) and depth < DEEPEST:
                waiting.append((f"{name}/", held, depth + 1))
            elif isinstance(held, h5py.Dataset) and held.dtype.kind in "fiu" and held.shape and not elsewhere(held):
                yield name, held


def address(held: Any) -> tuple[int, int]:
    """Where an object stands in its file, which tells it from all others. Not by `h5o.get_info`, which also counts what lies below
    it, in a damaged file for ever."""
    import h5py

    return h5py.h5g.get_objinfo(held.id, b".").objno


def elsewhere(dataset: Any) -> bool:
    """Whether its numbers lie in other files."""
    return bool(dataset.external) or dataset.is_virtual


def info_of(name: str, dataset: Any) -> TensorInfo:
    """Name, shape and dtype of a dataset."""
    return TensorInfo(name, dataset.shape[::-1] if transposed(dataset) else dataset.shape, dataset.dtype.name)


def transposed(dataset: Any) -> bool:
    """Whether rows and columns stand for each other: MATLAB writes columns first."""
    return "MATLAB_class" in dataset.attrs


def check_held(dataset: Any, where: str) -> None:
    """InputError unless the file holds the numbers that a dataset declares, in a form that needs nothing else to unpack."""
    plan = dataset.id.get_create_plist()
    filters = [plan.get_filter(at) for at in range(plan.get_nfilters())]
    if any(code not in BUILT_IN and name != b"lzf" for code, _, _, name in filters):
        raise InputError(f"{where} is packed by a filter that is not read; write it with gzip, or without.")
    declared, stored = math.prod(dataset.shape) * dataset.dtype.itemsize, dataset.id.get_storage_size()
    if declared > stored * (PACKED if filters else 1):
        raise InputError(f"{where} declares {bytes_text(declared)}, and the file holds {bytes_text(stored)} of it; write it again.")


def names_beside(dataset: Any, n_rows: int, path: Path) -> list[str] | None:
    """The names in the one list of as many texts that stands beside a dataset under a usual name."""
    import h5py

    beside = [(key, dataset.parent[key]) for key in dataset.parent if key.lower() in NAMES]
    lists = [each for _, each in beside if isinstance(each, h5py.Dataset) and each.shape == (n_rows,) and not elsewhere(each)]
    texts = [each for each in lists if h5py.check_string_dtype(each.dtype)]
    if len(texts) != 1:
        return None
    check_heaps(path)
    names: list[str] = []
    room = texts[0].file.id.get_filesize()
    for start in range(0, n_rows, BATCH):
        part = [bytes(each) for each in texts[0][start : start + BATCH]]
        room -= sum(map(len, part))
        if room < 0:  # many rows share one long text
            return None
        names += [each.decode("utf-8", "replace") for each in part]
    return names


def check_heaps(path: Path) -> None:
    """Raises ValueError unless every collection of texts in a file ends: HDF5 goes for ever through one that has an entry of no
    bytes. They are found by how they begin, wherever they lie."""
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as held:
        begin = held.find(HEAP)
        while begin >= 0:
            at = begin + ENTRY.size
            end = begin + int.from_bytes(held[begin + 8 : at], "little")
            if end > len(held):
                raise ValueError("a collection of texts is cut short")
            while at + ENTRY.size <= end:
                number, size = ENTRY.unpack_from(held, at)
                step = ENTRY.size + size + -size % 8 if number else size
                if not ENTRY.size <= step <= end - at:
                    raise ValueError("a collection of texts has no end")
                at += step
            begin = held.find(HEAP, begin + 1)
