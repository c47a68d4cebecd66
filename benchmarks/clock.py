"""How long something takes."""

import statistics
import time
from collections.abc import Callable
from functools import partial

from compress import EmbeddingMatrix


def seconds(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def median_seconds(run: Callable[[EmbeddingMatrix], object], matrix: EmbeddingMatrix, times: int = 3) -> float:
    """The median time of a run on the matrix, which each time is new, so that no sum kept from a run before is used."""
    fresh = [EmbeddingMatrix(matrix.values) for _ in range(times)]
    return statistics.median(seconds(partial(run, each)) for each in fresh)
