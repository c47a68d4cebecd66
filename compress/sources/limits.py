"""What fits: a matrix is refused before it is read, not when memory has run out."""

import math
from pathlib import Path

import psutil

from compress.errors import InputError
from compress.files import bytes_text

MEMORY_LIMIT: int | None = None  # bytes that one matrix may take; None asks the system


def memory_limit() -> int:
    """Bytes that a matrix may take: nine tenths of what the system, or the container, has to give."""
    if MEMORY_LIMIT is not None:
        return MEMORY_LIMIT
    return int(0.9 * min(psutil.virtual_memory().available, container_memory() or math.inf))


def container_memory() -> int | None:
    """Bytes that the container may take, which psutil does not tell; None where there is no limit."""
    try:
        return int(Path("/sys/fs/cgroup/memory.max").read_text())
    except (OSError, ValueError):  # no such file outside a container; the word "max" where there is no limit
        return None


def check_fits(n_bytes: int, where: str) -> None:
    """InputError where so many bytes do not fit in memory."""
    limit = memory_limit()
    if n_bytes > limit:
        raise InputError(
            f"{where} needs {bytes_text(n_bytes)} of memory and {bytes_text(limit)} can be had; take fewer rows, or store the "
            "matrix as float32 in .npy or .safetensors, which is read in place."
        )


UNPACKED = 100  # times its size that a packed file may become
FREE = 256 << 20  # bytes that any may become


def check_unpacks(n_bytes: int, packed: int, where: str) -> None:
    """InputError where what is packed in so many bytes becomes far more than packing makes of numbers."""
    if n_bytes > max(FREE, UNPACKED * packed):
        raise InputError(
            f"{where} has {bytes_text(packed)} and unpacks to {bytes_text(n_bytes)} or more, as a trap does; unpack it by hand "
            "if it is none."
        )
