"""A table that was quantized before, as that of a model in GGUF's Q8_0: its whole numbers and their steps, found again, give it
back to the last bit, where any other code of as many bits would add an error of its own.
"""

from typing import Any

import numpy as np
from array_api_compat import array_namespace, device

from compress.coding import packing
from compress.coding.layout import Layout
from compress.coding.trellis_code import compiled, in_spans
from compress.linalg.blocks import walk
from compress.matrix import EmbeddingMatrix

BLOCK = 32  # numbers that share a step
END = 127  # the largest whole number
STEP_BITS = 15  # of a float16 above 0
AT_ONCE = 1 << 16  # steps that are read, since much is made beside them
KEPT = "whole_numbers"


def code(matrix: EmbeddingMatrix) -> dict[str, np.ndarray] | None:
    """The arrays that keep the matrix: whole numbers (n, d), steps of STEP_BITS, and whether what they give is rounded to float16,
    as in a model's file. None where that is not the matrix."""
    n, d = matrix.shape
    for half in (False, True):
        numbers, steps = np.empty((n, d), np.int8), np.empty((n, -(-d // BLOCK)), np.float16)
        for rows, block in walk(matrix.rows):
            numbers[rows], steps[rows] = nearest(block, half)
            if not np.array_equal(values(numbers[rows], steps[rows].astype(np.float32), half), block):
                break
        else:
            return {KEPT: numbers, "steps": stored_steps(steps), "in_float16": np.array([half], np.uint8)}
    return None


def nearest(block: np.ndarray, half: bool) -> tuple[np.ndarray, np.ndarray]:
    """Rows (r, d) as whole numbers (r, d) int8 of steps (r, blocks) float16, the largest of each block at the end. half: they were
    rounded to float16, so that a step may be a unit beside what the largest tells."""
    r, d = block.shape
    filled = np.pad(block, ((0, 0), (0, -d % BLOCK))).reshape(-1, BLOCK)
    steps = (np.abs(filled).max(axis=1) / END).astype(np.float16)
    numbers = whole(filled, steps)
    for further in (1, -1) if half else ():
        wrong = np.flatnonzero((values(numbers, steps.astype(np.float32)[:, None], half) != filled).any(axis=1) & (steps > 0))
        beside = (steps[wrong].view(np.int16) + np.int16(further)).view(np.float16)
        tried = whole(filled[wrong], beside)
        right = (values(tried, beside.astype(np.float32)[:, None], half) == filled[wrong]).all(axis=1)
        steps[wrong[right]], numbers[wrong[right]] = beside[right], tried[right]
    return numbers.reshape(r, -1)[:, :d], steps.reshape(r, -1)


def whole(blocks: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Blocks (b, BLOCK) as the nearest whole numbers of their steps (b,), int8."""
    inverse = 1 / np.where(steps > 0, steps, 1).astype(np.float32)
    return np.clip(np.rint(blocks * inverse[:, None]), -END, END).astype(np.int8)


def values(numbers: Any, steps: Any, half: bool) -> Any:
    """(r, d) float32 of whole numbers (r, d) and steps (r, blocks) float32; numpy arrays or torch tensors."""
    xp, d = array_namespace(numbers), numbers.shape[1]
    found = xp.astype(numbers, xp.float32) * steps[:, xp.arange(d, dtype=xp.int64, device=device(numbers)) // BLOCK]
    return xp.astype(xp.astype(found, xp.float16), xp.float32) if half else found


def opened(arrays: dict[str, Any]) -> dict[str, Any]:
    """What `decode` starts from: the whole numbers, the steps as floats, and whether to round."""
    numbers, told = arrays[KEPT], arrays["steps"]
    xp, (n, d) = array_namespace(told), numbers.shape
    scales = xp.asarray([2.0 ** (max(exponent, 1) - 25) for exponent in range(32)], dtype=xp.float32, device=device(told))

    def read(first: int, stop: int) -> Any:
        bits = packing.read_stream(told, STEP_BITS, xp.arange(first, stop, dtype=xp.int64, device=device(told)))
        return scales[bits >> 10] * xp.astype((bits & 1023) + 1024 * xp.astype(bits > 1023, xp.int64), xp.float32)

    count = n * -(-d // BLOCK)
    steps = xp.concat([read(first, min(first + AT_ONCE, count)) for first in range(0, count, AT_ONCE)])
    return {KEPT: numbers, "steps": xp.reshape(steps, (n, -1)), "in_float16": bool(arrays["in_float16"][0])}


def decode(arrays: dict[str, Any], rows: Any) -> Any:
    """Rows (r,) from what `opened` gives: (r, d) float32; numpy arrays or torch tensors."""
    return values(arrays[KEPT][rows], arrays["steps"][rows], arrays["in_float16"])


def multiply(arrays: dict[str, Any], vectors: np.ndarray) -> np.ndarray | None:
    """The products (n, v) float32 of all rows, from what `opened` gives, with vectors (v, d), without the rows in memory; None
    where what does so is not there, or not worth loading."""
    numbers, steps = np.asarray(arrays[KEPT]), np.asarray(arrays["steps"])
    reader = compiled(numbers.size, "as_quantized_reader")
    if not reader:
        return None
    found = np.empty((len(numbers), len(vectors)), np.float32)

    def run(rows: slice) -> None:
        reader.multiply_rows(numbers[rows], steps[rows], arrays["in_float16"], BLOCK, vectors, found[rows])

    in_spans(run, len(numbers), numbers.size)
    return found


def stored_steps(steps: np.ndarray) -> np.ndarray:
    """The array that keeps steps (n, blocks), as float16 without a sign."""
    halves = np.minimum(np.abs(steps), np.finfo(np.float16).max).astype(np.float16)
    return packing.pack_stream(halves.view(np.uint16).ravel(), STEP_BITS)


def layout(n: int, d: int) -> Layout:
    """Of what `code` gives."""
    told = (n * -(-d // BLOCK) * STEP_BITS + 7) // 8
    return {KEPT: ((n, d), np.int8), "steps": ((told,), np.uint8), "in_float16": ((1,), np.uint8)}
