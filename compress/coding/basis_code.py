"""An orthonormal basis in a few bits a number, by the same trellis as the rows that it is for."""

from functools import cache
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device

from compress.coding.layout import Layout
from compress.coding.trellis_code import GUARD, Schedule, encode, kinds_at, read, spread

STATES = 4096
LOWEST, HIGHEST = 2.0, 10.0  # bits a number


def rates_for(energy: np.ndarray, d: int) -> np.ndarray:
    """(m,) rates, in halves, of directions by the energy of the rows along them, as so many times the error at which the rows'
    numbers are coded. By the same exchange of bits for error as for the rows, but half a bit less: what is wrong with a direction
    within the span of the others, the coefficients make good (measured)."""
    return np.clip(np.round(np.log2(np.maximum(energy / d, 1)) - 1) / 2, LOWEST, HIGHEST)


def n_bytes(rates: np.ndarray, d: int) -> tuple[int, int]:
    """Bytes of the two streams of directions of d numbers at those rates."""
    if not len(rates):
        return 0, 0
    distinct, labels = np.unique(rates, return_inverse=True)
    bits, extra_bits = Schedule(kinds_of(distinct, d), STATES).lengths[:, labels].sum(axis=1)
    return GUARD + (int(bits) + 7) // 8, (int(extra_bits) + 7) // 8


@cache
def kinds_at_rate(rate: float, d: int) -> np.ndarray:
    """(1, d) kinds of a direction at one rate."""
    return kinds_at(np.full((1, d), rate))


def kinds_of(rates: np.ndarray, d: int) -> np.ndarray:
    """(m, d) kinds of directions at rates (m,)."""
    return np.concatenate([np.zeros((0, d), np.uint8), *(kinds_at_rate(float(rate), d) for rate in rates)])


def code(basis: np.ndarray, rates: np.ndarray | None) -> dict[str, np.ndarray]:
    """The arrays that keep orthonormal directions (m, d) at such rates (m,); empty ones where nothing is to be kept."""
    if rates is None:
        return {"basis": np.zeros(0, np.uint8), "basis_extra": np.zeros(0, np.uint8), "basis_rates": np.zeros(0, np.uint8)}
    d = basis.shape[1]
    distinct, labels = np.unique(rates, return_inverse=True)
    schedule = Schedule(kinds_of(distinct, d), STATES)
    scales = np.repeat(scale_of(distinct, d)[:, None], d, axis=1)
    symbols = encode((basis @ mixing(d)).astype(np.float32), labels, scales, schedule)
    bits, extra_bits = schedule.pack(symbols, labels)
    return {
        "basis": np.packbits(np.concatenate([np.zeros(8 * GUARD, np.uint8), bits]), bitorder="little"),
        "basis_extra": np.packbits(extra_bits, bitorder="little"),
        "basis_rates": (2 * rates).astype(np.uint8),
    }


def layout(halves: np.ndarray | None, d: int) -> Layout:
    """Of what `code` gives where the rates, in halves, are those that an array says. Raises ValueError where they cannot be."""
    halves = np.zeros(0, np.uint8) if halves is None else np.asarray(halves)
    if halves.ndim != 1 or halves.dtype != np.uint8 or len(halves) > d:
        raise ValueError("array 'basis_rates' is not one rate a direction")
    if len(halves) and not 2 * LOWEST <= halves.min() <= halves.max() <= 2 * HIGHEST:
        raise ValueError(f"array 'basis_rates' has rates that are not between {LOWEST:g} and {HIGHEST:g} bits")
    size, extra_size = n_bytes(halves / 2, d)
    return {"basis": ((size,), np.uint8), "basis_extra": ((extra_size,), np.uint8), "basis_rates": (halves.shape, np.uint8)}


def decode(arrays: dict[str, Any], d: int) -> Any:
    """(m, d) float32; numpy arrays or torch tensors."""
    stream, halves = arrays["basis"], arrays["basis_rates"]
    xp = array_namespace(stream)
    distinct, labels = xp.unique_inverse(halves)
    rates = np.array([float(each) / 2 for each in distinct])
    schedule = Schedule(kinds_of(rates, d), STATES)
    lengths = xp.asarray(schedule.lengths, device=device(stream))[:, labels]
    starts, extra_starts = xp.cumulative_sum(lengths, axis=1) - lengths
    numbers = read(stream, arrays["basis_extra"], starts, extra_starts, labels, schedule)
    numbers = numbers * xp.asarray(scale_of(rates, d), device=device(stream))[labels][:, None]
    return numbers @ xp.asarray(mixing(d).T.astype(np.float32), device=device(stream))


def scale_of(rates: np.ndarray, d: int) -> np.ndarray:
    """Directions of length 1 have numbers of mean square 1/d."""
    return (spread(rates) / np.sqrt(d)).astype(np.float32)


@cache
def mixing(d: int) -> np.ndarray:
    """(d, d) a fixed orthogonal matrix: random signs and a cosine transform. It makes the numbers of any direction, of an axis too,
    much like normal ones, as the trellis wants them."""
    signs = np.where(np.bitwise_count(np.arange(1, d + 1) * 0x9E3779B1 & 0xFFFF0000) & 1, -1.0, 1.0)
    order, at = np.arange(d), np.arange(d) + 0.5
    cosines = np.sqrt(2 / d) * np.cos(np.pi / d * at[:, None] * order)
    cosines[:, 0] = np.sqrt(1 / d)
    return signs[:, None] * cosines
