"""What the benchmarks share: a clock, a machine's line, an aligned table, a target met or missed."""

import os
import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial

from compress import EmbeddingMatrix, load_matrix


def heading(title: str) -> None:
    print(f"{title} ({os.cpu_count()} cores)\n")


def seconds(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def median_seconds(run: Callable[[EmbeddingMatrix], object], matrix: EmbeddingMatrix, times: int = 3) -> float:
    """The median time of a run on the matrix, which each time is new, so that no sum kept from a run before is used."""
    fresh = [EmbeddingMatrix(matrix.values) for _ in range(times)]
    return statistics.median(seconds(partial(run, each)) for each in fresh)


def demo() -> EmbeddingMatrix:
    """The demo matrix in memory, its pages touched."""
    return EmbeddingMatrix(load_matrix("demo").values.copy())


def against(value: float, target: float, form: str = ".4f") -> str:
    """A value beside the target that it should not exceed."""
    return f"{value:{form}} (≤ {target:{form}}: {'met' if value <= target else 'missed'})"


def table(columns: Sequence[str], rows: Sequence[Sequence]) -> None:
    """Prints rows under their columns, the first column flush left, the others right."""
    lines = [list(columns), *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(columns))]
    for line in lines:
        first, *others = (
            cell.rjust(width) if at else cell.ljust(width) for at, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        print("  ".join([first, *others]).rstrip())
