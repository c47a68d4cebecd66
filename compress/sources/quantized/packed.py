"""A table in numbers that are not its own: the tensor that packs them, what lies beside it, and how it is decoded in blocks."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from compress.errors import InputError
from compress.guard.rooms import put, room
from compress.sources.choice.clues import COLUMNS, of_text, settings
from compress.sources.choice.info import TensorInfo
from compress.sources.limits import check_fits

RAW = {  # how NumPy is to look at dtypes that it does not have, or not under the name they have here
    **{"U16": "<u2", "U32": "<u4", "U64": "<u8", "BOOL": "?"},
    **{"F8_E4M3": "u1", "F8_E5M2": "u1", "F8_E8M0": "u1"},
}
SIZES = {"bfloat16": 2}  # bytes of an entry, where np.dtype does not tell
SUFFIXES = ("_qdata", ":qdata", "_packed", "_data", "_quantized")
SIGNS = ("scale", "absmax", "zero", "codebook", "quant_map", "SCB", "g_idx")
LATER = ("input", "output", "activation", "k_", "v_")  # of what is computed with the table
BLOCK = 1 << 20  # numbers that are decoded at a time


@dataclass(eq=False)
class Packed:
    """chosen: the tensor of the packed numbers. infos: all tensors of the file. stored: one of them as it lies there, see
    `table_of`. config: the content of config.json. where: the file's name, for messages."""

    chosen: TensorInfo
    infos: Sequence[TensorInfo]
    stored: Callable[[str], np.ndarray]
    config: Mapping[str, Any]
    where: str
    n_bytes: int = field(default=0, init=False)

    @property
    def stem(self) -> str:
        """What the names of all tensors of the same module begin with."""
        return self.chosen.name[: -len(self.own)]

    @property
    def own(self) -> str:
        """The rest of the name of the packed numbers, as "weight"."""
        return self.chosen.name.rpartition(".")[2]

    @property
    def base(self) -> str:
        """What the names of what lies beside them are made of: "weight" of "weight_packed"."""
        return next((self.own.removesuffix(end) for end in SUFFIXES if self.own.endswith(end)), self.own)

    @cached_property
    def beside(self) -> dict[str, TensorInfo]:
        """The other tensors of the module, by the rest of their names."""
        others = (info for info in self.infos if info.name.startswith(self.stem) and info != self.chosen)
        return {info.name[len(self.stem) :]: info for info in others}

    @property
    def of_rows(self) -> set[str]:
        """Names beside integers of floats of which there is one for all of them, or one a row: something that decodes them."""
        one = ((), (1,), (1, 1), *((side,) for side in self.chosen.shape[:1]), *((side, 1) for side in self.chosen.shape[:1]))
        held = self.beside.items() if self.stem and "int" in self.chosen.dtype else ()
        about = {key for key, info in held if info.shape in one and not info.packed and "." not in key}
        return {key for key in about if key != "bias" and not key.startswith(LATER)}

    @property
    def signs(self) -> list[str]:
        """Names beside a tensor that say that its numbers are not the table's own."""
        own = (key for key in self.beside if "." not in key.removeprefix(f"{self.own}.") and not key.startswith(LATER))
        return sorted({key for key in own if any(sign in key for sign in SIGNS)} | self.of_rows)

    @cached_property
    def scheme(self) -> Mapping[str, Any]:
        """The quantization that the config tells of, with what it says of this module alone."""
        for name in ("quantization", "quantization_config"):
            if isinstance(told := self.config.get(name), Mapping):
                own = told.get(self.stem.removesuffix("."))
                return {**told, **own} if isinstance(own, Mapping) else told
        return {}

    def setting(self, *names: str) -> Any:
        """The first of these that the quantization tells, in it or in what is nested in it."""

        def find(held: Any, depth: int = 0) -> Iterator[Any]:
            if isinstance(held, Mapping) and depth < 5:
                yield from (held[name] for name in names if held.get(name) is not None)
                for value in held.values():
                    yield from find(value, depth + 1)

        return next(find(self.scheme), None)

    def number(self, *names: str) -> int | None:
        """The same, where it is a whole number above 0."""
        found = self.setting(*names)
        return found if type(found) is int and 0 < found < 1 << 31 else None

    def columns(self) -> int | None:
        """How many columns the table has, where the config tells one number."""
        told = set(settings(of_text(self.config), COLUMNS))
        return told.pop() if len(told) == 1 else None

    def array(self, key: str | None = None) -> np.ndarray:
        """A tensor beside the packed numbers, or these for None, in bits where NumPy has no such dtype."""
        if key is not None and key not in self.beside:
            raise self.refused(f"{self.stem}{key} is missing")
        info = self.chosen if key is None else self.beside[key]
        found = self.stored(info.name)
        if info.dtype in RAW:
            kind = np.dtype(RAW[info.dtype])
            if found.nbytes != math.prod(info.shape) * kind.itemsize:
                raise self.refused(f"{info.name} has {found.nbytes:,} bytes, which {info.dtype} {info.shape} does not take")
            found = found.reshape(-1).view(kind).reshape(info.shape)
        self.n_bytes += found.size * (SIZES.get(info.dtype) or np.dtype(RAW.get(info.dtype, info.dtype)).itemsize)
        return found

    def scale(self, key: str) -> np.ndarray:
        """A tensor of scales beside the packed numbers, in float32."""
        from compress.sources.quantized.codes import FLOATS

        found, dtype = self.array(key), self.beside[key].dtype
        return FLOATS[dtype][found] if dtype in FLOATS else found.astype(np.float32)

    def first(self, *keys: str) -> str | None:
        """The first of these names that is beside the packed numbers; "{}" in one stands for `base`."""
        return next((key for each in keys if (key := each.replace("{}", self.base)) in self.beside), None)

    def refused(self, why: str) -> InputError:
        """That the table cannot be decoded, and why."""
        return InputError(f"The table of {self.where}, {self.chosen.name!r}, is quantized and cannot be decoded: {why}.")

    def decoded(self, n: int, d: int, rows: Callable[[int, int], np.ndarray]) -> np.ndarray:
        """(n, d) float32, from a function that decodes the rows from one number to another."""
        if n < 1 or d < 1:
            raise self.refused("its shape is empty")
        check_fits(4 * n * d, self.where)
        values = room((n, d))
        step = max(1, BLOCK // d)
        for first in range(0, n, step):
            put(values, first, rows(first, min(first + step, n)))
        return values
