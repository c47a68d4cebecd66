"""The header of a safetensors file: what tensors it holds and at which bytes, checked before anything is read."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from compress.errors import InputError
from compress.files import bytes_text, parse_json
from compress.sources.choice.info import TensorInfo

MAX_HEADER = 100_000_000  # bytes, the limit of the format
NUMPY = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "BF16": "<u2",  # its bits: the upper half of a float32
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "i1",
    "U8": "u1",
}
NAMES = {"BF16": "bfloat16"} | {code: np.dtype(kind).name for code, kind in NUMPY.items() if code != "BF16"}


@dataclass(frozen=True)
class Entry:
    """One tensor: its dtype as the format spells it, its shape, and its first and past-the-last byte in the file."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    stop: int


def header_length(first: bytes, file_size: int, where: str) -> int:
    """Length of the header that the first 8 bytes declare; InputError where a file of that size cannot have it."""
    length = int.from_bytes(first[:8], "little")
    if len(first) < 8 or not 2 <= length <= min(MAX_HEADER, file_size - 8):
        raise InputError(
            f"{where} is not a whole safetensors file: its {bytes_text(file_size)} do not hold the header they declare; "
            "fetch the file again."
        )
    return length


def parse_header(text: bytes, file_size: int, where: str) -> tuple[dict[str, Entry], dict[str, str]]:
    """The tensors by name, and the metadata. text: the header without its 8 length bytes.

    Raises InputError where it is malformed, where tensors overlap or pass the end of the file, and where the file is a
    compressed table rather than a matrix.
    """
    header = parse_json(text, f"The header of {where}")
    metadata = header.pop("__metadata__", {}) if isinstance(header, dict) else None
    if not isinstance(metadata, dict):
        raise InputError(f"The header of {where} is not that of a safetensors file; fetch the file again.")
    if "flatland" in metadata:
        raise InputError(
            f"{where} is a compressed table, not a matrix; decode it first: python -m compress decode FILE --out values.npy"
        )
    begin = 8 + len(text)
    entries = {name: parse_entry(name, raw, begin, file_size, where) for name, raw in header.items()}
    reached = begin
    for name, entry in sorted(entries.items(), key=lambda item: (item[1].start, item[1].stop)):
        if entry.start < reached:
            raise InputError(f"In {where} the bytes of tensor {name!r} overlap another's; fetch the file again.")
        reached = entry.stop
    return entries, metadata


def parse_entry(name: str, raw: Any, begin: int, file_size: int, where: str) -> Entry:
    """One tensor's entry, checked against the file. begin: the byte at which the tensors' own numbers start."""
    try:
        dtype, shape, (start, stop) = raw["dtype"], raw["shape"], raw["data_offsets"]
        sound = isinstance(dtype, str) and all(type(part) is int and part >= 0 for part in (*shape, start, stop))
    except (KeyError, TypeError, ValueError):
        sound = False
    if not sound:
        raise InputError(f"In {where} the entry of tensor {name!r} is malformed; fetch the file again.")
    if not start <= stop <= file_size - begin:
        raise InputError(
            f"In {where} tensor {name!r} lies outside the file's {bytes_text(file_size)}, so it is damaged or cut short; "
            "fetch the file again."
        )
    if dtype in NUMPY and math.prod(shape) * np.dtype(NUMPY[dtype]).itemsize != stop - start:
        raise InputError(
            f"In {where} tensor {name!r} has {bytes_text(stop - start)}, which {dtype} {tuple(shape)} does not take; "
            "fetch the file again."
        )
    return Entry(dtype, tuple(shape), begin + start, begin + stop)


def infos_of(entries: dict[str, Entry]) -> list[TensorInfo]:
    """The tensors, with dtypes as NumPy names them where it knows them, else as the format does."""
    return [TensorInfo(name, entry.shape, NAMES.get(entry.dtype, entry.dtype)) for name, entry in entries.items()]
