"""What every search.py has: NumPy under the names that decoders know, the file, rows decoded in blocks, the nearest of them."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import NormalDist
from types import SimpleNamespace
from typing import Any

import numpy as np

AT_ONCE = 2048  # rows that are decoded and scored at a time
TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1", "U8": "u1", "BOOL": "?"}


class Tensor(np.ndarray):
    """An array with what decoders ask of one."""

    def float(self) -> Any:
        return self.astype(np.float32)

    def half(self) -> Any:
        return self.astype(np.float16)

    def double(self) -> Any:
        return self.astype(np.float64)

    def int(self) -> Any:
        return self.astype(np.int32)

    def long(self) -> Any:
        return self.astype(np.int64)

    def clamp(self, min: Any = None, max: Any = None) -> Any:
        return np.clip(self, min, max)

    def flatten(self, start: Any = 0, end: Any = -1) -> Any:
        end = end % self.ndim
        return self.reshape(*self.shape[:start], -1, *self.shape[end + 1 :])

    def bincount(self) -> Any:
        return np.bincount(self).view(Tensor)

    def scatter_add(self, dim: Any, places: Any, values: Any) -> Any:
        found = self.copy()
        np.add.at(found, (np.arange(len(found))[:, None], places) if dim else places, values)
        return found

    def sqrt(self) -> Any:
        return np.sqrt(self)

    def cos(self) -> Any:
        return np.cos(self)

    def mul(self, factor: Any) -> Any:
        return self * factor


def tensor(values: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """Values as an array, those with a point in float32."""
    found = np.array(values)
    return found.astype(dtype or (np.float32 if found.dtype.kind == "f" else found.dtype)).view(Tensor)


torch = SimpleNamespace(
    Tensor=Tensor,
    tensor=tensor,
    uint8=np.uint8,
    int32=np.int32,
    int64=np.int64,
    float32=np.float32,
    arange=lambda *ends, device=None: np.arange(*ends).view(Tensor),
    zeros=lambda *shape, dtype=np.float32, device=None: np.zeros(shape, dtype).view(Tensor),
    ones_like=lambda array: np.ones_like(array),
    where=lambda which, one, other: np.asarray(np.where(which, one, other)).view(Tensor),
    cat=lambda arrays, dim=0: np.concatenate(arrays, axis=dim).view(Tensor),
    stack=lambda arrays, dim=0: np.stack(arrays, axis=dim).view(Tensor),
    special=SimpleNamespace(ndtri=lambda array: np.asarray(np.vectorize(NormalDist().inv_cdf)(array)).view(Tensor)),
    onnx=SimpleNamespace(is_in_onnx_export=lambda: False),
)


class Table:
    """The rows of a file, decoded when they are asked for. shape: (n, d)."""

    def __init__(self, header: dict, arrays: dict, prepare: Callable, decode: Callable):
        self.header, self.decode = header, decode
        self.shape: tuple[int, int] = tuple(header["shape"])
        self.arrays = {**arrays, **prepare(header, arrays)}

    def rows(self, rows: Any) -> np.ndarray:
        """Those rows (r,) of the table: (r, d) float32."""
        found = self.decode(self.header, self.arrays, np.asarray(rows).astype(np.int64).view(Tensor))
        return np.ldexp(found.astype(np.float32), self.header.get("exponent", 0)).view(np.ndarray)

    def blocks(self) -> Iterator[tuple[int, np.ndarray]]:
        """All rows, some at a time, each time with the number of the first."""
        for first in range(0, self.shape[0], AT_ONCE):
            yield first, self.rows(np.arange(first, min(first + AT_ONCE, self.shape[0])))

    def search(self, queries: Any, k: int = 10, similarity: str = "cosine") -> tuple[np.ndarray, np.ndarray]:
        """The k rows nearest to each query (q, d), the nearest first, (q, k), and their similarities: "cosine", "ip" for inner
        products, "l2" for squared distances, of which less is nearer."""
        queries = np.atleast_2d(np.asarray(queries, np.float32))
        if queries.shape[1] != self.shape[1]:
            raise ValueError(f"queries must have {self.shape[1]} columns, got {queries.shape[1]}")
        if similarity not in ("cosine", "ip", "l2"):
            raise ValueError(f"similarity must be cosine, ip or l2, got {similarity!r}")
        asked = unit(queries) if similarity == "cosine" else queries
        best = np.full((len(asked), 0), -np.inf, np.float32)
        ids = np.zeros((len(asked), 0), np.int64)
        for first, rows in self.blocks():
            scores = asked @ (unit(rows) if similarity == "cosine" else rows).T
            if similarity == "l2":
                scores -= (rows**2).sum(1) / 2
            best, every = np.concatenate([best, scores], 1), np.arange(first, first + len(rows))
            ids = np.concatenate([ids, np.broadcast_to(every, scores.shape)], 1)
            order = np.argsort(-best, axis=1, kind="stable")[:, :k]
            best, ids = np.take_along_axis(best, order, 1), np.take_along_axis(ids, order, 1)
        return ids, (asked**2).sum(1, keepdims=True) - 2 * best if similarity == "l2" else best


def unit(rows: np.ndarray) -> np.ndarray:
    """Rows of length 1; a row of zeros stays."""
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-30)


def opener(methods: tuple[str, ...], prepare: Callable, decode: Callable) -> Callable:
    """The function that opens a file."""

    def open_table(path: Any = "embedding.safetensors") -> Table:
        """The table that a file holds. Raises ValueError where it is none of these methods, or damaged."""
        content = np.fromfile(path, np.uint8)
        try:
            size = int(content[:8].view("<u8")[0])
            told = json.loads(content[8 : 8 + size].tobytes())
            header = json.loads(told.pop("__metadata__")["flatland"])
            if header["version"] not in (1, 2) or header["method"] not in methods:
                raise ValueError(f"it is of {header['method']}, version {header['version']}; this reads {', '.join(methods)}")
            arrays = {}
            for name, each in told.items():
                first, end = (8 + size + at for at in each["data_offsets"])
                array = np.frombuffer(content[first:end].tobytes(), TYPES[each["dtype"]])
                arrays[name] = array.reshape(each["shape"]).view(Tensor)
            table = Table(header, arrays, prepare, decode)
            table.rows([0, table.shape[0] - 1])
        except Exception as error:
            raise ValueError(f"{path} cannot be read ({error}); fetch it again") from error
        return table

    return open_table


def show(open_table: Callable, arguments: list[str]) -> None:
    """Prints the rows nearest to the queries of a .npy, a line a query."""
    table = open_table(Path(__file__).with_name("embedding.safetensors"))
    if not arguments:
        print(f"{table.shape[0]} x {table.shape[1]}; python {Path(sys.argv[0]).name} QUERIES.npy [K] [cosine | ip | l2]")
        return
    name, k, similarity, *_ = [*arguments, *("10", "cosine")[max(len(arguments) - 1, 0) :]]
    ids, scores = table.search(np.load(name), int(k), similarity)
    for found, near in zip(ids, scores, strict=True):
        print(*(f"{row}:{score:.4f}" for row, score in zip(found, near, strict=True)))
