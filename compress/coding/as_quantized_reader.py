"""Rows of whole numbers and their steps, compiled: straight into products with vectors, each number rounded as it was."""

from typing import Any

import numpy as np
from numba import njit

LEAST = np.float32(2.0**-14)  # of float16's numbers with all their bits; below them units of 2⁻²⁴ are counted
TO_UNITS = np.float32(0.75)  # added, it leaves a float32 no finer unit than that


@njit(nogil=True, cache=True)
def scale(numbers: Any, steps: Any, block: Any, out: Any) -> None:
    """Fills out (d,) float32 with whole numbers (d,) times their steps (blocks,)."""
    for b in range(len(steps)):
        own, step, part = numbers[b * block : (b + 1) * block], steps[b], out[b * block : (b + 1) * block]
        for i in range(len(part)):
            part[i] = np.float32(own[i]) * step


@njit(nogil=True, cache=True)
def halve(given: Any, given_bits: Any, rounded_bits: Any, rounded: Any, out: Any) -> None:
    """Fills out (d,) with float32 numbers rounded to the nearest float16, of two to the even one. The bits are those of the arrays
    beside them, as int32."""
    for i in range(len(out)):
        bits = given_bits[i]
        rounded_bits[i] = (bits + np.int32(0xFFF) + ((bits >> np.int32(13)) & np.int32(1))) & np.int32(-0x2000)
    for i in range(len(out)):
        units = (given[i] + TO_UNITS) - TO_UNITS
        out[i] = units if abs(given[i]) < LEAST else rounded[i]


@njit(nogil=True, fastmath=True, cache=True)
def dot(one: Any, other: Any) -> Any:
    """Σ of the products of two vectors."""
    total = np.float32(0)
    for i in range(len(one)):
        total += one[i] * other[i]
    return total


@njit(nogil=True, cache=True)
def multiply_rows(numbers: Any, steps: Any, half: Any, block: Any, vectors: Any, products: Any) -> None:
    """Fills products (r, v) with those of rows (r, d) and vectors (v, d). half: whether rows were rounded to float16."""
    d = numbers.shape[1]
    scaled, rounded, row = np.empty(d, np.float32), np.empty(d, np.float32), np.empty(d, np.float32)
    bits, rounded_bits = scaled.view(np.int32), rounded.view(np.int32)
    for r in range(len(numbers)):
        scale(numbers[r], steps[r], block, scaled)
        if half:
            halve(scaled, bits, rounded_bits, rounded, row)
        for v in range(len(vectors)):
            products[r, v] = dot(row if half else scaled, vectors[v])
