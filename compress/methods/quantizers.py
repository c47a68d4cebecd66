"""Rounding every entry: what most people reach for first."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from array_api_compat import array_namespace

from compress.coding import factors, packing
from compress.form.compressed import Compressed
from compress.form.trainable import Trainable
from compress.linalg.blocks import walk
from compress.methods.base import Method


@dataclass(frozen=True)
class RoundedRows(Method):
    """Every row on a grid of whole numbers with a step of its own, the one that rounds that row best.

    Steps are float16: entries below 3e-8 become 0, and the grid ends at the largest whole number times 65504.
    """

    bits: ClassVar[int]

    def fit(self, matrix, progress=None):
        n, d = matrix.shape
        largest = factors.LARGEST[self.bits]
        codes, scales = np.empty((n, self.row_bytes(d)), self.dtype), np.empty(n, np.float16)
        for rows, block in walk(matrix.values):
            steps = np.clip(factors.grid_steps(block, largest, axis=1), 6e-8, 65504).astype(np.float16)
            numbers = factors.round_to(block, steps.astype(np.float32)[:, None], largest)
            codes[rows] = numbers if self.bits == 8 else packing.pack_nibbles(numbers)
            scales[rows] = steps
        return Compressed(self, {"codes": codes, "scales": scales}, matrix.shape, matrix.digest)

    def decode(self, arrays, rows, d):
        codes, scales = arrays["codes"][rows], arrays["scales"][rows]
        xp = array_namespace(codes)
        if self.bits == 4:
            codes = packing.read_nibbles(codes, d)
        return xp.astype(codes, xp.float32) * xp.astype(scales, xp.float32)[:, None]

    def trainable(self, arrays, n, d):
        return Trainable({"scales": arrays["scales"].astype(np.float32)}, {"codes": arrays["codes"]})

    def stored(self, arrays, parameters):
        return arrays | {"scales": np.clip(parameters["scales"], 6e-8, 65504).astype(np.float16)}

    def layout(self, n, d):
        return {"codes": ((n, self.row_bytes(d)), self.dtype), "scales": ((n,), np.float16)}

    def parameter_count(self, n, d):
        return n * d + n

    def row_bytes(self, d):
        return d if self.bits == 8 else (d + 1) // 2


@dataclass(frozen=True)
class Int8(RoundedRows):
    """Each entry an 8-bit whole number, each row its own step: 4 times smaller than float32."""

    bits: ClassVar[int] = 8
    dtype: ClassVar[type] = np.int8
    name: ClassVar[str] = "int8"
    label: ClassVar[str] = "int8 by row"


@dataclass(frozen=True)
class Int4(RoundedRows):
    """Each entry a 4-bit whole number, each row its own step: 8 times smaller than float32."""

    bits: ClassVar[int] = 4
    dtype: ClassVar[type] = np.uint8
    name: ClassVar[str] = "int4"
    label: ClassVar[str] = "int4 by row"
