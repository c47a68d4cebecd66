"""Some of the rows are as another method keeps them, all others are one row. Which are kept, a bit for each says."""

from collections.abc import Callable

import torch

from compress.export.decoders.frame import read_bits

OTHERS: dict[str, tuple[Callable, Callable]] = {}  # what prepares and decodes, by method; filled below
USUAL: dict[str, tuple[str | None, dict]] = {}  # the setting that size is chosen by, and numbers and words among the usual settings


def kept_by(header: dict) -> dict:
    """What the file would say of the kept rows alone."""
    rows, of, at = (header["settings"][name] for name in ("rows", "of", "at"))
    name, _, given = of.partition("(")
    knob, settings = USUAL[name][0], dict(USUAL[name][1])
    for each in given.split(")")[0].split(", "):
        key, _, value = each.partition("=")
        settings[key] = int(value) if value.isdigit() else value.strip("'")
    if knob is not None and at is not None:
        settings[knob] = int(at) if at == int(at) else at
    return {"method": name, "shape": [rows, header["shape"][1]], "settings": settings}


def prepare(header: dict, arrays: dict) -> dict:
    """The place of every row among the kept ones, -1 for the others, and what the other method needs."""
    other, own = kept_by(header), {name: array for name, array in arrays.items() if name not in ("kept_rows", "rest")}
    bits = read_bits(arrays["kept_rows"], torch.arange(header["shape"][0]), 1)
    return {**OTHERS[other["method"]][0](other, own), "places_of_rows": bits.cumsum(0) * bits - 1}


def decode(header: dict, arrays: dict, rows: torch.Tensor) -> torch.Tensor:
    """The vectors (r, dim) of rows (r,)."""
    other, place = kept_by(header), arrays["places_of_rows"][rows]
    vectors = OTHERS[other["method"]][1](other, arrays, place.clamp(min=0))
    return torch.where((place >= 0)[:, None], vectors, arrays["rest"])
