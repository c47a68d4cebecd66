"""Tables that are stored in fewer bits than their numbers: a file a scheme, each of which says whether a table is kept so."""

import numpy as np

from compress.sources.quantized import bitsandbytes, compressed_tensors, four_bits, gptq, keras, mlx, scaled
from compress.sources.quantized.packed import Packed

SCHEMES = (mlx, gptq, compressed_tensors, bitsandbytes, four_bits, keras, scaled)


def read(packed: Packed) -> tuple[np.ndarray, str] | None:
    """The table, decoded to float32, and its scheme in words; None where nothing says that it is quantized. Raises InputError where
    it is, in a way that is not read, or not as the shapes of its tensors say."""
    for scheme in SCHEMES:
        if (found := scheme.read(packed)) is not None:
            return found
    if packed.chosen.name.endswith("._data._data"):
        raise packed.refused("quanto packs several numbers in a byte; give the model in float16")
    if packed.signs:
        held = f"{packed.chosen.dtype} with {', '.join(packed.signs[:3])}"
        raise packed.refused(f"{held} is no scheme that is read; give the model in float16")
    return None
