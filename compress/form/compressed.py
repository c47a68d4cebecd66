"""A compressed matrix: what must be stored to decode it, and nothing else."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from compress.form.file import CHECKSUM, VERSION, WITH_EXPONENT, checksum, write
from compress.linalg import blocks

if TYPE_CHECKING:
    from compress.form.layers import CompressedEmbedding
    from compress.methods.base import Method

AT_ONCE = 256  # rows that are decoded at a time, so that what they need stays in the cache


@dataclass(frozen=True, eq=False)
class Compressed:
    """What a method's fit gives.

    method: the settings that were fitted. arrays: everything needed to decode, as it lies in the file. shape: (n, d) of the
    matrix. digest: of the matrix that was fitted. exponent: of the power of two that what the method decodes is multiplied by, not
    0 for very small or very large entries alone, see `EmbeddingMatrix.exponent`. It stands in the header, as the shape does.
    """

    method: "Method"
    arrays: dict[str, np.ndarray]
    shape: tuple[int, int]
    digest: str
    exponent: int = 0

    def __post_init__(self) -> None:
        arrays = {name: np.ascontiguousarray(array) for name, array in self.arrays.items()}  # a file keeps no strides
        object.__setattr__(self, "arrays", arrays)

    @property
    def header(self) -> dict:
        """What a file says beside the arrays, enough to decode them, and its checksum."""
        return self.said | {CHECKSUM: checksum(self.said)}

    @property
    def said(self) -> dict:
        """The same without the checksum."""
        header = {
            "version": WITH_EXPONENT if self.exponent else VERSION,
            "method": self.method.name,
            "settings": self.method.settings,
            "shape": list(self.shape),
            "digest": self.digest,
        }
        return header | {"exponent": self.exponent} if self.exponent else header

    @cached_property
    def n_bytes(self) -> int:
        """Bytes of everything needed to decode; the file is at most 4 KiB larger."""
        return sum(array.nbytes for array in self.arrays.values())

    @cached_property
    def key(self) -> str:
        """What results are kept under: a hash of the method, the shape, the matrix's digest and every array."""
        state = hashlib.blake2b(repr(self.said).encode(), digest_size=16)
        for name, array in sorted(self.arrays.items()):
            state.update(f"{name} {array.dtype} {array.shape}".encode())
            state.update(array.data)
        return state.hexdigest()

    @property
    def ratio(self) -> float:
        """Bytes of the matrix in float32 divided by the bytes of the compressed form."""
        return 4 * self.shape[0] * self.shape[1] / self.n_bytes

    @cached_property
    def prepared(self) -> dict:
        """What decoding starts from; made of the arrays when first asked for, and not stored."""
        return self.method.prepared(self.arrays, *self.shape)

    def rows(self, rows: ArrayLike) -> np.ndarray:
        """Decodes those rows only: (len(rows), d) float32, or for row numbers of another shape that shape and d.

        Raises IndexError for a row that is not there.
        """
        asked = np.asarray(rows)
        flat = asked.reshape(-1).astype(np.int64)
        if asked.size and asked.dtype.kind not in "iu":
            raise IndexError(f"rows must be whole numbers, got {asked.dtype}")
        outside = flat[(flat < 0) | (flat >= self.shape[0])]
        if len(outside):
            raise IndexError(f"rows must be between 0 and {self.shape[0] - 1}, got {outside[0]}")
        out = np.empty((len(flat), self.shape[1]), np.float32)
        for first in range(0, len(flat), AT_ONCE):
            part = slice(first, first + AT_ONCE)
            out[part] = self.method.decode(self.prepared, flat[part], self.shape[1])
        if self.exponent:
            np.ldexp(out, self.exponent, out=out)
        return out.reshape(*asked.shape, self.shape[1])

    def blocks(self) -> Iterator[tuple[slice, np.ndarray]]:
        """Consecutive rows decoded, some at a time: (slice, (r, d) float32)."""
        for rows in blocks.parts(self.shape):
            yield rows, self.rows(np.arange(rows.start, rows.stop))

    def reconstruct(self) -> np.ndarray:
        """The whole decoded matrix, (n, d) float32."""
        return self.rows(np.arange(self.shape[0]))

    def to_layer(self) -> "CompressedEmbedding":
        """A torch module that stands in for nn.Embedding: ids of any shape in, their vectors out."""
        from compress.form.layers import CompressedEmbedding

        layer = CompressedEmbedding(self)
        layer.prepared()  # a graph cannot
        return layer

    def save(self, path: str | Path) -> int:
        """Writes a safetensors file that compress.load reads; returns its bytes."""
        return write(path, self.arrays, self.header)
