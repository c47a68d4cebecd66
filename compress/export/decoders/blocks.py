"""A row is cut into blocks of a few numbers (the last may be shorter). A number is what its code stands for, times its block's
scale, less its block's zero where there are zeros, which groups tell in scales. Scales and zeros are floats, or powers of two, or
whole numbers that count in a float which 256 numbers share, or codes of a table, in floats that 256 blocks share.
"""

import torch

from compress.export.decoders.frame import read_bits

SHARED = 256
IQ4 = (-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113)
E2M1 = (-6.0, -4.0, -3.0, -2.0, -1.5, -1.0, -0.5, 0.0, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0)
NF4 = (
    *(-1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635, -0.18477343022823334),
    *(-0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224),
    *(0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0),
)
FORMATS = {  # what codes stand for, numbers in a block, bits of a counted scale
    "Q8_0": (range(-128, 128), 32, 0),
    "Q6_K": (range(-32, 32), 16, 8),
    "Q5_1": (range(32), 32, 0),
    "Q5_K": (range(32), 32, 6),
    "Q5_0": (range(-16, 16), 32, 0),
    "Q4_0": (range(-8, 8), 32, 0),
    "Q4_K": (range(16), 32, 6),
    "IQ4_NL": (IQ4, 32, 0),
    "IQ4_XS": (IQ4, 32, 6),
    "MXFP4": (E2M1, 32, 0),
    "NF4": (NF4, 64, 0),
    "NF4_nested": (NF4, 64, 0),
    "Q3_K": (range(-4, 4), 16, 6),
    "Q2_K": (range(4), 16, 4),
}

INSTEAD = {"Q6_K": "Q8_0", "Q5_K": "Q5_1", "Q4_K": "Q5_0", "Q3_K": "Q4_0", "Q2_K": "Q4_0", "IQ4_XS": "IQ4_NL"}


def prepare(header: dict, arrays: dict) -> dict:
    """What decoding needs beside the file's arrays: nothing."""
    return {}


def decode(header: dict, arrays: dict, rows: torch.Tensor) -> torch.Tensor:
    """The vectors (r, dim) of rows (r,)."""
    dim = header["shape"][1]
    values, size, counted = format_of(header["settings"], dim)
    column = torch.arange(dim, device=rows.device)
    bits = (len(values) - 1).bit_length()
    codes = read_bits(arrays["codes"], (rows[:, None] * dim + column) * bits, bits)
    numbers = torch.tensor(list(values), dtype=torch.float32, device=rows.device)[codes]
    block, blocks = column // size, -(-dim // size)
    scales = read(arrays, "scales", rows, blocks, size, counted)
    numbers = numbers * scales[:, block]
    if "zeros" not in arrays:
        return numbers
    zeros = read(arrays, "zeros", rows, blocks, size, counted)
    return numbers - (zeros * scales if "group" in header["settings"] else zeros)[:, block]


def format_of(settings: dict, dim: int) -> tuple:
    """What codes stand for, numbers in a block, bits of a counted scale."""
    if "format" in settings:
        name = settings["format"]
        return FORMATS[INSTEAD.get(name, name) if dim % SHARED else name]
    bits = settings["bits"]
    if bits not in (2, 3, 4, 8):  # 2 to the power of what a file says may take for ever
        raise ValueError(f"numbers of {bits} bits")
    low = -(2 ** (bits - 1)) if settings["zero"] == "none" else 0
    return range(low, low + 2**bits), settings["group"], 0


def read(arrays: dict, name: str, rows: torch.Tensor, blocks: int, size: int, counted: int) -> torch.Tensor:
    """The scales or zeros of rows, (r, blocks)."""
    place = torch.arange(blocks, device=rows.device)
    if counted:
        least = 0 if "zeros" in arrays else -(2 ** (counted - 1))
        numbers = read_bits(arrays[name], (rows[:, None] * blocks + place) * counted, counted) + least
        return numbers.float() * arrays[f"outer_{name}"][rows].float()[:, place * size // SHARED]
    if "table" in arrays:
        own = arrays["table"][arrays[name][rows].long()]
        return own * arrays["outer"][(rows[:, None] * blocks + place) // SHARED] + arrays["offset"]
    stored = arrays[name][rows].float()
    return 2.0 ** (stored - 127) if arrays[name].dtype == torch.uint8 else stored
