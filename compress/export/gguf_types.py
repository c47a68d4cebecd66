"""Rows of a table as the types of GGUF store them: those that the package gguf encodes by it, the others from the codes and scales
of `BlockFormats`, laid out as llama.cpp reads them."""

from collections.abc import Callable

import numpy as np

from compress.coding.block_formats import FORMATS, SUPER
from compress.methods.blocks import BlockFormats, Parts

TYPES = (  # those that have rows looked up in llama.cpp, from the most bits to the fewest
    *("F32", "BF16", "F16", "Q8_0", "Q6_K", "Q5_1", "Q5_0", "Q5_K", "Q4_1", "Q4_0", "Q4_K", "IQ4_NL", "MXFP4", "IQ4_XS"),
    *("Q3_K", "Q2_K"),
)


def types_for(d: int) -> list[str]:
    """The types that rows of d numbers can be stored as, from the most bits to the fewest."""
    from gguf import GGML_QUANT_SIZES, GGMLQuantizationType

    return [name for name in TYPES if d % GGML_QUANT_SIZES[GGMLQuantizationType[name]][0] == 0]


def row_bytes(d: int, name: str) -> int:
    """Bytes of a row of d numbers."""
    from gguf import GGML_QUANT_SIZES, GGMLQuantizationType

    numbers, n_bytes = GGML_QUANT_SIZES[GGMLQuantizationType[name]]
    return d // numbers * n_bytes


def encoded(values: np.ndarray, name: str) -> np.ndarray:
    """(n, d) float32 as rows of bytes, (n, bytes) uint8."""
    from gguf import GGMLQuantizationType, quantize

    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        stored = of_blocks(values, name) if name in LAID else quantize(values, GGMLQuantizationType[name])
    return np.ascontiguousarray(stored).view(np.uint8).reshape(len(values), -1)


def decoded(stored: np.ndarray, name: str) -> np.ndarray:
    """(n, d) float32 that rows of bytes stand for."""
    from gguf import GGMLQuantizationType, dequantize

    with np.errstate(over="ignore", invalid="ignore"):
        return dequantize(stored, GGMLQuantizationType[name])


def of_blocks(values: np.ndarray, name: str) -> np.ndarray:
    """The bytes of a type that gguf does not encode, a line for as many numbers as it lays out together."""
    kept = FORMATS[name]
    parts = BlockFormats(format=name).encode(values.reshape(-1, kept.block), kept)
    together = SUPER if kept.scale_bits else kept.block
    shaped = {key: each if key.startswith("outer") else each.reshape(-1, together // kept.block) for key, each in parts.items()}
    shaped["codes"] = parts["codes"].reshape(-1, together)
    return np.concatenate(LAID[name](shaped), axis=1)


def q6_k(parts: Parts) -> list[np.ndarray]:
    """Low halves and high quarters of 128 codes in four lines of 32, scales, their float."""
    lines = parts["codes"].reshape(-1, 2, 4, 32)
    low, high = lines & 15, lines >> 4
    lows = low[:, :, :2] | low[:, :, 2:] << 4
    return [flat(lows), flat(beside(high, 2)), (parts["scales"] ^ 128), float_of(parts, "scales")]


def q5_k(parts: Parts) -> list[np.ndarray]:
    """As Q4_K, the fifth bits of eight lines of 32 before the others."""
    floats, scales, low = q4_k({**parts, "codes": parts["codes"] & 15})
    return [floats, scales, flat(beside(parts["codes"].reshape(-1, 8, 32) >> 4, 1)), low]


def q4_k(parts: Parts) -> list[np.ndarray]:
    """Floats of scales and zeros, these in 6 bits, pairs of lines of 32 codes."""
    scales, zeros = parts["scales"], parts["zeros"]
    first = [each[:, :4] | each[:, 4:] >> 4 << 6 for each in (scales, zeros)]
    counted = np.concatenate([*first, scales[:, 4:] & 15 | zeros[:, 4:] << 4], axis=1)
    floats = np.concatenate([float_of(parts, "scales"), float_of(parts, "zeros")], axis=1)
    return [floats, counted, flat(beside(parts["codes"].reshape(-1, 4, 2, 32), 4))]


def q3_k(parts: Parts) -> list[np.ndarray]:
    """Third bits of eight lines of 32, the others, scales in 6 bits, their float."""
    codes, scales = parts["codes"], parts["scales"]
    low = scales[:, :8] & 15 | scales[:, 8:] << 4
    counted = np.concatenate([low, beside((scales >> 4).reshape(-1, 4, 4), 2)], axis=1)
    return [beside(codes.reshape(-1, 8, 32) >> 2, 1), quarters(codes & 3), counted, float_of(parts, "scales")]


def q2_k(parts: Parts) -> list[np.ndarray]:
    """Scales and zeros in 4 bits each, codes, their floats."""
    counted = parts["scales"] | parts["zeros"] << 4
    return [counted, quarters(parts["codes"]), float_of(parts, "scales"), float_of(parts, "zeros")]


def iq4_xs(parts: Parts) -> list[np.ndarray]:
    """The float of scales, these in 6 bits, halves of lines of 32 codes beside each other."""
    scales = parts["scales"]
    high = ((scales >> 4).astype(np.uint16) << 2 * np.arange(8, dtype=np.uint16)).sum(axis=1, dtype="<u2")
    low = scales[:, ::2] & 15 | scales[:, 1::2] << 4
    return [float_of(parts, "scales"), high[:, None].view(np.uint8), low, halves(parts["codes"])]


def iq4_nl(parts: Parts) -> list[np.ndarray]:
    """A scale and the halves of 32 codes beside each other."""
    return [parts["scales"].astype("<f2").view(np.uint8), halves(parts["codes"])]


LAID: dict[str, Callable[[Parts], list[np.ndarray]]] = {
    "Q6_K": q6_k,
    "Q5_K": q5_k,
    "Q4_K": q4_k,
    "Q3_K": q3_k,
    "Q2_K": q2_k,
    "IQ4_XS": iq4_xs,
    "IQ4_NL": iq4_nl,
}


def beside(lines: np.ndarray, bits: int) -> np.ndarray:
    """Lines (…, k, m) of numbers of so many bits, each of the k above the one before in a byte: (…, m)."""
    return (lines << bits * np.arange(lines.shape[-2], dtype=np.uint8)[:, None]).sum(axis=-2, dtype=np.uint8)


def quarters(codes: np.ndarray) -> np.ndarray:
    """256 codes of 2 bits: of each 128 four lines of 32 in the same bytes."""
    return flat(beside(codes.reshape(-1, 2, 4, 32), 2))


def halves(codes: np.ndarray) -> np.ndarray:
    """Codes of 4 bits: of each 32 the second half above the first."""
    return flat(beside(codes.reshape(len(codes), -1, 2, 16), 4))


def flat(lines: np.ndarray) -> np.ndarray:
    """Lines of a block one after another."""
    return lines.reshape(len(lines), -1)


def float_of(parts: Parts, name: str) -> np.ndarray:
    """What scales or zeros count in, as bytes."""
    return parts[f"outer_{name}"].astype("<f2")[:, None].view(np.uint8)
