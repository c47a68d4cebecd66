"""What fits: a matrix is refused before it is read, not when memory has run out."""

import os
from pathlib import Path

from compress.errors import InputError

MEMORY_LIMIT: int | None = None  # bytes that one matrix may take; None asks the system


def memory_limit() -> int:
    """Bytes that a matrix may take: nine tenths of what the system, or the container, has to give."""
    if MEMORY_LIMIT is not None:
        return MEMORY_LIMIT
    found = [amount for amount in (available_memory(), container_memory()) if amount]
    return int(0.9 * min(found)) if found else 4 << 30


def available_memory() -> int | None:
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return 1024 * int(line.split()[1])
    except (OSError, ValueError):
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return None


def container_memory() -> int | None:
    try:
        return int(Path("/sys/fs/cgroup/memory.max").read_text())
    except (OSError, ValueError):  # no such file outside a container; the word "max" where there is no limit
        return None


def check_fits(n_bytes: int, where: str) -> None:
    """InputError where so many bytes do not fit in memory."""
    limit = memory_limit()
    if n_bytes > limit:
        raise InputError(
            f"{where} needs {size(n_bytes)} of memory and {size(limit)} can be had; take fewer rows, or store the "
            "matrix as float32 in .npy or .safetensors, which is read in place."
        )


def size(n_bytes: int) -> str:
    """Bytes in the unit that suits them: 812 bytes, 46.9 MB."""
    for unit, scale in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("KB", 1e3)):
        if n_bytes >= scale:
            return f"{n_bytes / scale:,.3g} {unit}" if n_bytes < 1000 * scale else f"{n_bytes / scale:,.0f} {unit}"
    return f"{n_bytes} bytes"
