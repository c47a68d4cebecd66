"""Reading tables: text beside pandas's and gensim's readers of it, lists in parquet beside pandas's; what a process apart costs."""

import argparse
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from benchmarks import clock
from benchmarks.table import against, at_least, heading, table
from compress import load_matrix
from compress.sources import demo

N, D = 400_000, 50
BLOCK = 10_000  # rows that are written at a time


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=N)
    rows = parser.parse_args(arguments).rows
    heading(f"Reading {rows:,} × {D}")
    with tempfile.TemporaryDirectory() as folder:
        text, lists = Path(folder) / "words.txt", Path(folder) / "lists.parquet"
        write(rows, text, lists)
        gensim = clock.seconds(partial(by_gensim, text))
        shown = []
        for name, path, other in (("text", text, by_pandas), ("parquet lists", lists, lists_by_pandas)):
            ours, theirs = medians(partial(load_matrix, path), partial(other, path))
            as_gensim = at_least(gensim / ours, 1, ".2f") if path == text else ""
            shown.append((name, f"{ours:.2f}", at_least(theirs / ours, 1, ".2f"), as_gensim))
        table(("file", "seconds", "times as fast as pandas", "as gensim's loop"), shown)
        heading("Guarded: read in a process apart")
        table(("source", "MB", "seconds", "guarded", "more"), [guarded(*each) for each in sources(Path(folder))])


def sources(folder: Path) -> Iterator[tuple[str, Path]]:
    """The demo's model, and one table of 480 MB in several files."""
    yield "the demo's model", demo.model_folder()
    values = np.random.default_rng(0).standard_normal((400_000, 300), dtype=np.float32)
    for name, write in (
        ("floats.npy", np.save),
        ("halves.npy", lambda path, values: np.save(path, values.astype(np.float16))),
        ("floats.pt", lambda path, values: torch.save({"table": torch.from_numpy(values)}, path)),
        ("floats.npz", np.savez),
    ):
        write(folder / name, values)
        yield name, folder / name
        (folder / name).unlink()


def guarded(name: str, path: Path) -> tuple[str, ...]:
    """What a process of its own adds to the time of reading, the first one, which reads modules, not counted."""
    here, apart = medians(partial(load_matrix, path), partial(load_matrix, path, guarded=True))
    n_bytes = load_matrix(path).n_bytes
    return name, f"{n_bytes / 1e6:.0f}", f"{here:.3f}", f"{apart:.3f}", against(apart - here, 0.3, ".3f")


def write(n_rows: int, text: Path, lists: Path) -> None:
    """The same rows as GloVe writes them, and as a column of lists."""
    import pyarrow as pa
    from pyarrow.parquet import ParquetWriter

    random = np.random.default_rng(0)
    schema = pa.schema({"word": pa.string(), "vector": pa.list_(pa.float32())})
    with open(text, "w") as file, ParquetWriter(lists, schema) as writer:
        for start in range(0, n_rows, BLOCK):
            rows = random.standard_normal((min(BLOCK, n_rows - start), D)).astype(np.float32)
            words = [f"term{start + at}" for at in range(len(rows))]
            for word, row in zip(words, rows.tolist(), strict=True):
                file.write(f"{word} {' '.join(map('{:.6f}'.format, row))}\n")
            offsets = pa.array(np.arange(0, rows.size + 1, D, dtype=np.int32))
            writer.write(pa.table([pa.array(words), pa.ListArray.from_arrays(offsets, pa.array(rows.ravel()))], schema=schema))


def medians(*reads: Callable[[], object]) -> list[float]:
    """Of three times each, in turn, after one that is not counted."""
    times = np.array([[clock.seconds(read) for read in reads] for _ in range(4)])
    return np.median(times[1:], axis=0).tolist()


def by_pandas(path: Path) -> tuple[list[str], np.ndarray]:
    """Words and numbers by pandas's own parser, told all that can be told it."""
    kinds = {at: np.float32 for at in range(1, D + 1)}
    found = pd.read_csv(path, sep=" ", header=None, quoting=3, na_filter=False, dtype=kinds)
    return found[0].tolist(), found.iloc[:, 1:].to_numpy(np.float32)


def by_gensim(path: Path) -> tuple[list[str], np.ndarray]:
    """The loop of gensim's KeyedVectors.load_word2vec_format: a line at a time, each number by itself."""
    words, rows = [], []
    with open(path, "rb") as file:
        for line in file:
            word, *numbers = line.decode().rstrip().split(" ")
            words.append(word)
            rows.append(np.array([np.float32(number) for number in numbers]))
    return words, np.array(rows)


def lists_by_pandas(path: Path) -> tuple[list[str], np.ndarray]:
    """Words and rows, an array a row."""
    found = pd.read_parquet(path)
    return found["word"].tolist(), np.stack(list(found["vector"]))


if __name__ == "__main__":
    main()
