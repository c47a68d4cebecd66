"""A row is a code of bits, each read as -1 or +1, times a decoder (bits, dim), times one of a few gains, plus an offset, unless the
gain is 0; and where there is a low-rank part, that row's coefficients times a basis.
"""

import torch

from compress.export.decoders.frame import POWERS, read_bits


def prepare(header: dict, arrays: dict) -> dict:
    """What decoding needs beside the file's arrays: nothing."""
    return {}


def decode(header: dict, arrays: dict, rows: torch.Tensor) -> torch.Tensor:
    """The vectors (r, dim) of rows (r,)."""
    parts: list[torch.Tensor] = []
    if "codes" in arrays:
        decoder = arrays["decoder"].float() * arrays["decoder_scales"][:, None]
        octets = arrays["codes"][rows].int()[:, :, None]
        bits = octets // torch.tensor(POWERS, dtype=torch.int32, device=rows.device) % 2  # (r, bytes, 8)
        signs = 2 * bits.flatten(1)[:, : decoder.shape[0]].float() - 1
        offset = arrays["offset"]
        if "gains" in arrays:
            width = header["settings"]["gain_bits"]
            gains = arrays["levels"][read_bits(arrays["gains"], rows * width, width)][:, None]
            signs, offset = signs * gains, offset * (gains != 0)
        parts.append(signs @ decoder + offset)
    if "coefficients" in arrays:
        basis = arrays["bases"][0].float()
        if "scales" in arrays:
            basis = basis * arrays["scales"][0][:, None]
        parts.append(arrays["coefficients"][rows].float() @ basis)
    return sum(parts[1:], parts[0])
