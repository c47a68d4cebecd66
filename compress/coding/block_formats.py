"""Numbers kept in blocks, each with a scale of its own: groups of whole numbers, GGUF's types, and NF4 of bitsandbytes.

A number is what its code stands for, times its block's scale, less its block's zero. Scales and zeros are floats; or whole numbers
of a few bits that count in a float which `SUPER` numbers share; or, nested, codes of a table in floats that `NESTED` blocks share.
The last block of a row is shorter where the columns are no multiple of its size.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device

from compress.coding import packing
from compress.coding.layout import Layout
from compress.sources.quantized.bitsandbytes import NF4

SUPER, NESTED = 256, 256  # numbers, blocks
IQ4 = (-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113)
E2M1 = (-6.0, -4.0, -3.0, -2.0, -1.5, -1.0, -0.5, 0.0, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0)


@dataclass(frozen=True)
class BlockFormat:
    """How blocks are kept.

    values: what the codes stand for, 2^bits of them. block: numbers in a block. scale: the type of a block's scale, uint8 for a
    power of two, 127 more; where scales count in a float, that float's. scale_bits: of a block's scale, and of its zero, where they
    do. zeros: whether there are any. in_steps: whether they are told in scales. nested: whether scales are codes of a table.
    """

    values: tuple[float, ...]
    block: int
    scale: type = np.float16
    scale_bits: int = 0
    zeros: bool = False
    in_steps: bool = False
    nested: bool = False

    @property
    def bits(self) -> int:
        """Of a code."""
        return packing.width(len(self.values))

    @property
    def least(self) -> int:
        """The least number that a scale of `scale_bits` counts: with zeros none is below 0."""
        return 0 if self.zeros else -(2 ** (self.scale_bits - 1))

    def blocks(self, d: int) -> int:
        """Blocks of a row."""
        return -(-d // self.block)

    def layout(self, n: int, d: int) -> Layout:
        """The arrays that keep n rows of d numbers."""
        blocks, supers = self.blocks(d), -(-d // SUPER)
        found: Layout = {"codes": (((n * d * self.bits + 7) // 8,), np.uint8)}
        if self.nested:
            shared: Layout = {"outer": ((-(-n * blocks // NESTED),), self.scale), "offset": ((1,), self.scale)}
            return found | shared | {"scales": ((n, blocks), np.uint8), "table": ((256,), np.float32)}
        for name in ("scales", "zeros")[: 1 + self.zeros]:
            if self.scale_bits:
                found[name] = (((n * blocks * self.scale_bits + 7) // 8,), np.uint8)
                found[f"outer_{name}"] = ((n, supers), self.scale)
            else:
                found[name] = ((n, blocks), self.scale)
        return found

    def decode(self, arrays: dict[str, Any], rows: Any, d: int) -> Any:
        """Rows (r,) from those arrays: (r, d) float32; numpy arrays and torch tensors alike."""
        xp = array_namespace(rows)
        column = xp.arange(d, dtype=xp.int64, device=device(rows))
        codes = packing.read_stream(arrays["codes"], self.bits, rows[:, None] * d + column)
        numbers = xp.asarray(self.values, dtype=xp.float32, device=device(rows))[codes]
        scales = self.read(arrays, "scales", rows, d)
        numbers = numbers * scales[:, column // self.block]
        if not self.zeros:
            return numbers
        zeros = self.read(arrays, "zeros", rows, d)
        return numbers - (zeros * scales if self.in_steps else zeros)[:, column // self.block]

    def read(self, arrays: dict[str, Any], name: str, rows: Any, d: int) -> Any:
        """The scales or zeros of rows, (r, blocks) float32."""
        xp, blocks, stored = array_namespace(rows), self.blocks(d), arrays[name]
        place = xp.arange(blocks, dtype=xp.int64, device=device(rows))
        if self.scale_bits:
            counted = packing.read_stream(stored, self.scale_bits, rows[:, None] * blocks + place) + self.least
            shared = xp.astype(arrays[f"outer_{name}"][rows], xp.float32)[:, place * self.block // SUPER]
            return xp.astype(counted, xp.float32) * shared
        if self.nested:
            own = arrays["table"][xp.astype(stored[rows], xp.int64)]
            return own * arrays["outer"][(rows[:, None] * blocks + place) // NESTED] + arrays["offset"]
        if stored.dtype == xp.uint8:
            return 2.0 ** (xp.astype(stored[rows], xp.float32) - 127)
        return xp.astype(stored[rows], xp.float32)


def whole(low: int, bits: int) -> tuple[float, ...]:
    """The whole numbers of so many bits from `low` on."""
    return tuple(float(each) for each in range(low, low + 2**bits))


FORMATS = {
    "Q8_0": BlockFormat(whole(-128, 8), 32),
    "Q6_K": BlockFormat(whole(-32, 6), 16, scale_bits=8),
    "Q5_1": BlockFormat(whole(0, 5), 32, zeros=True),
    "Q5_K": BlockFormat(whole(0, 5), 32, scale_bits=6, zeros=True),
    "Q5_0": BlockFormat(whole(-16, 5), 32),
    "Q4_0": BlockFormat(whole(-8, 4), 32),
    "Q4_K": BlockFormat(whole(0, 4), 32, scale_bits=6, zeros=True),
    "IQ4_NL": BlockFormat(IQ4, 32),
    "IQ4_XS": BlockFormat(IQ4, 32, scale_bits=6),
    "MXFP4": BlockFormat(E2M1, 32, scale=np.uint8),
    "NF4": BlockFormat(NF4, 64, scale=np.float32),
    "NF4_nested": BlockFormat(NF4, 64, scale=np.float32, nested=True),
    "Q3_K": BlockFormat(whole(-4, 3), 16, scale_bits=6),
    "Q2_K": BlockFormat(whole(0, 2), 16, scale_bits=4, zeros=True),
}
INSTEAD = {  # what llama.cpp keeps where a row is no multiple of 256 numbers
    "Q6_K": "Q8_0",
    "Q5_K": "Q5_1",
    "Q4_K": "Q5_0",
    "Q3_K": "Q4_0",
    "Q2_K": "Q4_0",
    "IQ4_XS": "IQ4_NL",
}


def for_width(name: str, d: int) -> str:
    """The format that llama.cpp keeps rows of d numbers in where it is asked for one."""
    return INSTEAD.get(name, name) if d % SUPER else name
