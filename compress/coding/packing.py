"""Small whole numbers in as few bits as they need, with every row readable on its own."""

from typing import Any

import numpy as np
from array_api_compat import array_namespace, device

AT_ONCE = 1 << 20  # numbers that are packed at a time


def width(count: int) -> int:
    """Bits that tell `count` things apart: ⌈log₂ count⌉, 0 for one."""
    return (count - 1).bit_length()


def pack_stream(numbers: np.ndarray, bits: int) -> np.ndarray:
    """(n,) whole numbers below 2^bits as one stream of n·bits bits, least significant first: (⌈n·bits/8⌉,) uint8."""
    if bits == 8:
        return np.asarray(numbers, dtype=np.uint8)
    packed: np.ndarray = np.empty((len(numbers) * bits + 7) // 8, np.uint8)
    for first in range(0, len(numbers), AT_ONCE):
        part = np.asarray(numbers[first : first + AT_ONCE], dtype=np.uint32)
        spread = (part[:, None] >> np.arange(bits, dtype=np.uint32)) & 1  # (n, bits)
        written = np.packbits(spread.astype(np.uint8).ravel(), bitorder="little")
        packed[first * bits // 8 :][: len(written)] = written
    return packed


def check_spare(packed: np.ndarray, n_bits: int, name: str) -> None:
    """Raises ValueError where a stream goes on behind its bits: what it was made of has another shape."""
    if np.unpackbits(packed[n_bits // 8 :], bitorder="little")[n_bits % 8 :].any():
        raise ValueError(f"array {name!r} holds more than the shape takes")


def read_stream(packed: Any, bits: int, rows: Any) -> Any:
    """The numbers at `rows` of a stream of up to 16 bits each, as int64; numpy arrays or torch tensors."""
    return read_bits(packed, rows * bits, bits)


def read_bytes(packed: np.ndarray, bits: int, n: int) -> np.ndarray:
    """The n numbers of a stream of up to 16 bits each, (n,) in one byte or two."""
    out = np.zeros(n, np.uint8 if bits <= 8 else np.uint16)
    for first in range(0, n if bits else 0, AT_ONCE):
        out[first : first + AT_ONCE] = read_stream(packed, bits, np.arange(first, min(first + AT_ONCE, n)))
    return out


def put_bits(packed: np.ndarray, at: int, bits: np.ndarray) -> int:
    """Writes bits, uint8 of 0 and 1, into a stream of zeros from bit `at` on; returns the bit after them."""
    written = np.packbits(np.concatenate([np.zeros(at % 8, np.uint8), bits]), bitorder="little")
    packed[at // 8 : at // 8 + len(written)] |= written
    return at + len(bits)


def read_bits(packed: Any, at: Any, bits: int) -> Any:
    """The numbers of up to 16 bits that begin at bits `at` of a stream, any shape, as int64; numpy arrays or torch tensors."""
    xp = array_namespace(packed, at)
    if bits == 0:
        return xp.zeros_like(at)
    first, last = at >> 3, xp.asarray(packed.shape[0] - 1, device=device(packed))
    word = xp.zeros_like(at)
    for i in range((bits + 14) // 8):  # a number that starts late in a byte reaches into the next
        byte = xp.astype(packed[xp.minimum(first + i, last)], xp.int64)
        word = word | (byte << (8 * i))
    return xp.bitwise_right_shift(word, at & 7) & ((1 << bits) - 1)


def pack_nibbles(numbers: np.ndarray) -> np.ndarray:
    """(n, m) whole numbers from -8 to 7, two to a byte, each row on its own: (n, ⌈m/2⌉) uint8."""
    n, m = numbers.shape
    shifted = np.zeros((n, m + m % 2), np.uint8)
    shifted[:, :m] = numbers + 8
    return shifted[:, 0::2] | (shifted[:, 1::2] << 4)


def read_nibbles(packed: Any, m: int) -> Any:
    """The numbers of packed rows (r, ⌈m/2⌉) as (r, m) int8; numpy arrays or torch tensors."""
    xp = array_namespace(packed)
    high = packed // 16
    pairs = xp.stack([packed - 16 * high, high], axis=2)  # (r, ⌈m/2⌉, 2)
    return xp.astype(xp.reshape(pairs, (packed.shape[0], 2 * packed.shape[1]))[:, :m], xp.int8) - 8


def read_signs(packed: Any, bits: int) -> Any:
    """Rows of packed bits (r, ⌈bits/8⌉), least significant first, as −1 and +1: (r, bits) float32; numpy arrays or torch
    tensors."""
    xp = array_namespace(packed)
    powers = xp.asarray([1, 2, 4, 8, 16, 32, 64, 128], dtype=xp.uint8, device=device(packed))
    on = xp.reshape((packed[:, :, None] & powers) != 0, (packed.shape[0], 8 * packed.shape[1]))[:, :bits]
    return 2 * xp.astype(on, xp.float32) - 1
