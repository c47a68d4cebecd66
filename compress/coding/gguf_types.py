"""Rows of a table as the types of GGUF store them: those that the package gguf encodes, and Q6_K."""

from collections.abc import Callable

import numpy as np

SUPER, SUB = 256, 16  # numbers of a block of Q6_K, and of those that share a scale
DEEP = 32  # codes of Q6_K on either side of 0
TRIED = np.arange(-9, 10) * 0.1  # how much larger than the largest number's code the codes are scaled to, as in llama.cpp
TINY = 1e-15  # a block of smaller numbers is stored as zeros


def q6_k(values: np.ndarray) -> np.ndarray:
    """(n, d) float32 as Q6_K, (n, 210 d / 256) uint8: codes of 6 bits times a whole number for 16 of them times a float16 for 256.
    The scale of 16 numbers is the best of 19 by Σ x² (x − x̂)², llama.cpp's rule."""
    parts = values.reshape(-1, SUPER // SUB, SUB)  # (blocks, 16, 16)
    scales = sub_scales(parts)  # (blocks, 16)
    most = np.take_along_axis(scales, np.abs(scales).argmax(axis=1)[:, None], axis=1)[:, 0]
    there = np.abs(most) > TINY
    with np.errstate(divide="ignore", over="ignore"):
        step = np.where(there, most / -128, 0).astype(np.float16)
        inverse = np.where(there, -128 / most, 0).astype(np.float32)
    whole = np.rint(inverse[:, None] * scales).clip(max=127).astype(np.int8)
    size = step.astype(np.float32)[:, None] * whole
    with np.errstate(divide="ignore", invalid="ignore"):
        codes = np.where(size[..., None] != 0, np.rint(parts / size[..., None]), 0)
    codes = (np.nan_to_num(codes).clip(-DEEP, DEEP - 1) + DEEP).astype(np.uint8)
    codes[~there] = 0
    halves = codes.reshape(-1, 2, 4, 32)  # of 128 codes, in four lines
    low, high = halves & 15, halves >> 4
    lows = (low[:, :, :2] | low[:, :, 2:] << 4).reshape(-1, 128)
    highs = (high << np.array([0, 2, 4, 6], np.uint8)[:, None]).sum(axis=2, dtype=np.uint8).reshape(-1, 64)
    stored = [lows, highs, whole.view(np.uint8), step[:, None].view(np.uint8)]
    return np.concatenate(stored, axis=1).reshape(len(values), -1)


def sub_scales(parts: np.ndarray) -> np.ndarray:
    """(…, 16) numbers: what their codes from −32 to 31 are best multiplied by, (…,)."""
    most = np.take_along_axis(parts, np.abs(parts).argmax(axis=-1)[..., None], axis=-1)  # (…, 1)
    weights = parts * parts
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        best, found = np.full(parts.shape[:-1], -1.0, np.float32), np.zeros(parts.shape[:-1], np.float32)
        for more in sorted(TRIED, key=abs):  # the plain scale first: another one must be better
            inverse = np.where(np.abs(most) > TINY, -(DEEP + more) / most, 0).astype(np.float32)
            codes = np.rint(parts * inverse).clip(-DEEP, DEEP - 1)
            inner = (weights * parts * codes).sum(axis=-1)
            squared = (weights * codes * codes).sum(axis=-1)
            gain = np.where(squared > 0, inner * inner / squared, 0)
            better = gain > best
            best = np.where(better, gain, best)
            found = np.where(better, np.where(squared > 0, inner / squared, 0), found)
    return found


OWN: dict[str, Callable[[np.ndarray], np.ndarray]] = {"Q6_K": q6_k}  # those that gguf reads and does not write
TYPES = ("F32", "BF16", "F16", "Q8_0", "Q6_K", "Q5_1", "Q5_0", "Q4_1", "Q4_0", "MXFP4")  # that have rows looked up in llama.cpp


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
        stored = OWN[name](values) if name in OWN else quantize(values, GGMLQuantizationType[name])
    return np.ascontiguousarray(stored).view(np.uint8).reshape(len(values), -1)


def decoded(stored: np.ndarray, name: str) -> np.ndarray:
    """(n, d) float32 that rows of bytes stand for."""
    from gguf import GGMLQuantizationType, dequantize

    with np.errstate(over="ignore", invalid="ignore"):
        return dequantize(stored, GGMLQuantizationType[name])
