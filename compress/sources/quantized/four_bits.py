"""Two numbers a byte: floats of E2M1 with scales of 8 bits (NVFP4, MXFP4), and torchao's integers."""

import numpy as np

from compress.sources.quantized.codes import E2M1, E4M3, E8M0, unpacked
from compress.sources.quantized.packed import Packed
from compress.sources.quantized.scales import spread

SCALES = ("{}_scale", "{}:scale")
ZEROS = ("{}_zero_point", "{}:zero_point")
AGAIN = ("{}_scale_2", "{}_global_scale")  # one more scale for the whole table; the second divides


def read(packed: Packed) -> tuple[np.ndarray, str] | None:
    """The table and its scheme in words; None where it is not kept so."""
    key = packed.first(*SCALES)
    if key is None or packed.chosen.dtype not in ("uint8", "int8"):
        return None
    n, d = packed.chosen.shape[0], 2 * packed.chosen.shape[1]
    kind, shape = packed.beside[key].dtype, packed.beside[key].shape
    if kind in ("F8_E4M3", "F8_E8M0", "uint8") and len(shape) == 2 and shape[0] == n and shape[1] * 32 >= d:
        return in_floats(packed, key, n, d)
    zeros = packed.first(*ZEROS)
    if zeros and packed.own.endswith("qdata") and len(shape) == 2 and shape[1] == n and packed.beside[zeros].shape == shape:
        return in_integers(packed, key, zeros, n, d)
    return None


def in_floats(packed: Packed, key: str, n: int, d: int) -> tuple[np.ndarray, str]:
    """E2M1 codes, lower half of a byte first."""
    nv = packed.beside[key].dtype == "F8_E4M3"
    scale = (E4M3 if nv else E8M0)[packed.array(key)]
    again = packed.first(*AGAIN)
    if again:
        whole = packed.scale(again).reshape(-1)
        if whole.size != 1 or not whole[0]:
            raise packed.refused(f"{again} is not one number")
        scale = scale / whole if again.endswith("global_scale") else scale * whole
    of = spread(scale, n, d, (1, 16 if nv else 32))
    if of is None:
        raise packed.refused("its scales are not its rows'")
    numbers = packed.array().view(np.uint8)
    values = packed.decoded(n, d, lambda first, stop: E2M1[unpacked(numbers[first:stop], 4)] * of(first, stop))
    return values, "NVFP4" if nv else "MXFP4"


def in_integers(packed: Packed, key: str, zeros: str, n: int, d: int) -> tuple[np.ndarray, str]:
    """Signed integers, with a scale and a value at 0 a group of columns, these on their side."""
    scale, at_zero = (spread(packed.scale(each).T, n, d, (1, packed.number("group_size"))) for each in (key, zeros))
    if scale is None or at_zero is None:
        raise packed.refused("its scales are not its rows'")
    numbers = packed.array().view(np.uint8)

    def rows(first: int, stop: int) -> np.ndarray:
        signed = ((unpacked(numbers[first:stop], 4) ^ 8).astype(np.int8) - 8).astype(np.float32)
        return signed * scale(first, stop) + at_zero(first, stop)

    return packed.decoded(n, d, rows), "torchao in 4 bits"
