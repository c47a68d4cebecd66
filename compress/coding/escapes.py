"""Numbers that lie too far from their class for its code, kept one by one beside it, so that no row is thrown away."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device, is_torch_array

from compress.coding.classes import Classes
from compress.coding.layout import Layout
from compress.matrix import EmbeddingMatrix

ENTRY = 5  # bytes: one says how many rows further, two in which direction, two are a float16
UNIT = 4
GAP = 255  # rows that one entry can be further; entries of 0 stand where it is more
MOST = 64  # in a row, the farthest
LARGEST = 32768  # of the float16s: the largest number is so many units


@dataclass(frozen=True, eq=False)
class Escapes:
    """Which numbers escape. rows: (e,) in order. directions, over: (e,) of each, and how far it is beyond its code's end."""

    rows: np.ndarray
    directions: np.ndarray
    over: np.ndarray

    @cached_property
    def between(self) -> np.ndarray:
        """(e,) how many entries of 0 stand before each."""
        return np.maximum(np.diff(self.rows, prepend=0) - 1, 0) // GAP

    @property
    def n_bytes(self) -> int:
        """Bytes of `stored`."""
        return ENTRY * (len(self.rows) + int(self.between.sum())) + UNIT if len(self.rows) else 0

    def within(self, room: int) -> "Escapes":
        """The farthest of them, as many as so many bytes hold."""
        order, kept = np.argsort(-self.over, kind="stable"), self
        while kept.n_bytes > room:
            count = len(kept.rows) - -(-(kept.n_bytes - room) // ENTRY)
            chosen = np.sort(order[: max(count, 0)])
            kept = Escapes(self.rows[chosen], self.directions[chosen], self.over[chosen])
        return kept

    def at(self, first: int, last: int) -> tuple[slice, np.ndarray, np.ndarray]:
        """Which of them lie in the rows from first to last, and where among those."""
        part = slice(*np.searchsorted(self.rows, [first, last]))
        return part, self.rows[part] - first, self.directions[part]

    def stored(self, halves: np.ndarray, unit: np.float32) -> dict[str, np.ndarray]:
        """The arrays that keep numbers, (e,) float16 in some unit; none where there are none."""
        if not len(self.rows):
            return {}
        at = np.cumsum(self.between + 1) - 1
        gaps, directions = np.full(at[-1] + 1, GAP, np.uint8), np.zeros(at[-1] + 1, np.uint16)
        values = np.zeros(at[-1] + 1, np.float16)
        gaps[at] = np.diff(self.rows, prepend=0) - GAP * self.between
        directions[at], values[at] = self.directions, halves
        return {"escape_gaps": gaps, "escape_directions": directions, "escape_values": values, "escape_unit": np.array([unit])}


def beyond(away: np.ndarray, ends: np.ndarray, weights: np.ndarray, level: float) -> np.ndarray:
    """(n, m) by how much numbers escape, 0 for those that do not: where `away`, their distances from their classes' means, goes so
    far over the ends of their codes (n, m) that the error is worth an entry's bits, at the exchange of bits for error of that level
    (rate_plan.py)."""
    over = np.abs(away)
    over -= ends
    over *= np.sqrt(weights)[:, None].astype(np.float32)
    over[over <= np.sqrt(2 * np.log(2) * 8 * ENTRY * level)] = 0
    many = np.flatnonzero(np.count_nonzero(over, axis=1) > MOST)
    if len(many):
        own = over[many]
        own[own <= -np.partition(-own, MOST, axis=1)[:, MOST : MOST + 1]] = 0
        over[many] = own
    return over


def classes_within(
    coefficients: np.ndarray, labels: np.ndarray, weights: np.ndarray, classes: Classes, apart: np.ndarray
) -> Classes:
    """The classes of rows (n, m) with what escapes, `apart` (n, m), at the means that its classes have."""
    inner = np.where(apart, classes.means[labels].astype(np.float32), coefficients) if apart.any() else coefficients
    return Classes.of(inner, labels, weights, len(classes.shares))


def unit_for(matrix: EmbeddingMatrix, inverse: np.ndarray) -> np.float32:
    """A unit in which float16 holds twice the largest number of the matrix in directions, the columns of `inverse` (d, m)."""
    longest = np.sqrt(matrix.squared_norms.max()) * np.linalg.norm(inverse, axis=0).max(initial=0)
    return np.float32(max(2 * longest / LARGEST, 1e-30))


def stretched(arrays: dict[str, np.ndarray], lengths: np.ndarray) -> dict[str, np.ndarray]:
    """The arrays, if there are any, for numbers that are so many times as large, (m,) by direction."""
    if "escape_values" not in arrays:
        return {}
    values = arrays["escape_values"] * lengths[arrays["escape_directions"]]
    most = max(np.abs(values).max() / LARGEST, 1e-30)
    return {"escape_values": (values / most).astype(np.float16), "escape_unit": (arrays["escape_unit"] * most).astype(np.float32)}


def layout(arrays: dict[str, np.ndarray], n: int, m: int) -> Layout:
    """Of what `stored` gives for n rows in m directions, as many as an array says. Raises ValueError where they cannot be."""
    names = ("escape_gaps", "escape_directions", "escape_values", "escape_unit")
    if not any(name in arrays for name in names):
        return {}
    gaps, directions = (np.asarray(arrays.get(name, np.zeros(0, np.uint8))) for name in names[:2])
    if gaps.ndim != 1 or not len(gaps) or gaps.sum(dtype=np.int64) >= n:
        raise ValueError("array 'escape_gaps' has entries of rows that are not there")
    if directions.dtype != np.uint16 or directions.max(initial=0) >= m:
        raise ValueError("array 'escape_directions' has directions that are not there")
    if np.bincount(np.cumsum(gaps, dtype=np.int64)).max() > 2 * MOST:
        raise ValueError("array 'escape_gaps' has too many entries in a row")
    kinds = (np.uint8, np.uint16, np.float16)
    return {**{name: (gaps.shape, kind) for name, kind in zip(names, kinds, strict=False)}, names[3]: ((1,), np.float32)}


def opened(arrays: dict[str, Any], n: int) -> dict[str, Any]:
    """What `add` looks up: where the entries of each of n rows begin, their directions and values; nothing where there are none."""
    if "escape_gaps" not in arrays:
        return {}
    xp = array_namespace(arrays["escape_gaps"])
    rows = xp.cumulative_sum(xp.astype(arrays["escape_gaps"], xp.int64))
    first = xp.searchsorted(rows, xp.arange(n + 1, dtype=xp.int64, device=device(rows)))
    return {
        "escape_rows": rows,
        "escape_first": first,
        "escape_slots": xp.arange(int(xp.max(first[1:] - first[:-1])), dtype=xp.int64, device=device(rows)),
        "escape_directions": xp.astype(arrays["escape_directions"], xp.int64),
        "escape_values": xp.astype(arrays["escape_values"], xp.float32) * arrays["escape_unit"],
    }


def add(numbers: Any, rows: Any, prepared: dict[str, Any]) -> Any:
    """The numbers (r, m) of those rows with their entries added."""
    if "escape_first" not in prepared:
        return numbers
    xp = array_namespace(numbers)
    first, slots = prepared["escape_first"], prepared["escape_slots"]
    at = first[rows][:, None] + slots[None, :]  # (r, slots)
    there = at < first[rows + 1][:, None]
    at = xp.where(there, at, xp.zeros_like(at))
    directions = prepared["escape_directions"][at]
    values = xp.where(there, prepared["escape_values"][at], xp.zeros_like(prepared["escape_values"][at]))
    if is_torch_array(numbers):
        return numbers.scatter_add(1, directions, values)
    np.add.at(numbers, (np.arange(len(rows))[:, None], directions), values)
    return numbers


def multiply(products: np.ndarray, vectors: np.ndarray, prepared: dict[str, Any]) -> np.ndarray:
    """The products (n, v) of all rows with vectors (v, m), with those of their entries added in place."""
    if "escape_first" in prepared:
        rows, directions, values = (np.asarray(prepared[f"escape_{name}"]) for name in ("rows", "directions", "values"))
        np.add.at(products, rows, values[:, None] * vectors.T[directions])
    return products
