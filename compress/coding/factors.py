"""Stored factors: coefficients of every row and the bases they multiply, at 32, 16, 8 or 4 bits.

A row of group z is its coefficients (m,) times the group's basis (m, d). At 8 and 4 bits the coefficients are whole numbers on a
grid of their own for each group and direction; the step of the grid is folded into the scale of the matching basis row, which
every row of the group shares and which therefore never has fewer than 8 bits.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from array_api_compat import array_namespace

from compress.coding import packing
from compress.coding.layout import Layout, bytes_of
from compress.linalg.blocks import squared_norms, walk
from compress.linalg.lazy import LazyRows, Table
from compress.matrix import EmbeddingMatrix

BITS = (32, 16, 8, 4)
FLOAT = {32: np.float32, 16: np.float16}
LARGEST = {8: 127, 4: 7}  # of a grid's whole numbers
NOTHING = {32: -float(np.finfo(np.float32).max), 16: -65504.0, 8: -128.0, 4: -8.0}  # no coefficient is so low: the row is 0
SEEN = 4096  # rows that tell the step of a column
FAR = 2  # times as long as all of those: rows that are looked at too
LOW_CLIPS = np.array([0.01, 0.015, 0.02, 0.03, 0.04, 0.06, 0.08, 0.1, 0.13, 0.17, 0.2, 0.25], np.float32)  # where some rows are far
CLIPS = np.array([0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.8, 0.9, 1.0], np.float32)  # grid's end over the largest entry


def layout(n: int, d: int, groups: int, m: int, bits: int) -> Layout:
    """The arrays that keep n rows of m coefficients and `groups` bases of m × d."""
    if bits in FLOAT:
        return {"coefficients": ((n, m), FLOAT[bits]), "bases": ((groups, m, d), FLOAT[bits])}
    codes = ((n, m), np.int8) if bits == 8 else ((n, (m + 1) // 2), np.uint8)
    return {"coefficients": codes, "bases": ((groups, m, d), np.int8), "scales": ((groups, m), np.float32)}


def n_bytes(n: int, d: int, groups: int, m: int, bits: int) -> int:
    """Bytes of those arrays."""
    return bytes_of(layout(n, d, groups, m, bits))


def store(
    matrix: EmbeddingMatrix,
    coefficients: Table,
    bases: np.ndarray,
    bits: int,
    labels: np.ndarray | None = None,
    offsets: np.ndarray | None = None,
    refit: Callable[..., np.ndarray] | None = None,
) -> dict[str, np.ndarray]:
    """The arrays to keep for rows aᵢ ≈ coefficients (n, m) times bases[labels], bases (groups, m, d), plus offsets[labels].

    At 16 bits both factors are brought to a like size, so that neither leaves what float16 can hold. At 8 and 4 bits the bases are
    refitted to the rounded coefficients: by `least_squares`, or a function of the same arguments where the error is another.
    """
    if bits in FLOAT:
        even = 1.0 if bits == 32 else even_between(coefficients)
        kept: np.ndarray = np.empty(coefficients.shape, FLOAT[bits])
        for rows, block in walk(coefficients):
            kept[rows] = within(block / even, FLOAT[bits])
        return {"coefficients": kept, "bases": within(bases * even, FLOAT[bits])}
    labels = np.broadcast_to(np.int64(0), len(coefficients)) if labels is None else labels
    offsets = np.zeros((len(bases), bases.shape[2]), np.float32) if offsets is None else offsets
    codes, bases = np.zeros(coefficients.shape, np.int8), np.array(bases, dtype=np.float32)
    steps = np.ones(bases.shape[:2], np.float32)
    lengths = squared_norms(coefficients).astype(np.float32) if isinstance(coefficients, LazyRows) else np.zeros(0)
    for z in range(len(bases)):
        members = np.flatnonzero(labels == z)
        if isinstance(coefficients, LazyRows) and len(members) > SEEN:
            steps[z] = seen_steps(partial(some_of, coefficients, members), lengths[members], LARGEST[bits])
        elif len(members):
            steps[z] = grid_steps(coefficients[members], LARGEST[bits])
        bases[z] *= steps[z, :, None]
    for rows, block in walk(coefficients):
        codes[rows] = round_to(block, steps[labels[rows]], LARGEST[bits])
    bases = (refit or least_squares)(matrix, codes, bases, labels, offsets)
    return on_grids(codes, bases, bits)


def some_of(coefficients: Table, members: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """The coefficients of some members of a group, by their places in it."""
    return coefficients[members[rows]]


def even_between(coefficients: Table) -> Any:
    """The power of two by which coefficients are divided and bases multiplied, for both to be of a like size."""
    largest = max(np.abs(block).max() for _, block in walk(coefficients))
    return 2.0 ** np.round(np.log2(max(largest, 1e-30)) / 2)


def on_grids(codes: np.ndarray, bases: np.ndarray, bits: int) -> dict[str, np.ndarray]:
    """The arrays that keep whole numbers (n, m), at 8 or 4 bits, and the bases they multiply, these in 8 bits."""
    scales = np.maximum(np.abs(bases).max(axis=2), 1e-30).astype(np.float32) / 127  # (groups, m)
    return {
        "coefficients": codes if bits == 8 else packing.pack_nibbles(codes),
        "bases": np.rint(bases / scales[:, :, None]).astype(np.int8),
        "scales": scales,
    }


def within(numbers: np.ndarray, kind: type) -> np.ndarray:
    """The numbers in a float dtype, what would overflow at its end."""
    limit = np.finfo(kind).max
    return np.clip(numbers, -limit, limit).astype(kind)


def least_squares(
    matrix: EmbeddingMatrix,
    codes: np.ndarray,
    bases: np.ndarray,
    labels: np.ndarray,
    offsets: np.ndarray,
    weights: np.ndarray | None = None,
) -> np.ndarray:
    """The bases (groups, m, d) that with the given codes (n, m) come closest to the rows, weighted as in the matrix unless
    `weights` (n,) say otherwise; as given where no code is used."""
    weights = matrix.weights if weights is None else weights
    groups, m, d = bases.shape
    inner, cross = np.zeros((groups, m, m)), np.zeros((groups, m, d))
    for rows, block in walk(matrix.rows):
        for z in range(groups):
            members = np.flatnonzero(labels[rows] == z)
            used = codes[rows][members].astype(np.float32)
            weighted = used * weights[rows][members, None].astype(np.float32)
            inner[z] += weighted.T @ used
            cross[z] += weighted.T @ (block[members] - offsets[z])
    ridge = 1e-6 * np.trace(inner, axis1=1, axis2=2) / m + 1e-12  # (groups,)
    inner += ridge[:, None, None] * np.eye(m)
    return np.linalg.solve(inner, cross + ridge[:, None, None] * bases).astype(np.float32)


def grid_steps(numbers: np.ndarray, largest: int, axis: int = 0) -> np.ndarray:
    """The step of the grid −largest … largest that rounds the numbers along `axis` with the least squared error."""
    if axis == 0 and len(numbers) > SEEN:
        return seen_steps(lambda rows: numbers[rows], squared_norms(numbers), largest)
    return best_steps(numbers, largest, axis)


def seen_steps(numbers: Callable[[np.ndarray], np.ndarray], lengths: np.ndarray, largest: int) -> np.ndarray:
    """The steps of columns, as every so many-th row tells them, and the rows that are far longer than all of these: no grid ends
    before them unseen. numbers: of rows with given places. lengths: (n,) of all rows, squared."""
    every = max(len(lengths) // SEEN, 1)
    some = np.arange(0, len(lengths), every)
    far = np.flatnonzero(lengths > FAR**2 * lengths[some].max())
    counts = np.repeat([float(every), 1.0], [len(some), len(far)]) if len(far) else None
    return best_steps(numbers(np.concatenate([some, far])), largest, 0, counts)


def best_steps(numbers: np.ndarray, largest: int, axis: int, counts: np.ndarray | None = None) -> np.ndarray:
    """The same of all those numbers. counts: how many rows each stands for, where some are far longer than others."""
    top = np.maximum(np.abs(numbers).max(axis=axis, keepdims=True), 1e-30)
    clips = np.concatenate([LOW_CLIPS, CLIPS]) if counts is not None else CLIPS
    errors = []
    for clip in clips:
        step = clip * top / largest
        rounded = np.clip(np.rint(numbers / step), -largest, largest) * step
        squared = (numbers - rounded) ** 2
        errors.append(counts @ squared if counts is not None else squared.sum(axis=axis))
    return clips[np.argmin(errors, axis=0)] * np.squeeze(top, axis) / largest


def round_to(numbers: np.ndarray, steps: np.ndarray | np.float32, largest: int) -> np.ndarray:
    """The whole numbers −largest … largest nearest to numbers in those steps, int8."""
    return np.clip(np.rint(numbers / steps), -largest, largest).astype(np.int8)


def read_coefficients(arrays: dict[str, Any], rows: Any, m: int) -> Any:
    """The coefficients of some rows, (r, m) float32, in steps of their grids; numpy arrays or torch tensors."""
    stored = arrays["coefficients"][rows]
    xp = array_namespace(stored)
    if stored.dtype == xp.uint8:
        stored = packing.read_nibbles(stored, m)
    return xp.astype(stored, xp.float32)


def read_bases(arrays: dict[str, Any]) -> Any:
    """The bases, (groups, m, d) float32, with the steps of the grids multiplied in."""
    xp = array_namespace(arrays["bases"])
    bases = xp.astype(arrays["bases"], xp.float32)
    return bases * arrays["scales"][:, :, None] if "scales" in arrays else bases


def at_zero(arrays: dict[str, np.ndarray], rows: np.ndarray, m: int, bits: int) -> dict[str, np.ndarray]:
    """The arrays with some rows marked as 0, though they are points of flats that do not go through it."""
    marked: np.ndarray = np.zeros((len(rows), m), np.int8 if bits == 4 else arrays["coefficients"].dtype)
    marked[:, 0] = NOTHING[bits]
    coefficients = arrays["coefficients"].copy()
    coefficients[rows] = packing.pack_nibbles(marked) if bits == 4 else marked
    return arrays | {"coefficients": coefficients}


def trainable(arrays: dict[str, Any], m: int) -> dict[str, np.ndarray]:
    """Both factors in float32, coefficients in steps of their grids, as the `read_` functions take them too."""
    every = np.arange(len(arrays["coefficients"]))
    return {"coefficients": read_coefficients(arrays, every, m), "bases": read_bases(arrays)}


def stored(parameters: dict[str, np.ndarray], bits: int) -> dict[str, np.ndarray]:
    """The arrays that keep such factors."""
    coefficients, bases = parameters["coefficients"], parameters["bases"]
    if bits in FLOAT:
        return {"coefficients": within(coefficients, FLOAT[bits]), "bases": within(bases, FLOAT[bits])}
    codes = np.clip(np.rint(coefficients), -LARGEST[bits], LARGEST[bits]).astype(np.int8)
    return on_grids(codes, bases, bits)
