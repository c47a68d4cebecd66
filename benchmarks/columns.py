"""The columns of a table of documents: how long a parquet of 200,000 × 384 takes to open, and its columns to be read and seen."""

import argparse
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow.parquet import write_table

from benchmarks import clock
from benchmarks.table import against, heading, table
from compress import load_matrix
from compress.guard.apart import prepare
from compress.guard.nursery import REST
from compress.sources.column_kinds import typed

N, D = 200_000, 384
WORDS = ["matrix", "vector", "search", "index", "table", "column", "row", "map", "rank", "basis", "code", "bit"]


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=N)
    n = parser.parse_args(arguments).rows
    heading(f"Columns of {n:,} × {D}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "documents.parquet"
        write(path, n)
        prepare()
        time.sleep(REST + 5)  # as the app has had, until the process that reads files has its modules
        opened: list = []
        seconds = clock.seconds(lambda: opened.append(load_matrix(path, guarded=True)))
        typed(["a", "a"], "modules")
        shown, total = [], 0.0
        for name in opened[0].columns:
            began = time.perf_counter()
            cells = opened[0].columns[name]
            read = time.perf_counter() - began
            taken = clock.seconds(partial(typed, cells, name))
            total += taken
            shown.append((name, type(typed(cells, name)).__name__, f"{read:.2f}", f"{taken:.3f}"))
        table(("column", "is", "seconds to read", "to see"), shown)
        print(f"\nopened in {seconds:.2f} s; columns seen in {against(total, 1.0, '.2f')} s")


def write(path: Path, n: int) -> None:
    """A table of documents: vectors, a text, a topic and a date of each."""
    rng = np.random.default_rng(0)
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(rng.standard_normal(n * D, dtype=np.float32)), D)
    texts = [" ".join(WORDS[at] for at in words) + f" {row}" for row, words in enumerate(rng.integers(0, len(WORDS), (n, 14)))]
    days = np.datetime64("2020-01-01", "s") + rng.integers(0, 60_000_000, n).astype("timedelta64[s]")
    ids, topics = [f"document {row}" for row in range(n)], [f"topic {at}" for at in rng.integers(0, 50, n)]
    write_table(pa.table({"name": ids, "vector": vectors, "body": texts, "topic": topics, "when": days}), path)


if __name__ == "__main__":
    main()
