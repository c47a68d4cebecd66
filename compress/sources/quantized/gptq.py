"""GPTQ and AWQ: integers of few bits in words of 32, a scale and a zero a group of columns, the table lying on its side."""

import numpy as np

from compress.sources.quantized.codes import unpacked
from compress.sources.quantized.packed import Packed

BITS = (2, 3, 4, 8)
AWQ_ORDER = (0, 4, 1, 5, 2, 6, 3, 7)  # which number of a word each of 8 is


def read(packed: Packed) -> tuple[np.ndarray, str] | None:
    """The table and its scheme in words; None where it is not kept so."""
    if packed.own != "qweight" or "scales" not in packed.beside or packed.chosen.dtype not in ("int32", "U32"):
        return None
    if len(packed.beside["scales"].shape) != 2:
        raise packed.refused("its scales are no matrix")
    return awq(packed) if packed.chosen.shape[1] != packed.beside["scales"].shape[1] else gptq(packed)


def gptq(packed: Packed) -> tuple[np.ndarray, str]:
    """qweight (d · bits / 32, n), scales (groups, n), qzeros (groups, n · bits / 32), g_idx (d,) the group of each column."""
    height, n = packed.chosen.shape
    groups = packed.beside["scales"].shape[0]
    told = packed.columns() or groups * (packed.number("group_size") or 128)
    d = packed.beside["g_idx"].shape[0] if "g_idx" in packed.beside else told
    bits = packed.number("bits", "w_bit") or (32 * height // d if d else 0)
    if bits not in BITS or 32 * height != bits * d:
        raise packed.refused(f"{32 * height:,} bits a row are not those of {d:,} columns")
    scales, words = packed.scale("scales"), packed.array().astype("<u4", copy=False)
    zeros = zeros_of(packed, bits, groups, n)
    of = packed.array("g_idx").astype(np.int64) if "g_idx" in packed.beside else np.arange(d) // -(-d // groups)
    if of.min() < 0 or of.max() >= groups:
        raise packed.refused("g_idx names a group that is not there")

    def rows(first: int, stop: int) -> np.ndarray:
        numbers = unpacked(words[:, first:stop].T, bits).astype(np.float32)  # (rows, d)
        numbers -= zeros[:, first:stop].T[:, of]
        numbers *= scales[:, first:stop].T[:, of]
        return numbers

    return packed.decoded(n, d, rows), f"GPTQ in {bits} bits"


def zeros_of(packed: Packed, bits: int, groups: int, n: int) -> np.ndarray:
    """(groups, n) what stands for zero: one more than is stored, but in the second version of the format; the middle where nothing
    is stored."""
    if "qzeros" not in packed.beside:
        return np.full((groups, n), 1 << (bits - 1), np.float32)
    zeros = packed.array("qzeros")
    if zeros.ndim != 2 or zeros.shape != (groups, -(-n * bits // 32)):
        raise packed.refused("its zeros are not its scales'")
    more = np.uint8(0 if packed.setting("checkpoint_format") == "gptq_v2" else 1)
    return unpacked(zeros.astype("<u4", copy=False), bits)[:, :n] + more & (1 << bits) - 1  # one more than the largest is 0


def awq(packed: Packed) -> tuple[np.ndarray, str]:
    """qweight (d, n / 8), scales (groups, n), qzeros (groups, n / 8); 8 numbers of a word are in an order of their own."""
    d, words = packed.chosen.shape
    groups, n = packed.beside["scales"].shape
    if n != 8 * words or not groups or d % groups or packed.number("bits", "w_bit") not in (None, 4):
        raise packed.refused("its shapes are those of neither GPTQ nor AWQ")
    if "qzeros" in packed.beside and packed.beside["qzeros"].shape != (groups, words):
        raise packed.refused("its zeros are not its scales'")
    scales, numbers, size = packed.scale("scales"), packed.array(), d // groups
    zeros = packed.array("qzeros") if "qzeros" in packed.beside else None

    def ordered(found: np.ndarray) -> np.ndarray:
        return unpacked(found, 4).reshape(len(found), -1, 8)[:, :, AWQ_ORDER].reshape(len(found), -1)

    def rows(first: int, stop: int) -> np.ndarray:
        whole = slice(first // 8, -(-stop // 8))
        part = slice(first - 8 * whole.start, stop - 8 * whole.start)
        found = ordered(numbers[:, whole])[:, part].astype(np.float32)  # (d, rows)
        found -= 8 if zeros is None else np.repeat(ordered(zeros[:, whole])[:, part], size, axis=0)
        found *= np.repeat(scales[:, first:stop], size, axis=0)
        return found.T

    return packed.decoded(n, d, rows), "AWQ in 4 bits"
