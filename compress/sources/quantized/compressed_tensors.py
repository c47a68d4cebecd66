"""compressed-tensors: integers in words of 32 bits with a scale a group of columns. Where their bits do not divide 32, one that
begins late in a word goes on in the next, but in older files none does: the shape tells."""

from collections.abc import Callable

import numpy as np

from compress.sources.quantized.codes import in_words, unpacked
from compress.sources.quantized.packed import Packed
from compress.sources.quantized.scales import spread

BITS = (4, 8, 2, 3, 5, 6, 7, 1)


def read(packed: Packed) -> tuple[np.ndarray, str] | None:
    """The table and its scheme in words; None where it is not kept so."""
    if packed.own != "weight_packed" or packed.chosen.dtype != "int32" or "weight_scale" not in packed.beside:
        return None
    n, words = packed.chosen.shape
    scales = packed.scale("weight_scale")
    shape = packed.array("weight_shape").reshape(-1).tolist() if "weight_shape" in packed.beside else [n, packed.columns()]
    d = shape[1] if len(shape) == 2 and shape[0] == n else None
    told = packed.number("num_bits", "bits")
    tried = ((each, way) for each in ([told] if told else BITS) for way in (in_words, unpacked) if each in BITS)
    bits, way = next(((each, way) for each, way in tried if d and words == words_of(d, each, way)), (None, None))
    if d is None or bits is None or way is None:
        raise packed.refused("weight_shape and config.json do not tell its shape and bits")
    of = spread(scales, n, d, (None, packed.number("group_size")))
    if of is None:
        raise packed.refused("its scales are not its rows'")
    middle, numbers, shift = 1 << (bits - 1), packed.array(), None
    if "weight_zero_point" in packed.beside:
        zeros = packed.array("weight_zero_point")
        if packed.beside["weight_zero_point"].dtype == "int32":  # packed too, along the rows
            zeros = way(zeros.reshape(len(zeros), -1).T, bits).T[:n].astype(np.float32) - middle
        shift = spread(zeros.astype(np.float32), n, d, (None, packed.number("group_size")))
        if shift is None:
            raise packed.refused("its zeros are not its scales'")
    g_idx = packed.array("weight_g_idx").astype(np.int64) if "weight_g_idx" in packed.beside else None
    if g_idx is not None and g_idx.size == d and g_idx.min() >= 0 and g_idx.max() < scales.shape[1]:
        raise packed.refused("its columns are grouped in an order of their own")

    def rows(first: int, stop: int) -> np.ndarray:
        found = way(numbers[first:stop], bits)[:, :d].astype(np.float32)
        found -= middle
        if shift:
            found -= shift(first, stop)
        found *= of(first, stop)
        return found

    return packed.decoded(n, d, rows), f"compressed-tensors in {bits} bits"


def words_of(d: int, bits: int, way: Callable) -> int:
    """Words that d numbers of so many bits take, read in that way."""
    return -(-d // (32 // bits)) if way is in_words else -(-d * bits // 32)
