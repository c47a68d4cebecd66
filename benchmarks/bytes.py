"""Bytes on disk, error, and the memory that a fit adds, of every method at every precision of its factors, on the demo matrix."""

import argparse
import tracemalloc

from benchmarks.data import demo
from benchmarks.peers import file_bytes
from benchmarks.table import against, heading, table
from compress import SVD, EmbeddingMatrix, Int4, Int8, ProjectiveClustering, evaluate
from compress.coding.factors import BITS

METHODS = [
    *(SVD(j=115, factor_bits=bits) for bits in BITS),
    *(ProjectiveClustering(k=5, j=60, factor_bits=bits) for bits in BITS),
    ProjectiveClustering(k=10, j=115),
    Int8(),
    Int4(),
]
MEMORY = 2.0  # times the matrix's bytes


def main(arguments: list[str] | None = None) -> None:
    argparse.ArgumentParser(description=__doc__).parse_args(arguments)
    matrix = demo()
    rows, published = [], None
    for method in METHODS:
        result, added = fit_and_memory(method, matrix)
        on_disk = file_bytes(result)
        ratio, error = matrix.n_bytes / on_disk, evaluate(matrix, result).relative_error
        if method == SVD(j=115):
            published = ratio, error
        shown = ", ".join(f"{name} = {value}" for name, value in method.settings.items() if name in ("k", "j", "factor_bits"))
        rows.append(
            (
                method.label,
                shown,
                f"{result.n_bytes:,}",
                f"{on_disk - result.n_bytes:,}",
                f"{ratio:.2f}",
                f"{error:.4f}",
                against(added / matrix.n_bytes, MEMORY, ".2f"),
            )
        )
    heading(f"Bytes, demo matrix of {matrix.n_bytes:,} bytes")
    table(["method", "settings", "bytes", "header", "ratio on disk", "error", "memory added (× matrix)"], rows)
    print(f"\nSVD j = 115 in float16: ratio {published[0]:.2f} (published 6.60), error {published[1]:.4f} (published 0.3721).")


def fit_and_memory(method, matrix: EmbeddingMatrix):
    """The fit, and the most bytes that were held at once while it ran beyond those held before."""
    new = EmbeddingMatrix(matrix.values)
    tracemalloc.start()
    result = method.fit(new)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return result, peak


if __name__ == "__main__":
    main()
