"""The whole spectrum from one Gram matrix, against numpy's SVD."""

import argparse

import numpy as np

from benchmarks.clock import median_seconds, seconds
from benchmarks.table import against, heading, table
from compress import EmbeddingMatrix, spectrum

N, D = 30522, 768
SHARE = 1 / 5  # of numpy's time
DEVIATION = 1e-3  # of singular values above FLOOR times the largest
FLOOR = 1e-4


def made() -> EmbeddingMatrix:
    """A random (N, D) matrix in float32 whose singular values fall from 1 to 1e-5."""
    rng = np.random.default_rng(0)
    left = rng.standard_normal((N, D), dtype=np.float32) / np.float32(np.sqrt(N))
    right = np.linalg.qr(rng.standard_normal((D, D)))[0]
    return EmbeddingMatrix((left * np.geomspace(1, 1e-5, D, dtype=np.float32)) @ right.astype(np.float32))


def main(arguments: list[str] | None = None) -> None:
    argparse.ArgumentParser(description=__doc__).parse_args(arguments)
    heading(f"Spectrum of a random {N:,} × {D} matrix in float32")
    matrix = made()
    ours = median_seconds(spectrum, matrix)
    rows = [("compress.spectrum", f"{ours:.2f}", "")]
    for name, run in {
        "numpy.linalg.svd, compute_uv=False": lambda: np.linalg.svd(matrix.values, compute_uv=False),
        "numpy.linalg.svd, full_matrices=False": lambda: np.linalg.svd(matrix.values, full_matrices=False),
    }.items():
        took = seconds(run)
        rows.append((name, f"{took:.2f}", against(ours / took, SHARE, ".3f")))
    table(["", "seconds", "our share of its time"], rows)

    exact = np.linalg.svd(matrix.values.astype(np.float64), compute_uv=False)
    large = exact > FLOOR * exact[0]
    worst = np.abs(spectrum(matrix).singular_values[large] / exact[large] - 1).max()
    print(f"\nLargest relative deviation of the {large.sum()} values above {FLOOR:g} of the largest,")
    print(f"from numpy's in float64: {against(worst, DEVIATION, '.1e')}")


if __name__ == "__main__":
    main()
