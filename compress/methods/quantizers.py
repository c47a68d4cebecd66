"""Rounding every entry: what most people reach for first."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from array_api_compat import array_namespace

from compress.coding import factors, packing
from compress.coding.layout import Layout
from compress.errors import Progress
from compress.form.compressed import Compressed
from compress.form.trainable import Trainable
from compress.linalg.blocks import walk
from compress.matrix import EmbeddingMatrix
from compress.methods.base import Method


@dataclass(frozen=True)
class RoundedRows(Method):
    """Every row on a grid of whole numbers with a step of its own, the one that rounds that row best.

    Steps are float16: entries below 3e-8 become 0, and the grid ends at the largest whole number times 65504.
    """

    decoder = "rounded"

    bits: ClassVar[int]
    dtype: ClassVar[type]

    def fit(self, matrix: EmbeddingMatrix, progress: Progress | None = None) -> Compressed:
        n, d = matrix.shape
        largest = factors.LARGEST[self.bits]
        codes: np.ndarray = np.empty((n, self.row_bytes(d)), self.dtype)
        scales = np.empty(n, np.float16)
        for rows, block in walk(matrix.rows):
            steps = np.clip(factors.grid_steps(block, largest, axis=1), 6e-8, 65504).astype(np.float16)
            numbers = factors.round_to(block, steps.astype(np.float32)[:, None], largest)
            codes[rows] = numbers if self.bits == 8 else packing.pack_nibbles(numbers)
            scales[rows] = steps
        return Compressed(self, {"codes": codes, "scales": scales}, matrix.shape, matrix.digest)

    def row_bytes(self, d: int) -> int:
        """Bytes of a row's codes."""
        return d if self.bits == 8 else (d + 1) // 2

    def decode(self, arrays: dict[str, Any], rows: Any, d: int) -> Any:
        codes, scales = arrays["codes"][rows], arrays["scales"][rows]
        xp = array_namespace(codes)
        if self.bits == 4:
            codes = packing.read_nibbles(codes, d)
        return xp.astype(codes, xp.float32) * xp.astype(scales, xp.float32)[:, None]

    def trainable(self, arrays: dict[str, np.ndarray], n: int, d: int) -> Trainable:
        return Trainable({"scales": arrays["scales"].astype(np.float32)}, {"codes": arrays["codes"]})

    def stored(self, arrays: dict[str, np.ndarray], parameters: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        return arrays | {"scales": np.clip(parameters["scales"], 6e-8, 65504).astype(np.float16)}

    def layout(self, n: int, d: int) -> Layout:
        return {"codes": ((n, self.row_bytes(d)), self.dtype), "scales": ((n,), np.float16)}

    def parameter_count(self, n: int, d: int) -> int:
        return n * d + n

    def check_stored(self, arrays: dict[str, np.ndarray], n: int, d: int) -> None:
        super().check_stored(arrays, n, d)
        if self.bits * d % 8 and (arrays["codes"][:, -1] >> 4).any():
            raise ValueError(f"array 'codes' has rows of more than {d:,} numbers")


@dataclass(frozen=True)
class Int8(RoundedRows):
    """Each entry an 8-bit whole number, each row its own step: 4 times smaller than float32."""

    name = "int8"
    label = "int8 by row"
    place = 9

    bits = 8
    dtype = np.int8


@dataclass(frozen=True)
class Int4(RoundedRows):
    """Each entry a 4-bit whole number, each row its own step: 8 times smaller than float32."""

    name = "int4"
    label = "int4 by row"
    place = 10

    bits = 4
    dtype = np.uint8
