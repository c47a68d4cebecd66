"""What a model's graph tells of its tensors beyond their names: which are looked up in, and by what scale numbers are decoded."""

from collections.abc import Iterable

import numpy as np

from compress.matrix import Stored
from compress.sources.choice.info import TensorInfo, notes_on, pick, ranked
from compress.sources.limits import check_fits


def tables_first(infos: Iterable[TensorInfo], looked_up: set[str]) -> list[TensorInfo]:
    """The 2-D tensors, those that ids are looked up in first."""
    infos = list(infos)
    return ranked(each for each in infos if each.name in looked_up) + ranked(each for each in infos if each.name not in looked_up)


def pick_table(
    infos: Iterable[TensorInfo], looked_up: set[str], tensor: str | None, where: str
) -> tuple[TensorInfo, tuple[str, ...]]:
    """The tensor of that name, or the likeliest one to be the table for None, and what is to be said of that choice; InputError
    where there is none."""
    infos = list(infos)
    tables = [each for each in infos if each.name in looked_up and len(each.shape) == 2]
    chosen = pick(infos if tensor else tables or infos, tensor, where)
    return chosen, notes_on(chosen, tables or infos, tensor)


def decoded(codes: np.ndarray, scale: np.ndarray, zero: np.ndarray, axis: int, where: str) -> np.ndarray:
    """(n, d) float32 of codes (n, d): scale · (code − zero), with one scale for all, or one for each place along an axis.

    Raises ValueError where there are as many scales as for neither.
    """
    check_fits(4 * codes.size, where)
    shape = [1, 1]
    if scale.size > 1:
        shape[axis] = codes.shape[axis]
    values = codes.astype(np.float32)
    if zero.size:
        values -= zero.astype(np.float32).reshape(shape if zero.size > 1 else (1, 1))
    values *= scale.astype(np.float32).reshape(shape)
    return values


def stored_by(dtype: str, n_codes: int, n_scales: int) -> Stored:
    """How a quantized table is stored, by codes of one byte or two and scales of four."""
    scales = "a scale" if n_scales == 1 else f"{n_scales:,} scales"
    return Stored(f"{dtype} with {scales}", n_codes * np.dtype(dtype).itemsize + 4 * n_scales)
