"""MLX: words of 32 bits, with a scale and a bias a group of columns; or floats of few bits with a scale a group."""

import numpy as np

from compress.sources.quantized.codes import E2M1, E4M3, E8M0, unpacked
from compress.sources.quantized.packed import Packed

BITS, GROUPS = (2, 3, 4, 5, 6, 8), (16, 32, 64, 128)
MODES = {"mxfp4": (4, 32, E2M1, E8M0), "mxfp8": (8, 32, E4M3, E8M0), "nvfp4": (4, 16, E2M1, E4M3)}


def read(packed: Packed) -> tuple[np.ndarray, str] | None:
    """The table and its scheme in words; None where it is not kept so."""
    if packed.chosen.dtype != "U32" or "scales" not in packed.beside or len(packed.beside["scales"].shape) != 2:
        return None
    n, words = packed.chosen.shape
    groups = packed.beside["scales"].shape[1]
    if packed.beside["scales"].shape[0] != n:
        raise packed.refused("its scales are not its rows'")
    if "biases" not in packed.beside:
        return in_floats(packed, n, words, groups)
    if packed.beside["biases"].shape != (n, groups):
        raise packed.refused("its biases are not its scales'")
    bits, group = bits_of(packed, words, groups)
    scales, biases, numbers = packed.scale("scales"), packed.scale("biases"), packed.array()
    d = groups * group

    def rows(first: int, stop: int) -> np.ndarray:
        found = unpacked(numbers[first:stop], bits).reshape(stop - first, groups, group).astype(np.float32)
        found *= scales[first:stop, :, None]
        found += biases[first:stop, :, None]
        return found.reshape(stop - first, d)

    return packed.decoded(n, d, rows), f"MLX in {bits} bits, groups of {group}"


def bits_of(packed: Packed, words: int, groups: int) -> tuple[int, int]:
    """Bits of a number and numbers of a group: what the config tells, else what alone the shapes leave."""
    told, columns = packed.number("bits"), packed.columns()
    fits = [
        (bits, size)
        for bits in BITS
        for size in GROUPS
        if 32 * words == bits * groups * size and told in (None, bits) and packed.number("group_size") in (None, size)
    ]
    fits = [fit for fit in fits if columns in (None, groups * fit[1])] or fits
    if len(fits) != 1:
        raise packed.refused("MLX packs it, and config.json tells how many bits a number has; give the model's folder")
    return fits[0]


def in_floats(packed: Packed, n: int, words: int, groups: int) -> tuple[np.ndarray, str]:
    """The same for scales without biases, of which the config tells the kind."""
    fits = (mode for mode, (bits, size, *_) in MODES.items() if 32 * words == bits * groups * size)
    mode = packed.setting("mode") or next(fits, None)
    if mode not in MODES:
        raise packed.refused("MLX packs it, and config.json beside it tells how; give the model's folder")
    bits, size, codes, scale_codes = MODES[mode]
    if 32 * words != bits * groups * size or packed.beside["scales"].dtype != "uint8":
        raise packed.refused(f"its shapes are not those of {mode}")
    scales, numbers = scale_codes[packed.array("scales")], packed.array()

    def rows(first: int, stop: int) -> np.ndarray:
        found = codes[unpacked(numbers[first:stop], bits)].reshape(stop - first, groups, size)
        return (found * scales[first:stop, :, None]).reshape(stop - first, -1)

    return packed.decoded(n, groups * size, rows), f"MLX {mode}"
