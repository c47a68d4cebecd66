"""bitsandbytes in 4 bits: NF4 and FP4, two numbers a byte, the largest entry of each block beside them, itself in 8 bits or not."""

import json

import numpy as np

from compress.sources.quantized.packed import Packed

NF4 = (
    *(-1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635, -0.18477343022823334),
    *(-0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224),
    *(0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0),
)
FP4 = (0.0, 0.0052083333, 0.66666667, 1.0, 0.33333333, 0.5, 0.16666667, 0.25)
CODES = {"nf4": NF4, "fp4": (*FP4, *(-code for code in FP4))}
STATE = "quant_state.bitsandbytes__"


def read(packed: Packed) -> tuple[np.ndarray, str] | None:
    """The table and its scheme in words; None where it is not kept so."""
    own = packed.own
    if packed.chosen.dtype not in ("uint8", "int8") or f"{own}.absmax" not in packed.beside:
        return None
    told = state_of(packed)
    kind = told.get("quant_type") or packed.setting("bnb_4bit_quant_type") or "nf4"
    numbers, absmax = packed.array().reshape(-1).view(np.uint8), packed.array(f"{own}.absmax").reshape(-1)
    n, d = shape_of(packed, told, 2 * numbers.size)
    if f"{own}.nested_absmax" in packed.beside:
        outer, code = packed.scale(f"{own}.nested_absmax").reshape(-1), packed.scale(f"{own}.nested_quant_map").reshape(-1)
        size = block_of(packed, told.get("nested_blocksize", 256), absmax.size, outer.size)
        if absmax.dtype != np.uint8 or code.size != 256:
            raise packed.refused("its blocks' largest entries are not in 8 bits")
        absmax = code[absmax] * outer[np.arange(absmax.size) // size] + np.float32(told.get("nested_offset", 0))
    size = block_of(packed, told.get("blocksize", packed.number("bnb_4bit_blocksize") or 64), n * d, absmax.size)
    has_map = f"{own}.quant_map" in packed.beside
    codes = packed.scale(f"{own}.quant_map").reshape(-1) if has_map else np.array(CODES.get(kind, ()), np.float32)
    if codes.size != 16:
        raise packed.refused(f"the 16 numbers of {kind} are not told")

    def rows(first: int, stop: int) -> np.ndarray:
        begin, end = first * d, stop * d
        pairs = numbers[begin // 2 : -(-end // 2)]
        each = np.stack([pairs >> 4, pairs & 15], axis=1).reshape(-1)[begin % 2 :][: end - begin]
        return (codes[each] * absmax[np.arange(begin, end) // size]).reshape(stop - first, d)

    return packed.decoded(n, d, rows), f"{str(kind).upper()} of bitsandbytes"


def state_of(packed: Packed) -> dict:
    """What the file tells of the numbers: their shape, the size of a block; nothing where it does not."""
    key = next((key for key in packed.beside if key.startswith(f"{packed.own}.{STATE}")), None)
    if key is None:
        return {}
    try:
        found = json.loads(packed.array(key).astype(np.uint8).tobytes())
        assert isinstance(found, dict)
        float(found.get("nested_offset", 0))
    except (ValueError, TypeError, RecursionError, AssertionError) as error:
        raise packed.refused("its quant_state is damaged") from error
    return found


def shape_of(packed: Packed, told: dict, count: int) -> tuple[int, int]:
    """(n, d), of so many packed numbers, or one less."""
    shape = told.get("shape")
    if isinstance(shape, list) and len(shape) == 2 and all(type(size) is int and size > 0 for size in shape):
        n, d = shape
    elif columns := packed.columns():
        n, d = count // columns, columns
    else:
        raise packed.refused("bitsandbytes packs it, and neither a quant_state nor config.json tells its shape")
    if n * d not in (count, count - 1):
        raise packed.refused(f"its {count:,} numbers are not {n:,} × {d:,}")
    return n, d


def block_of(packed: Packed, size: object, count: int, blocks: int) -> int:
    """The size of a block, where it gives that many."""
    if type(size) is not int or size < 1 or -(-count // size) != blocks:
        raise packed.refused(f"{blocks:,} blocks are not those of {count:,} numbers")
    return size
