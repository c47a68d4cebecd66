"""Near duplicates among 200,000 rows of 384 columns, planted at cosines of .90 to 1: seconds, how many are found, and memory.

Asked are 20 seconds on two cores and 99 % of the pairs. "even": rows in all directions alike, where cells say least of each other.
"grouped": around 2,000 centres. "as the demo": with its mean and covariance.
"""

import resource
import time
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from benchmarks.data import demo
from benchmarks.table import heading, table
from compress import EmbeddingMatrix
from compress.analysis.duplicates import components
from compress.analysis.near_rows import near_rows
from compress.linalg.blocks import unit_rows

N, DIM, PLANTED = 200_000, 384, 2_000
STEPS = (0.90, 0.92, 0.95, 1.0)


def main(arguments: Sequence[str] | None = None) -> None:
    heading(f"Near duplicates among {N:,} × {DIM}")
    columns = ("rows", "seconds", "seconds of CPU", "peak GB", *(f"found, {a:g} to {b:g}" for a, b in bounds()))
    table(columns, [measured(kind) for kind in ("even", "grouped", "as the demo")])


def bounds() -> list[tuple[float, float]]:
    return list(pairwise(STEPS))


def measured(kind: str) -> tuple[str, ...]:
    rng = np.random.default_rng(1)
    values = rows_of(kind, rng)
    rows = rng.choice(N, 2 * PLANTED, replace=False)
    sources, copies = rows[:PLANTED], rows[PLANTED:]
    cosines = rng.uniform(0.9 + 1e-4, 1, PLANTED)
    values[copies] = beside(values[sources], cosines, rng)
    matrix = EmbeddingMatrix(values)
    began, cpu = time.perf_counter(), time.process_time()
    near = near_rows(matrix, STEPS[0])
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    found = []
    for low, high in bounds():
        trees, some = components(N, near.pairs[near.cosines >= low]), (cosines > low + 1e-4) & (cosines <= high)
        found.append(f"{(trees[sources] == trees[copies])[some].mean():.2%}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return kind, f"{seconds:.1f}", f"{cpu:.1f}", f"{peak:.2f}", *found


def rows_of(kind: str, rng: np.random.Generator) -> np.ndarray:
    values = rng.standard_normal((N, DIM), dtype=np.float32)
    if kind == "grouped":
        centres = rng.standard_normal((2_000, DIM), dtype=np.float32)
        return 0.9 * centres[rng.integers(len(centres), size=N)] + 0.6 * values
    if kind == "as the demo":
        known = demo().values
        return values @ np.linalg.cholesky(np.cov(known.T) + 1e-9 * np.eye(DIM)).T.astype(np.float32) + known.mean(axis=0)
    return values


def beside(rows: np.ndarray, cosines: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Rows of the same lengths at those cosines to others."""
    unit = unit_rows(rows)
    away = rng.standard_normal(rows.shape, dtype=np.float32)
    away = unit_rows(away - (away * unit).sum(axis=1, keepdims=True) * unit)
    turned = cosines[:, None] * unit + np.sqrt(1 - cosines**2)[:, None] * away
    return turned * np.linalg.norm(rows, axis=1, keepdims=True)


if __name__ == "__main__":
    main()
