"""A row is a few codes, each the place of a vector in a codebook of its own. The vectors are laid end to end (pq), then turned
(opq), or added up (rq).
"""

import torch

from compress.export.decoders.frame import read_bits


def prepare(header: dict, arrays: dict) -> dict:
    """What decoding needs beside the file's arrays: nothing."""
    return {}


def decode(header: dict, arrays: dict, rows: torch.Tensor) -> torch.Tensor:
    """The vectors (r, dim) of rows (r,)."""
    parts, count, _ = arrays["codebooks"].shape
    bits, part = header["settings"]["code_bits"], torch.arange(parts, device=rows.device)
    codes = read_bits(arrays["codes"], (rows[:, None] * parts + part) * bits, bits)  # (r, parts)
    chosen = arrays["codebooks"].flatten(0, 1)[codes + count * part].float() * arrays["unit"]  # (r, parts, length)
    if header["method"] == "rq":
        return chosen.sum(1)
    joined = chosen.flatten(1)
    return joined @ arrays["rotation"].float() if "rotation" in arrays else joined
