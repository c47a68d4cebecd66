"""A row is a few coefficients times a basis. Rows may be split in groups that have a basis each, and a point to start from (SVD,
low rank in the lp sense, k subspaces). Numbers of 8 and 4 bits are whole; the steps that they count in are multiplied into the
basis. Where groups have points, a row whose first coefficient is the least that its type holds is 0.
"""

import torch

from compress.export.decoders.frame import numbers, read_bits

MOST_SIDE_BY_SIDE = 64
NOTHING = {32: -(2 - 2**-23) * 2.0**127, 16: -65504.0, 8: -128.0, 4: -8.0}  # of so many bits


def prepare(header: dict, arrays: dict) -> dict:
    """What decoding needs beside the file's arrays: nothing."""
    return {}


def decode(header: dict, arrays: dict, rows: torch.Tensor) -> torch.Tensor:
    """The vectors (r, dim) of rows (r,)."""
    bases = arrays["bases"].float()  # (groups, rank, dim)
    if "scales" in arrays:
        bases = bases * arrays["scales"][:, :, None]
    groups, rank, _ = bases.shape
    coefficients = numbers(arrays["coefficients"][rows], rank)
    if "offsets" in arrays:
        there = coefficients[:, :1] > NOTHING[header["settings"]["factor_bits"]]
        coefficients = coefficients * there
    if groups == 1:
        group, vectors = 0 * rows, coefficients @ bases[0]
    else:
        bits = (groups - 1).bit_length()
        group = read_bits(arrays["labels"], rows * bits, bits)
        if groups <= MOST_SIDE_BY_SIDE:  # all bases as one, each row's coefficients beside zeros
            own = group[:, None] == torch.arange(groups, device=rows.device)
            vectors = (own[:, :, None] * coefficients[:, None]).flatten(1) @ bases.flatten(0, 1)
        else:
            vectors = (coefficients[:, None] @ bases[group])[:, 0]
    return vectors + arrays["offsets"][group] * there if "offsets" in arrays else vectors
