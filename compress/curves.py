"""Error figures of SVD that the spectrum does not tell, at many ranks from one pass over the rows."""

from collections.abc import Sequence

import numpy as np

from compress import blocks, factors
from compress.matrix import EmbeddingMatrix

BLOCK_BYTES = 2 << 20


def svd_figures(matrix: EmbeddingMatrix, bits: int, js: Sequence[int]) -> dict[str, np.ndarray]:
    """l1_error and median_row_error as in Evaluation, each (len(js),), of SVD at those ranks, ascending, with factors of so many
    bits. As in spectrum.rounded_errors, rounding to float16 and of the shared basis is left out."""
    axes = np.ascontiguousarray(matrix.axes[:, : max(js)], dtype=np.float32)
    steps, scales = grids(matrix, axes, bits)
    absolute, squared = np.zeros(len(js)), np.empty((len(js), matrix.shape[0]), np.float32)
    for rows, block in blocks.walk(matrix.values, BLOCK_BYTES):
        coefficients = block @ axes
        if steps is not None:
            coefficients = factors.round_to(coefficients, steps, factors.LARGEST[bits]) * scales
        left, done = np.array(block), 0
        for at, j in enumerate(js):
            left -= coefficients[:, done:j] @ axes[:, done:j].T
            absolute[at] += np.abs(left).sum(axis=1).sum(dtype=np.float64)
            squared[at, rows] = np.einsum("id,id->i", left, left)
            done = j
    there = matrix.squared_norms > 0
    row_errors = squared[:, there] / matrix.squared_norms[there].astype(np.float32)
    return {"l1_error": absolute / matrix.absolute_sum, "median_row_error": np.median(row_errors, axis=1)}


def grids(matrix: EmbeddingMatrix, axes: np.ndarray, bits: int) -> tuple[np.ndarray | None, np.ndarray | None]:
    """The step of each direction's grid (j,), and what a step is worth once the basis is refitted (j,); None for floats."""
    if bits in factors.FLOAT:
        return None, None
    steps, scales = np.empty(axes.shape[1], np.float32), np.empty(axes.shape[1], np.float32)
    weights = matrix.weights.astype(np.float32)
    for start in range(0, len(steps), 64):
        part = slice(start, start + 64)
        coefficients = blocks.project(matrix.values, axes[:, part], matrix.device)
        steps[part] = factors.grid_steps(coefficients, factors.LARGEST[bits])
        codes = factors.round_to(coefficients, steps[part], factors.LARGEST[bits]).astype(np.float32)
        scales[part] = weights @ (codes * coefficients) / np.maximum(weights @ codes**2, 1e-30)
    return steps, scales
