"""A row is its numbers in some of the columns and 0 in the others. Which columns, a bit for each says. Numbers of 16 bits have one
scale for all; those of 8 and 4 bits are whole and have one a column.
"""

import torch

from compress.export.decoders.frame import numbers, read_bits


def prepare(header: dict, arrays: dict) -> dict:
    """What decoding needs beside the file's arrays: nothing."""
    return {}


def decode(header: dict, arrays: dict, rows: torch.Tensor) -> torch.Tensor:
    """The vectors (r, dim) of rows (r,)."""
    there = read_bits(arrays["mask"], torch.arange(header["shape"][1], device=rows.device), 1)
    kept = numbers(arrays["coefficients"][rows], header["settings"]["kept"])
    kept = kept * arrays["scales"] if "scales" in arrays else kept
    return kept[:, (there.cumsum(0) - 1) * there] * there
