"""The plain EM for k subspaces, as its mathematics reads: what a search takes that has no Gram matrix, sample or early stop.

A random partition into k equal parts; then steps of: V_z = the top-j right singular vectors of part z, from a full SVD in
float64; each row to the subspace with the least distance ‖aᵢ N_z‖, N_z an orthonormal basis of what is orthogonal to V_z.
"""

import argparse
from time import perf_counter

import numpy as np
from scipy.linalg import null_space

from benchmarks.data import demo
from benchmarks.table import heading, table

RESTARTS, STEPS = 10, 15


def parts_at_random(n: int, k: int, rng: np.random.Generator) -> np.ndarray:
    """(n,) labels of a random partition into k equal parts."""
    return rng.permutation(np.arange(n) % k)


def step(values: np.ndarray, labels: np.ndarray, k: int, j: int, full_matrices: bool = True) -> tuple[np.ndarray, float]:
    """One step: each part's subspace, then each row's nearest. Returns labels and the relative error Σ dist² / Σ ‖aᵢ‖²."""
    distances = np.empty((len(values), k))
    for z in range(k):
        part = values[labels == z]
        directions = np.linalg.svd(part, full_matrices=full_matrices)[2][:j]  # (j, d)
        distances[:, z] = np.linalg.norm(values @ null_space(directions), axis=1)
    return distances.argmin(axis=1), float((distances.min(axis=1) ** 2).sum() / (values**2).sum())


def step_seconds(values: np.ndarray, k: int, j: int, full_matrices: bool = True) -> float:
    labels = parts_at_random(len(values), k, np.random.default_rng(0))
    start = perf_counter()
    step(values, labels, k, j, full_matrices)
    return perf_counter() - start


def search(values: np.ndarray, k: int, j: int, full_matrices: bool = True) -> float:
    """The least relative error of all restarts. A part of fewer than j rows ends its restart."""
    least = np.inf
    for restart in range(RESTARTS):
        labels = parts_at_random(len(values), k, np.random.default_rng(restart))
        for _ in range(STEPS):
            if np.bincount(labels, minlength=k).min() < j:
                break
            labels, error = step(values, labels, k, j, full_matrices)
            least = min(least, error)
    return least


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help=f"run all {RESTARTS} restarts of {STEPS} steps")
    args = parser.parse_args(arguments)
    k, j = 5, 60
    heading(f"Plain EM, demo matrix, k = {k}, j = {j}")
    values = demo().values.astype(np.float64)
    rows = []
    for name, full_matrices in (("numpy.linalg.svd as called by default", True), ("thin SVD, full_matrices=False", False)):
        if args.full:
            start = perf_counter()
            error = search(values, k, j, full_matrices)
            rows.append((name, "", f"{perf_counter() - start:.0f}", f"{error:.4f}"))
        else:
            once = step_seconds(values, k, j, full_matrices)
            rows.append((name, f"{once:.2f}", f"{once * RESTARTS * STEPS:.0f}", ""))
    table(["", "one step (s)", f"{RESTARTS} × {STEPS} steps (s)", "error"], rows)
    if not args.full:
        print(f"\nOne step was timed; {RESTARTS} × {STEPS} is {RESTARTS * STEPS} times that. --full runs them all.")


if __name__ == "__main__":
    main()
