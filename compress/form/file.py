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
SUMMED = ("version", "method", "settings", "shape", "digest", "exponent")


def checksum(header: Mapping[str, Any]) -> int:
    """CRC-32 of what a header says of the method and the shape, as JSON, names in order: arrays alone do not always tell another
    shape, where bits are left over."""
    said = {name: header[name] for name in SUMMED if name in header}
    return zlib.crc32(json.dumps(said, sort_keys=True, separators=(",", ":")).encode())


def write(path: str | Path, arrays: dict[str, np.ndarray], header: Mapping[str, Any]) -> int:
    """Writes arrays and their header, whole or not at all; returns the file's bytes, at most 4 KiB more than those of the arrays.
    Raises ValueError where the name does not end in .safetensors."""
    from safetensors.numpy import save

    path = Path(path)
    if path.suffix != ".safetensors":
        raise ValueError(f"the file's name must end in .safetensors, got {path.name!r}")
    content = save(arrays, metadata={ENTRY: json.dumps(header, separators=(",", ":"))})
    with replacing(path) as file:
        file.write(content)
    return len(content)
