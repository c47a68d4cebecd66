"""Numbers of few bits, as integers and as floats."""

import numpy as np


def unpacked(words: np.ndarray, bits: int) -> np.ndarray:
    """(r, 8 · bytes // bits) uint8, the numbers of so many bits that follow each other in rows of words, lowest bits first."""
    stream = np.ascontiguousarray(words).view(np.uint8)
    if bits == 8:
        return stream
    if bits in (1, 2, 4):
        shifts = np.arange(0, 8, bits, dtype=np.uint8)
        return (stream[:, :, None] >> shifts & (1 << bits) - 1).reshape(len(stream), -1)
    each = np.unpackbits(stream, axis=1, bitorder="little")
    each = each[:, : each.shape[1] // bits * bits].reshape(len(stream), -1, bits)
    return (each << np.arange(bits, dtype=np.uint8)).sum(axis=2, dtype=np.uint8)


def in_words(words: np.ndarray, bits: int) -> np.ndarray:
    """(r, words · (32 // bits)) uint8, numbers of so many bits of which none goes on in the next word of 32 bits."""
    each = words.astype("<u4", copy=False)[:, :, None] >> np.arange(0, 32 - bits + 1, bits, dtype=np.uint32)
    return (each & (1 << bits) - 1).astype(np.uint8).reshape(len(words), -1)


def small_floats(exponent: int, mantissa: int, bias: int) -> np.ndarray:
    """The numbers that all codes stand for, a sign before so many bits of exponent and mantissa; no code is infinite."""
    codes = np.arange(1 << (1 + exponent + mantissa))
    steps, powers = codes & (1 << mantissa) - 1, codes >> mantissa & (1 << exponent) - 1
    sizes = np.where(powers, (1 << mantissa) + steps, steps) * 2.0 ** (np.maximum(powers, 1) - bias - mantissa)
    return np.where(codes >> (exponent + mantissa), -sizes, sizes).astype(np.float32)


E2M1 = small_floats(2, 1, 1)
E4M3 = small_floats(4, 3, 7)
E4M3[[0x7F, 0xFF]] = np.nan
E5M2 = (np.arange(256, dtype=np.uint16) << 8).view(np.float16).astype(np.float32)
E8M0 = (2.0 ** (np.arange(256.0).clip(max=254) - 127)).astype(np.float32)
E8M0[255] = np.nan
FLOATS = {"F8_E4M3": E4M3, "F8_E5M2": E5M2, "F8_E8M0": E8M0, "uint8": E8M0}  # uint8: of scales
