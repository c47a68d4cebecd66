"""Keras: integers of 8 bits that a row's scale divides, in variables that a layer's file numbers."""

import numpy as np

from compress.sources.quantized.packed import Packed

LARGEST = 127  # what the largest entry of a row becomes


def read(packed: Packed) -> tuple[np.ndarray, str] | None:
    """The table and its scheme in words; None where it is not kept so."""
    if packed.chosen.dtype != "int8" or packed.own != "0" or not packed.stem.endswith("vars.") or not packed.beside:
        return None
    n, d = packed.chosen.shape
    if packed.beside.keys() != {"1"} or packed.beside["1"].shape not in ((n,), (n, 1)):
        raise packed.refused("its other variables are not one scale a row; give the model before quantize()")
    numbers, scale = packed.array(), packed.scale("1").reshape(n, 1)
    largest = np.maximum(numbers.max(axis=1), -numbers.min(axis=1).astype(np.int16))
    if not np.isin(largest, (0, LARGEST)).all() or not (scale > 0).all():
        raise packed.refused("Keras packs two numbers of 4 bits in a byte; give the model before quantize()")
    return packed.decoded(n, d, lambda first, stop: numbers[first:stop] / scale[first:stop]), "Keras in 8 bits"
