"""The file that a compressed form is written to: safetensors with one JSON header entry that says how to decode it."""

import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from compress.files import replacing

ENTRY = "flatland"  # the header's entry
VERSION = 1  # of the format
WITH_EXPONENT = 2  # of one whose header has an exponent, which version 1 would decode without
CHECKSUM = "checksum"  # of what the header says; older files lack it
AT_ONCE = 16 << 20  # bytes that are written at a time
DTYPES = {  # as NumPy and the format call them, in the format's order
    **{"u8": "U64", "i8": "I64", "f8": "F64", "f4": "F32", "u4": "U32", "i4": "I32"},
    **{"f2": "F16", "u2": "U16", "i2": "I16", "i1": "I8", "u1": "U8", "b1": "BOOL"},
}
SUMMED = ("version", "method", "settings", "shape", "digest", "exponent")


def checksum(header: Mapping[str, Any]) -> int:
    """CRC-32 of what a header says of the method and the shape, as JSON, names in order: arrays alone do not always tell another
    shape, where bits are left over."""
    said = {name: header[name] for name in SUMMED if name in header}
    return zlib.crc32(json.dumps(said, sort_keys=True, separators=(",", ":")).encode())


def write(path: str | Path, arrays: dict[str, np.ndarray], header: Mapping[str, Any]) -> int:
    """Writes arrays and their header, whole or not at all; returns the file's bytes, at most 4 KiB more than those of the arrays.
    Raises ValueError where the name does not end in .safetensors."""
    path = Path(path)
    if path.suffix != ".safetensors":
        raise ValueError(f"the file's name must end in .safetensors, got {path.name!r}")
    start, order = begun(arrays, {ENTRY: json.dumps(header, separators=(",", ":"))})
    with replacing(path) as file:
        file.write(start)
        for name in order:
            content = arrays[name].reshape(-1).view(np.uint8)
            for first in range(0, len(content), AT_ONCE):
                file.write(content[first : first + AT_ONCE].data)
        return file.tell()


def begun(arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str]) -> tuple[bytes, list[str]]:
    """The first bytes of a safetensors file of these arrays, as its own library writes them, and the order in which the arrays
    follow: what takes most bytes a number first."""
    order = sorted(arrays, key=lambda name: (list(DTYPES).index(arrays[name].dtype.str.lstrip("<|")), name))
    entries: dict[str, Any] = {"__metadata__": dict(metadata)}
    stop = 0
    for name in order:
        start, stop = stop, stop + arrays[name].nbytes
        dtype = DTYPES[arrays[name].dtype.str.lstrip("<|")]
        entries[name] = {"dtype": dtype, "shape": list(arrays[name].shape), "data_offsets": [start, stop]}
    text = json.dumps(entries, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text, order
