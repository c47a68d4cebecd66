"""Rows that are not used dropped, and the others kept by any other method."""

import ast
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
from array_api_compat import array_namespace, device

from compress.checks import real, setting, whole
from compress.coding import packing
from compress.coding.layout import Layout, bytes_of, check_stored
from compress.errors import Progress
from compress.form.compressed import Compressed
from compress.form.trainable import Trainable
from compress.linalg import blocks
from compress.matrix import EmbeddingMatrix
from compress.methods.base import Method

OWN = KEPT, REST = "kept_rows", "rest"  # arrays: a bit for every row, and the row that stands for all that are dropped
PLACES = "places_of_rows"  # prepared: of each row among those that are kept, -1 for a dropped one


def a_method(name: str, value: Any) -> None:
    """Raises ValueError unless the setting is the text of a method."""
    named(value, name)


@dataclass(frozen=True)
class Trimmed(Method):
    """The rows that weigh most, as another method keeps them; all others decode to one row, their mean.

    rows: how many are kept; of those that weigh the same the first. of: the method, with what is not as usual of its settings, as
    "trellis" or "svd(factor_bits=4)". at: the setting of it that size is chosen by, such as j or rate; None for the usual one.
    Stored besides: a bit a row, and the mean. The relative error counts dropped rows in full, the weighted error as they weigh:
    weights of 0, as those of another script, drop out of it.
    """

    name = "trimmed"
    label = "Trimmed"
    place = 20
    decoder = "trimmed"
    knob = "at"
    coded = True
    combines = True
    effort = 14

    rows: int = setting(10_000, whole, 2)
    of: str = setting("trellis", a_method)
    at: float | None = setting(None, real, 0, math.inf)

    def __post_init__(self) -> None:
        super().__post_init__()
        assert self.inner

    @cached_property
    def inner(self) -> Method:
        """The method that keeps the rows."""
        found = named(self.of)
        if self.at is None:
            return found
        if found.knob is None:
            raise ValueError(f"at must be left out for {found.name}, which has one size, got {self.at!r}")
        counted = any(each.name == found.knob and each.type is int for each in fields(found))
        return found.turned_to(int(self.at) if counted and self.at == int(self.at) else self.at)

    def around(self, inner: Method) -> Self:
        """The same rows, kept by that setting of the same method."""
        return replace(self, at=inner.settings[inner.knob]) if inner.knob else self

    def fit(self, matrix: EmbeddingMatrix, progress: Progress | None = None) -> Compressed:
        self.check(*matrix.shape)
        kept = self.kept(matrix)
        return self.with_rest(matrix, kept, self.inner.fit(part_of(matrix, kept), progress))

    def fit_under(self, matrix: EmbeddingMatrix, root: np.ndarray, progress: Progress | None = None) -> Compressed:
        self.check(*matrix.shape)
        kept = self.kept(matrix)
        return self.with_rest(matrix, kept, self.inner.fit_under(part_of(matrix, kept), root, progress))

    def kept(self, matrix: EmbeddingMatrix) -> np.ndarray:
        """(n,) whether each row is kept."""
        found = np.zeros(matrix.shape[0], bool)
        found[np.argsort(-matrix.weights, kind="stable")[: self.rows]] = True
        return found

    def with_rest(self, matrix: EmbeddingMatrix, kept: np.ndarray, result: Compressed) -> Compressed:
        """The form of all rows, from that of the kept ones."""
        total = np.zeros(matrix.shape[1])
        for rows, block in blocks.walk(matrix.rows):
            total += block[~kept[rows]].sum(axis=0, dtype=np.float64)
        mean = np.ldexp(total / max(len(kept) - self.rows, 1), -result.exponent).astype(np.float32)
        own = {KEPT: packing.pack_stream(kept, 1), REST: mean}
        return Compressed(self, result.arrays | own, matrix.shape, matrix.digest, result.exponent)

    def in_units(self, exponent: int) -> Self:
        inner = self.inner.in_units(exponent)
        return self if inner == self.inner else replace(self, of=spelled(inner))

    def prepared(self, arrays: dict[str, Any], n: int, d: int) -> dict[str, Any]:
        """What the other method starts from, and the place of each row among the kept ones."""
        return {**self.inner.prepared(others(arrays), self.rows, d), REST: arrays[REST], PLACES: places(arrays[KEPT], n)}

    def decode(self, arrays: dict[str, Any], rows: Any, d: int) -> Any:
        place = arrays[PLACES][rows]
        xp, there = array_namespace(place), place >= 0
        vectors = self.inner.decode(arrays, place * xp.astype(there, xp.int64), d)
        return xp.where(there[:, None], vectors, arrays[REST])

    def against(self, arrays: dict[str, Any], vectors: Any) -> dict[str, Any] | None:
        inner = self.inner.against(arrays, vectors)
        return inner and {**inner, REST: arrays[REST] @ vectors.T}

    def products(self, arrays: dict[str, Any], vectors: Any) -> Any | None:
        found, place = self.inner.products(arrays, vectors), arrays[PLACES]
        if found is None:
            return None
        xp = array_namespace(place)
        return xp.where((place >= 0)[:, None], found[place * xp.astype(place >= 0, xp.int64)], arrays[REST] @ vectors.T)

    def trainable(self, arrays: dict[str, np.ndarray], n: int, d: int) -> Trainable:
        opened = self.inner.trainable(others(arrays), self.rows, d)
        return Trainable({**opened.parameters, REST: arrays[REST]}, {**opened.fixed, PLACES: places(arrays[KEPT], n)})

    def stored(self, arrays: dict[str, np.ndarray], parameters: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        own = {KEPT: arrays[KEPT], REST: parameters[REST].astype(np.float32)}
        return self.inner.stored(others(arrays), others(parameters)) | own

    def layout(self, n: int, d: int) -> Layout | None:
        inner = self.inner.layout(self.rows, d)
        return None if inner is None else inner | self.besides(n, d)

    def besides(self, n: int, d: int) -> Layout:
        """The arrays beside those of the other method."""
        return {KEPT: (((n + 7) // 8,), np.uint8), REST: ((d,), np.float32)}

    def size(self, n: int, d: int) -> int:
        return self.inner.size(self.rows, d) + bytes_of(self.besides(n, d))

    def bulk(self, n: int, d: int) -> tuple[str, int]:
        return self.inner.bulk(self.rows, d)

    def parameter_count(self, n: int, d: int) -> int:
        return self.inner.parameter_count(self.rows, d) + d

    def check(self, n: int, d: int) -> None:
        whole("rows", self.rows, 2, n, f"the matrix has {n:,} rows")
        self.inner.check(self.rows, d)

    def check_stored(self, arrays: dict[str, np.ndarray], n: int, d: int) -> None:
        self.check(n, d)
        check_stored({name: arrays[name] for name in OWN if name in arrays}, self.besides(n, d))
        bits = np.unpackbits(arrays[KEPT], bitorder="little")
        if bits[:n].sum() != self.rows or bits[n:].any():
            raise ValueError(f"array {KEPT!r} does not name {self.rows:,} rows")
        self.inner.check_stored(others(arrays), self.rows, d)

    @classmethod
    def choices(cls, n: int, d: int) -> dict[str, Sequence[Any]]:
        return {"rows": sorted({max(2, n * quarter // 4) for quarter in (1, 2, 3)})}

    @classmethod
    def told_by(cls, matrix: EmbeddingMatrix) -> dict[str, Any]:
        """The rows that weigh more than the least, where several weigh that, as those that a text never uses."""
        used = int(np.count_nonzero(matrix.weights > matrix.weights.min()))
        return {"rows": used} if 2 <= used < len(matrix.weights) - 1 else {}

    def knob_values(self, n: int, d: int) -> Sequence[int]:
        return self.inner.knob_values(self.rows, d)

    def within(self, n: int, d: int, n_bytes: float) -> Self | None:
        inner = self.inner.within(self.rows, d, n_bytes - bytes_of(self.besides(n, d))) if self.rows <= n else None
        return self.around(inner) if inner else None

    def smallest(self, n: int, d: int) -> Self:
        return self.around(self.inner.smallest(self.rows, d))

    @property
    def draft(self) -> Self:
        inner = self.inner.draft
        return self if inner == self.inner else replace(self, of=spelled(inner))

    @property
    def quick(self) -> bool:
        return self.inner.quick

    @property
    def draft_words(self) -> str:
        return self.inner.draft_words

    @classmethod
    def examples(cls) -> list[Self]:
        return [
            cls(rows=100, of="svd(factor_bits=8)", at=3),
            cls(rows=200, of="int8"),
            cls(rows=60, of="trellis(states=256)", at=6.0),
            cls(rows=240, of="pq(code_bits=4)", at=11),
        ]


def part_of(matrix: EmbeddingMatrix, kept: np.ndarray) -> EmbeddingMatrix:
    """The kept rows, with their weights."""
    return EmbeddingMatrix(matrix.rows[kept], weights=matrix.weights[kept], name=matrix.name, device=matrix.device)


def others(arrays: dict[str, Any]) -> dict[str, Any]:
    """The arrays of the other method."""
    return {name: array for name, array in arrays.items() if name not in OWN}


def places(stream: Any, n: int) -> Any:
    """(n,) the place of each row among the kept ones, -1 for a dropped one, from a bit a row; numpy arrays or torch tensors."""
    xp = array_namespace(stream)
    bits = packing.read_stream(stream, 1, xp.arange(n, dtype=xp.int64, device=device(stream)))
    return xp.cumulative_sum(bits) * bits - 1


def spelled(method: Method) -> str:
    """The text of a method, with what is not as usual."""
    told = [f"{each.name}={method.settings[each.name]!r}" for each in fields(method) if method.settings[each.name] != each.default]
    return f"{method.name}({', '.join(told)})" if told else method.name


def named(text: Any, setting: str = "of") -> Method:
    """The method of a text as `spelled` gives it. Raises ValueError where there is none, or a setting of it is out of bounds."""
    known = {each.name: each for each in kinds(Method) if not each.combines}
    try:
        call = ast.parse(text, mode="eval").body
        called, given = (call.func, call.keywords) if isinstance(call, ast.Call) and not call.args else (call, [])
        assert isinstance(called, ast.Name)
        kind, settings = known[called.id], {str(each.arg): ast.literal_eval(each.value) for each in given}
        if settings.keys() <= {each.name for each in fields(kind)}:
            return kind(**settings)
    except (SyntaxError, AssertionError, KeyError, TypeError, RecursionError):
        pass
    raise ValueError(f"{setting} must be a method with its settings, such as trellis or svd(factor_bits=4), got {text!r}")


def kinds(kind: type) -> Iterator[type[Method]]:
    """Every class of methods below one that has a name."""
    below: list[type] = kind.__subclasses__()
    for one in below:
        if "name" in vars(one):
            yield one
        yield from kinds(one)
