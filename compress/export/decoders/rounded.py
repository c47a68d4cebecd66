"""A row is whole numbers of 8 or 4 bits times a step of its own."""

import torch

from compress.export.decoders.frame import numbers


def prepare(header: dict, arrays: dict) -> dict:
    """What decoding needs beside the file's arrays: nothing."""
    return {}


def decode(header: dict, arrays: dict, rows: torch.Tensor) -> torch.Tensor:
    """The vectors (r, dim) of rows (r,)."""
    return numbers(arrays["codes"][rows], header["shape"][1]) * arrays["scales"][rows].float()[:, None]
