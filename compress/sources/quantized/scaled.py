"""Eight bits a number with scales: integers, and floats of E4M3 or E5M2 with or without, as LLM.int8, DeepSeek, torchao, quanto and
compressed-tensors keep them."""

import numpy as np

from compress.sources.quantized.codes import FLOATS
from compress.sources.quantized.packed import Packed
from compress.sources.quantized.scales import spread

SCALES = ("{}_scale", "{}_scale_inv", "{}_scales", "{}:scale", "{}.scale", "scale_{}", "scale", "scales", "scale_inv")
ZEROS = ("{}_zero_point", "{}:zero_point", "zero_point", "zeros", "zero")
WORDS = {"F8_E4M3": "FP8 (E4M3)", "F8_E5M2": "FP8 (E5M2)"}
SCB = 127  # what the largest entry of a row becomes in LLM.int8, whose scales are these entries


def read(packed: Packed) -> tuple[np.ndarray, str] | None:
    """The table and its scheme in words; None where it is not kept so."""
    dtype = packed.chosen.dtype
    scales, scb = packed.first(*SCALES), packed.first("SCB", "{}.SCB")
    if not (dtype in WORDS or (dtype in ("int8", "uint8") and (scales or scb))) or "weight_scale_2" in packed.beside:
        return None
    n, d = packed.chosen.shape
    key = scales or scb
    if key is None and packed.signs:
        return None
    if key is None:
        numbers = packed.array()
        return packed.decoded(n, d, lambda first, stop: FLOATS[dtype][numbers[first:stop]]), WORDS[dtype]
    scale = packed.scale(key) if key != scb else packed.scale(key) / np.float32(SCB)
    of = spread(scale, n, d, block_of(packed))
    if of is None or (dtype == "uint8" and scale.shape != () and d * 2 == packed.columns()):
        return None
    layout = packed.first("weight_format")
    if layout and np.any(packed.array(layout)):
        raise packed.refused("its numbers are in the order of a kernel, which weight_format tells")
    zeros = packed.first(*ZEROS)
    if others := packed.of_rows - {key, zeros}:
        raise packed.refused(f"{', '.join(sorted(others)[:3])} beside {key} is no scheme that is read; give the model in float16")
    shift = spread(packed.array(zeros).astype(np.float32), n, d, block_of(packed)) if zeros else None
    if zeros and shift is None:
        raise packed.refused(f"{zeros} has a shape that is not its scales'")
    numbers = packed.array()

    def rows(first: int, stop: int) -> np.ndarray:
        found = FLOATS[dtype][numbers[first:stop]] if dtype in WORDS else numbers[first:stop].astype(np.float32)
        if shift:
            found -= shift(first, stop)
        found *= of(first, stop)
        return found

    kind = WORDS.get(dtype, "8-bit integers")
    return packed.decoded(n, d, rows), f"{kind} with {kind_of(scale, n)}"


def block_of(packed: Packed) -> tuple[int | None, int | None]:
    """Rows and columns that have one scale, as the config tells them."""
    told = packed.setting("weight_block_size", "block_structure")
    if isinstance(told, list) and len(told) == 2 and all(type(size) is int and size > 0 for size in told):
        return told[0], told[1]
    return None, packed.number("group_size")


def kind_of(scale: np.ndarray, n: int) -> str:
    """How many scales there are, in words."""
    if scale.size == 1:
        return "one scale"
    return "a scale a row" if scale.size == n else f"{scale.size:,} scales"
