"""How the bytes of a coder by classes and directions are spent."""

from dataclasses import dataclass

import numpy as np

from compress.coding import basis_code, packing
from compress.coding.classes import Classes
from compress.coding.trellis_code import GUARD, HIGHEST_RATE, Schedule, kinds_at, rounded_rates

TABLES = 3  # bytes for each class and direction: kind, scale, mean
COLUMN = 4  # bytes more for each direction: the scale of its means
UNIT = 4  # the unit of scales
LEAST = 4.0**-HIGHEST_RATE  # share of a variance that the highest rate leaves


@dataclass(frozen=True, eq=False)
class Plan:
    """Which directions are kept, and the bits of their numbers.

    level: the weighted error θ at which every number that is worth a bit is coded. kept: (m,) places of the directions.
    rates: (c, m) bits. basis_rates: (m,) bits of the directions' own numbers, or None where columns are coded as they are.
    n_bytes: all in all. error: what an ideal coder would leave of all rows so.
    """

    level: float
    kept: np.ndarray
    rates: np.ndarray
    basis_rates: np.ndarray | None
    n_bytes: int
    error: float


def plan_at(level: float, classes: Classes, counts: np.ndarray, d: int, states: int, rotated: bool) -> Plan:
    """The plan at a level for classes of `counts` (c,) rows whose statistics are those of `classes`."""
    n = counts.sum()
    used = np.where(counts > 0, counts * classes.weights, 0)[:, None]
    energy = used * classes.variances + used * classes.means**2  # (c, m) of all rows
    ideal = classes.rates(level)
    rates = rounded_rates(ideal)
    left = np.minimum(used * classes.variances, np.maximum(counts[:, None] * level, used * classes.variances * LEAST))
    kept, basis_rates = np.arange(d), None
    if rotated:
        exchange = 2 * np.log(2) * level  # error for a bit
        possible = basis_code.rates_for(energy.sum(axis=0) / level, d)
        worth = (energy - left).sum(axis=0) - exchange * (counts @ ideal)
        kept = np.flatnonzero(worth > exchange * d * possible)
        if not len(kept):
            kept = np.array([worth.argmax()])
        basis_rates = possible[kept]
    schedule = Schedule(kinds_at(rates[:, kept]), states)
    streams = sum((int(counts @ lengths) + 7) // 8 for lengths in schedule.lengths)
    c, m = rates[:, kept].shape
    own = 0 if basis_rates is None else m + sum(basis_code.n_bytes(basis_rates, d))
    n_bytes = (c * TABLES + COLUMN) * m + UNIT + own + (int(n) * packing.width(c) + 7) // 8 + GUARD + streams
    error = float(left[:, kept].sum() + np.delete(energy, kept, axis=1).sum())
    return Plan(level, kept, rates[:, kept], basis_rates, n_bytes, error)


def plan_within(n_bytes: int, classes: Classes, counts: np.ndarray, d: int, states: int, rotated: bool) -> Plan | None:
    """The plan with the least level that takes at most so many bytes; None where even no bits for the rows take more."""
    high = float((classes.weights[:, None] * (classes.variances + classes.means**2)).max())
    low, found = high * 2.0**-44, None  # below that, the rounding of float32
    for _ in range(48):
        level = np.sqrt(low * high)
        plan = plan_at(level, classes, counts, d, states, rotated)
        if plan.n_bytes <= n_bytes:
            high, found = level, plan
        else:
            low = level
        if high / low < 1.0005:
            break
    return found


def least_bytes(d: int) -> int:
    """Bytes of a plan with one class, one direction and no bits for the rows."""
    return TABLES + COLUMN + UNIT + 1 + least_basis(d) + GUARD


def least_basis(d: int) -> int:
    """Bytes of a basis of one direction."""
    return sum(basis_code.n_bytes(np.array([basis_code.LOWEST]), d))
