"""Numbers in small blocks with a scale each: what programs that run language models keep tables in."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from compress.checks import one_of, setting
from compress.coding import packing
from compress.coding.block_formats import FORMATS, INSTEAD, NESTED, SUPER, BlockFormat, for_width, whole
from compress.coding.factors import within
from compress.coding.layout import Layout
from compress.errors import Progress
from compress.form.compressed import Compressed
from compress.form.trainable import Trainable
from compress.linalg.blocks import walk
from compress.matrix import EmbeddingMatrix
from compress.methods.base import Method, tell_count, worse_than_nothing
from compress.solvers import block_scales

Parts = dict[str, np.ndarray]
FINEST = 2.0**-14  # the least scale of a group, in its zero


class InBlocks(Method):
    """A row cut into blocks of a few numbers, each number a code in its block's scale. Scales and zeros are what training moves."""

    decoder = "blocks"

    @abstractmethod
    def format_for(self, d: int) -> BlockFormat:
        """How rows of d numbers are kept."""

    @abstractmethod
    def encode(self, blocks: np.ndarray, kept: BlockFormat) -> Parts:
        """Codes (m, size), scales (m, 1) and zeros of blocks (m, size) of whole rows, by the names of the arrays."""

    def fit(self, matrix: EmbeddingMatrix, progress: Progress | None = None) -> Compressed:
        n, d = matrix.shape
        kept = self.format_for(d)
        short = -d % kept.block
        parts: list[Parts] = []
        for rows, values in walk(matrix.rows):
            filled = np.pad(values, ((0, 0), (0, short)), mode="edge") if short else values
            part = self.encode(np.ascontiguousarray(filled, np.float32).reshape(-1, kept.block), kept)
            part["codes"] = part["codes"].reshape(len(values), -1)[:, :d]
            parts.append(part)
            tell_count(progress, "row", rows.stop, n)
        arrays = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        result = Compressed(self, packed(arrays, kept, n, d), matrix.shape, matrix.digest)
        if kept.nested:  # scales have a least one, which may be many times that of a row near 0
            arrays["codes"][worse_than_nothing(matrix, result.rows)] = kept.values.index(0)
            result = replace(result, arrays=packed(arrays, kept, n, d))
        return result

    def decode(self, arrays: dict[str, Any], rows: Any, d: int) -> Any:
        return self.format_for(d).decode(arrays, rows, d)

    def trainable(self, arrays: dict[str, np.ndarray], n: int, d: int) -> Trainable:
        kept = self.format_for(d)
        moving = {name: arrays[name].astype(np.float32) for name in floats_of(kept)}
        if kept.scale is np.uint8:
            moving["scales"] = kept.read(arrays, "scales", np.arange(n), d)
        return Trainable(moving, {name: array for name, array in arrays.items() if name not in moving})

    def stored(self, arrays: dict[str, np.ndarray], parameters: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        return arrays | {
            name: powers(moved) if arrays[name].dtype == np.uint8 else within(moved, arrays[name].dtype.type)
            for name, moved in parameters.items()
        }

    def layout(self, n: int, d: int) -> Layout:
        return self.format_for(d).layout(n, d)

    def parameter_count(self, n: int, d: int) -> int:
        """Of the numbers, and of scales and zeros of blocks."""
        kept = self.format_for(d)
        return n * d + n * kept.blocks(d) * (1 + kept.zeros)


@dataclass(frozen=True)
class Groups(InBlocks):
    """Whole numbers of a few bits in groups of `group` columns, each with a scale and a zero in float16.

    bits: of a number. zero: "range" puts the least entry at 0 and the largest at the end, as torchao and GPTQ's rounding do; "hqq"
    moves the zero to lower the ℓ.7 norm of the errors; "none" keeps no zero, and the scale takes the entry that is largest in size
    to the end, as ExecuTorch's embeddings do.
    """

    name = "groups"
    label = "Groups"
    place = 12
    knob = "bits"
    surveyed = (3.5, 6.0, 7.0, 8.0, 10.0, 12.0)
    effort = 12

    bits: int = setting(4, one_of, (2, 3, 4, 8))
    group: int = setting(32, one_of, (32, 64, 128))
    zero: str = setting("range", one_of, ("none", "range", "hqq"))

    def format_for(self, d: int) -> BlockFormat:
        there = self.zero != "none"
        return BlockFormat(whole(0 if there else -(2 ** (self.bits - 1)), self.bits), self.group, zeros=there, in_steps=there)

    def encode(self, blocks: np.ndarray, kept: BlockFormat) -> Parts:
        most = 2**self.bits - 1
        if self.zero == "none":
            return symmetric(blocks, np.abs(blocks).max(axis=1, keepdims=True) * np.float32(2 / most), kept)
        scales, zeros = block_scales.ranges(blocks, most)
        scales = rounded(np.maximum(scales, np.abs(zeros) * FINEST))
        if self.zero == "hqq":
            zeros = block_scales.half_quadratic(blocks, scales, zeros, most)
        steps = rounded(zeros * block_scales.inverse(scales))
        return affine(blocks, scales, steps * scales, kept) | {"zeros": steps}

    @classmethod
    def precisions(cls, n: int, d: int) -> dict[str, Sequence[int]]:
        return {"group": (32, 64)}

    @classmethod
    def choices(cls, n: int, d: int) -> dict[str, Sequence[Any]]:
        return {**cls.precisions(n, d), "zero": ("hqq",)}

    def knob_values(self, n: int, d: int) -> Sequence[int]:
        return (2, 3, 4, 8)

    @property
    def draft(self) -> Self:
        return replace(self, zero="range") if self.zero == "hqq" else self

    @property
    def draft_words(self) -> str:
        return "with zeros by range"

    @classmethod
    def examples(cls) -> list[Self]:
        return [cls(), cls(bits=3, group=64, zero="hqq"), cls(bits=8, zero="none"), cls(bits=2, zero="hqq")]


@dataclass(frozen=True)
class BlockFormats(InBlocks):
    """The types that llama.cpp keeps tables in, and NF4 of bitsandbytes, filled as these do where no text tells what counts.

    format: a type by its name there. Types that end in K, and IQ4_XS, want rows of a multiple of 256 numbers; for others llama.cpp
    takes another type, and so does this: what a fit gives says which. Where it would refuse a type of 32 numbers too, the last
    block of a row is shorter here. NF4: blocks of 64 with their largest entry in float32, "NF4_nested" with that in 8 bits
    (T. Dettmers et al., *QLoRA*, 2023).
    """

    name = "blocks"
    label = "Block formats"
    place = 13
    surveyed = (3.5,)  # where all formats are within the size
    effort = 12

    format: str = setting("Q4_0", one_of, tuple(FORMATS))

    def fit(self, matrix: EmbeddingMatrix, progress: Progress | None = None) -> Compressed:
        return super(BlockFormats, replace(self, format=for_width(self.format, matrix.shape[1]))).fit(matrix, progress)

    def format_for(self, d: int) -> BlockFormat:
        return FORMATS[for_width(self.format, d)]

    def encode(self, blocks: np.ndarray, kept: BlockFormat) -> Parts:
        values, top = np.array(kept.values, np.float32), block_scales.largest(blocks)
        if self.format == "Q8_0":
            return symmetric(blocks, np.abs(top) / np.float32(127), kept)
        if self.format in ("Q4_0", "Q5_0"):
            return symmetric(blocks, top / values[0], kept)
        if self.format == "Q5_1":
            return affine(blocks, *block_scales.ranges(blocks, 31), kept)
        if self.format in ("NF4", "NF4_nested"):
            return symmetric(blocks, np.abs(top), kept)
        if self.format == "MXFP4":
            exponents = np.floor(np.log2(np.abs(top), where=top != 0, out=np.full_like(top, -125))) - 2
            return symmetric(blocks, np.exp2(exponents), kept)
        if kept.zeros:
            return counted(blocks, *of_range(blocks, self.format), kept)
        if self.format == "Q3_K":
            return counted(blocks, block_scales.one_by_one(blocks, values), None, kept)
        ends = [-values[0], *(values[0] + np.arange(-7, 8))] if "IQ4" in self.format else values[0] - np.arange(-9, 10) / 10
        scales = block_scales.least_squares(blocks, values, ends)
        return counted(blocks, scales, None, kept) if kept.scale_bits else symmetric(blocks, scales, kept)

    @classmethod
    def precisions(cls, n: int, d: int) -> dict[str, Sequence[Any]]:
        return {"format": [name for name in FORMATS if for_width(name, d) == name]}

    @classmethod
    def examples(cls) -> list[Self]:
        return [cls(format=name) for name in FORMATS if name not in INSTEAD]


def symmetric(blocks: np.ndarray, scales: np.ndarray, kept: BlockFormat) -> Parts:
    """Blocks without zeros, each number at its nearest value in those scales."""
    codes = block_scales.nearest(blocks * block_scales.inverse(scales), np.array(kept.values, np.float32))
    return {"codes": codes, "scales": scales}


def affine(blocks: np.ndarray, scales: np.ndarray, zeros: np.ndarray, kept: BlockFormat) -> Parts:
    """Blocks with zeros, each number at its nearest value."""
    codes = block_scales.nearest((blocks + zeros) * block_scales.inverse(scales), np.array(kept.values, np.float32))
    return {"codes": codes, "scales": scales, "zeros": zeros}


def of_range(blocks: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Scales and zeros as llama.cpp seeks them for a format that has both."""
    most, first, tries = {"Q2_K": (3, -0.5, 16), "Q4_K": (15, -1.0, 21), "Q5_K": (31, -0.5, 16)}[name]
    sizes, ends = np.abs(blocks), most + first + np.arange(tries) / 10
    if name == "Q2_K":
        return block_scales.scales_and_zeros(blocks, most, sizes, ends, by_size=True)
    root = np.sqrt((blocks**2).mean(axis=1, keepdims=True))
    return block_scales.scales_and_zeros(blocks, most, root + sizes, ends)


def counted(blocks: np.ndarray, scales: np.ndarray, zeros: np.ndarray | None, kept: BlockFormat) -> Parts:
    """Blocks whose scales, and zeros, are whole numbers times one of `SUPER` numbers: these, and the codes that suit them."""
    found = {"scales": count_in(scales, kept)} | ({} if zeros is None else {"zeros": count_in(zeros, kept)})
    in_use = {name: numbers * np.repeat(outer, SUPER // kept.block)[:, None] for name, (numbers, outer) in found.items()}
    codes = symmetric(blocks, in_use["scales"], kept) if zeros is None else affine(blocks, **in_use, kept=kept)
    arrays = {name: (numbers - kept.least).astype(np.uint8) for name, (numbers, _) in found.items()}
    return arrays | {f"outer_{name}": outer for name, (_, outer) in found.items()} | {"codes": codes["codes"]}


def count_in(floats: np.ndarray, kept: BlockFormat) -> tuple[np.ndarray, np.ndarray]:
    """Whole numbers (m, 1) of `scale_bits`, and the float that those of each `SUPER` numbers count in."""
    together = floats.reshape(-1, SUPER // kept.block)
    end = kept.least if kept.least else 2**kept.scale_bits - 1
    exact = block_scales.largest(together) / np.float32(end)
    numbers = np.clip(np.rint(together * block_scales.inverse(exact)), kept.least, kept.least + 2**kept.scale_bits - 1)
    return numbers.reshape(-1, 1).astype(np.float32), rounded(exact)[:, 0]


def packed(parts: Parts, kept: BlockFormat, n: int, d: int) -> dict[str, np.ndarray]:
    """The arrays that are kept of n rows of d codes, and of what goes with them."""
    arrays = {"codes": packing.pack_stream(parts["codes"].ravel(), kept.bits)}
    for name, array in parts.items():
        if name.startswith("outer"):
            arrays[name] = array.reshape(n, -1).astype(kept.scale)
        elif kept.scale_bits and name != "codes":
            arrays[name] = packing.pack_stream(array.ravel(), kept.scale_bits)
        elif kept.nested and name == "scales":
            arrays |= nested(array.reshape(n, -1))
        elif name != "codes":
            rows = array.reshape(n, -1)
            arrays[name] = powers(rows) if kept.scale is np.uint8 else within(rows, kept.scale)
    return arrays


def nested(scales: np.ndarray) -> dict[str, np.ndarray]:
    """Scales in 8 bits, less their mean, in blocks of `NESTED`, as bitsandbytes keeps them."""
    table, offset = dynamic_table(), scales.mean(dtype=np.float32)
    flat = (scales - offset).ravel()
    blocks = np.pad(flat, (0, -len(flat) % NESTED)).reshape(-1, NESTED)
    outer = np.abs(blocks).max(axis=1)
    codes = block_scales.nearest(blocks * block_scales.inverse(outer)[:, None], table).ravel()[: len(flat)]
    return {"scales": codes.reshape(scales.shape), "outer": outer, "offset": np.array([offset]), "table": table}


def dynamic_table() -> np.ndarray:
    """The 256 numbers, ascending, that bitsandbytes keeps anything in 8 bits by: of each of seven powers of ten the middles of even
    steps from a tenth of it to itself, twice as many as of the one before, with both signs; 0 and 1."""
    found = [0.0, 1.0]
    for power in range(7):
        edges = np.linspace(0.1, 1, 2**power + 1)
        middles = 10.0 ** (power - 6) * (edges[1:] + edges[:-1]) / 2
        found += [*middles, *-middles]
    return np.sort(np.array(found, np.float32))


def powers(scales: np.ndarray) -> np.ndarray:
    """Scales as powers of two, 127 more, in a byte."""
    return np.clip(np.rint(np.log2(np.maximum(scales, 2.0**-127))) + 127, 0, 254).astype(np.uint8)


def rounded(floats: np.ndarray) -> np.ndarray:
    """The floats as float16 has them."""
    return within(floats, np.float16).astype(np.float32)


def floats_of(kept: BlockFormat) -> list[str]:
    """The arrays that are floats which scale blocks or shift them."""
    if kept.nested:
        return ["outer"]
    names = ["scales", "zeros"][: 1 + kept.zeros]
    return [f"outer_{name}" for name in names] if kept.scale_bits else names if kept.scale is not np.uint8 else []
