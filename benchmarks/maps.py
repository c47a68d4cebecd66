"""Maps of all rows beside one by umap-learn's own neighbours and start: how many neighbours they keep, and seconds.

"first" lays out 5,000 rows, "whole" all of them. Times are those of a second run in this process, in which all is compiled.
"""

import time
from collections.abc import Sequence

import numpy as np

from benchmarks.data import DATA, demo, table_of
from benchmarks.table import heading, table
from compress import EmbeddingMatrix
from compress.analysis import layout, scatter
from compress.linalg import blocks

COUNT, ASKED = 15, 1000  # neighbours, rows


def main(arguments: Sequence[str] | None = None) -> None:
    heading("Maps of all rows")
    columns = ("map", f"of {COUNT} nearest kept", "seconds of CPU")
    table(columns, [row for matrix in (table_of(DATA / "w2v_text8_10k_100d"), demo()) if matrix for row in compared(matrix)])


def compared(matrix: EmbeddingMatrix) -> list[tuple[str, str, str]]:
    leading = blocks.project(matrix.values, matrix.axes[:, : scatter.DIMENSIONS], matrix.device)
    learned(leading[: scatter.FIRST])
    scatter.umap_map(EmbeddingMatrix(leading[: scatter.FIRST]))
    makers = {
        "PCA": lambda: scatter.pca_map(matrix),
        "first": lambda: scatter.umap_map(matrix, rows=scatter.FIRST),
        "whole": lambda: scatter.umap_map(matrix),
        "umap-learn by itself": lambda: learned(leading),
    }
    rows = []
    for name, make in makers.items():
        began = time.process_time()
        places = make()
        seconds = time.process_time() - began
        rows.append((f"{matrix.name}, {name}", f"{kept(leading, places):.3f}", f"{seconds:.1f}"))
    return rows


def learned(leading: np.ndarray) -> np.ndarray:
    settings = {
        "n_neighbors": layout.NEIGHBOURS,
        "min_dist": 0.05,
        "metric": "cosine",
        "init": "pca",
        "random_state": 0,
        "n_jobs": 1,
    }
    return layout.umap_learn().UMAP(**settings).fit_transform(leading)


def kept(leading: np.ndarray, places: np.ndarray) -> float:
    """The share of rows' nearest by cosine that are among their nearest on a map."""
    unit, rows = blocks.unit_rows(leading), np.random.default_rng(1).permutation(len(leading))[:ASKED]
    nearest, _ = layout.nearest_rows(unit, unit[rows], COUNT + 1)
    found = 0
    for row, near in zip(rows, nearest, strict=True):
        close = np.argpartition(np.square(places - places[row]).sum(axis=1), COUNT)[: COUNT + 1]
        found += len(set(close) & set(near)) - 1
    return found / (COUNT * len(rows))


if __name__ == "__main__":
    main()
