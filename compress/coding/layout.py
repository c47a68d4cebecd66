"""What a compressed form keeps: the names, shapes and dtypes of its arrays, known before any fit."""

import math

import numpy as np

Layout = dict[str, tuple[tuple[int, ...], type]]


def bytes_of(layout: Layout) -> int:
    """Bytes of arrays of those shapes and dtypes."""
    return sum(math.prod(shape) * np.dtype(kind).itemsize for shape, kind in layout.values())


def check_stored(arrays: dict[str, np.ndarray], layout: Layout) -> None:
    """Raises ValueError unless the arrays are those of the layout, with finite entries."""
    for name in sorted(arrays.keys() ^ layout.keys()):
        raise ValueError(f"array {name!r} is {'missing' if name in layout else 'not known'}")
    for name, (shape, kind) in layout.items():
        array = arrays[name]
        if array.shape != shape or array.dtype != kind:
            raise ValueError(f"array {name!r} is {array.dtype} {array.shape}, not {np.dtype(kind)} {shape}")
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ValueError(f"array {name!r} has NaN or infinite entries")
