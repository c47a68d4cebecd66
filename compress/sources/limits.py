"""What fits: a matrix is refused before it is read, not when memory has run out."""

import psutil

from compress.errors import InputError
from compress.files import bytes_text
from compress.guard import budget

MEMORY_LIMIT: int | None = None  # bytes that one matrix may take; None asks the budget


def memory_limit(n_bytes: int) -> int:
    """Bytes that a matrix, which takes so many, may take: what is left of the budget, and nine tenths of what is free."""
    if MEMORY_LIMIT is not None:
        return MEMORY_LIMIT
    return min(budget.ask(n_bytes), int(0.9 * psutil.virtual_memory().available))


def check_fits(n_bytes: int, where: str) -> None:
    """InputError where so many bytes do not fit in memory; else they are set aside."""
    limit = memory_limit(n_bytes)
    if n_bytes > limit:
        raise InputError(
            f"{where} needs {bytes_text(n_bytes)} of memory and {bytes_text(limit)} can be had; take fewer rows, or store the "
            f"matrix as float32 in .npy or .safetensors, which is read in place. {budget.VARIABLE} says how much all may take."
        )


OF_TEXT = 10  # times its size that a text takes while it is parted into lines or cells
UNPACKED = 100  # times its size that a packed file may become
FREE = 16 << 20  # bytes that any may become


def check_unpacks(n_bytes: int, packed: int, where: str) -> None:
    """InputError where what is packed in so many bytes becomes far more than packing makes of numbers."""
    if n_bytes > max(FREE, UNPACKED * packed):
        raise InputError(
            f"{where} has {bytes_text(packed)} and unpacks to {bytes_text(n_bytes)} or more, as a trap does; unpack it by hand "
            "if it is none."
        )
