"""Numerics that touch every row, a block of rows at a time.

Everything that needs the whole matrix goes through these few sums and products, so the same code serves an array in
memory, rows that stay in their file, and a device: a block is moved to the device, what comes back is small.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from compress.linalg.lazy import Table

BLOCK_BYTES = 16 << 20
NEAR = 1e-3  # of the squared length that is usual: rows below it are near 0


def walk(values: Table, most: int | None = None) -> Iterator[tuple[slice, np.ndarray]]:
    """Consecutive rows of `values` (n, d) as (slice, (rows, d) contiguous), at most `most` bytes each, BLOCK_BYTES unless given."""
    for rows in parts(values.shape, most):
        yield rows, np.ascontiguousarray(values[rows])


def parts(shape: tuple[int, ...], most: int | None = None) -> Iterator[slice]:
    """The same without the rows themselves, of that shape (n, d)."""
    n, d = shape
    step = max(1, (most or BLOCK_BYTES) // (4 * d))
    return (slice(start, min(start + step, n)) for start in range(0, n, step))


def sample_rows(n: int, most: int, rng: np.random.Generator) -> np.ndarray:
    """Numbers of all of n rows, or of as many as `most` chosen at random, in order."""
    return np.arange(n) if n <= most else np.sort(rng.choice(n, most, replace=False))


def to_device(array: np.ndarray, device: str) -> Any:
    """The array itself on "cpu"; else a torch tensor on the device, which answers the same operators."""
    if device == "cpu":
        return array
    import torch

    return torch.tensor(array, device=device)


def to_host(array: Any) -> np.ndarray:
    """An array that may be a torch tensor on any device, as a NumPy array."""
    return array if isinstance(array, np.ndarray) else array.cpu().numpy()


def gram(values: Table, weights: np.ndarray | None = None, device: str = "cpu") -> np.ndarray:
    """Σ wᵢ aᵢ aᵢᵀ, (d, d), products and sums in float64: its small eigenvalues are good to 1e-8 of the largest."""
    total = np.zeros((values.shape[1],) * 2)
    for rows, block in walk(values):
        block = block.astype(np.float64)
        if weights is not None:
            block *= np.sqrt(weights[rows])[:, None]
        block = to_device(block, device)
        total += to_host(block.T @ block)
    return total


def group_moments(
    values: Table, labels: np.ndarray, k: int, weights: np.ndarray | None = None, device: str = "cpu"
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each of k groups of rows: Σ wᵢ aᵢ aᵢᵀ (k, d, d), Σ wᵢ aᵢ (k, d) and Σ wᵢ (k,), products in float32."""
    d = values.shape[1]
    squares, sums, totals = np.zeros((k, d, d)), np.zeros((k, d)), np.zeros(k)
    for rows, block in walk(values):
        order = np.argsort(labels[rows], kind="stable")
        ends = np.searchsorted(labels[rows][order], np.arange(k + 1))
        for z in range(k):
            members = order[ends[z] : ends[z + 1]]
            if not len(members):
                continue
            group = block[members]
            w = np.ones(len(members)) if weights is None else weights[rows][members]
            sums[z] += w @ group
            totals[z] += w.sum()
            if weights is not None:
                group *= np.sqrt(w, dtype=np.float32)[:, None]
            group = to_device(group, device)
            squares[z] += to_host(group.T @ group)
    return squares, sums, totals


def project(values: Table, basis: np.ndarray, device: str = "cpu") -> np.ndarray:
    """A V for V (d, m): (n, m) float32."""
    out = np.empty((len(values), basis.shape[1]), np.float32)
    basis = to_device(np.ascontiguousarray(basis, dtype=np.float32), device)
    for rows, block in walk(values):
        out[rows] = to_host(to_device(block, device) @ basis)
    return out


def group_projections(values: Table, bases: np.ndarray, labels: np.ndarray, device: str = "cpu") -> np.ndarray:
    """Vᵀaᵢ with the basis V of each row's own group, bases (k, d, j): (n, j) float32."""
    out = np.empty((len(values), bases.shape[2]), np.float32)
    for rows, block in walk(values):
        for z in np.unique(labels[rows]):
            members = np.flatnonzero(labels[rows] == z)
            out[rows.start + members] = to_host(to_device(block[members], device) @ to_device(bases[z], device))
    return out


def squared_projections(values: Table, basis: np.ndarray, mix: np.ndarray, device: str = "cpu") -> np.ndarray:
    """(A V)² M for V (d, m) and M (m, g): (n, g) float32, weighted sums of squared coordinates of every row."""
    out = np.empty((len(values), mix.shape[1]), np.float32)
    basis = to_device(np.ascontiguousarray(basis, dtype=np.float32), device)
    mix = to_device(np.ascontiguousarray(mix, dtype=np.float32), device)
    step = max(1, BLOCK_BYTES // (16 * basis.shape[1]))
    for start in range(0, len(values), step):
        rows = slice(start, start + step)
        coordinates = to_device(np.ascontiguousarray(values[rows]), device) @ basis
        coordinates *= coordinates
        out[rows] = to_host(coordinates @ mix)
    return out


def squared_norms(values: Table) -> np.ndarray:
    """‖aᵢ‖² of every row, (n,) float64."""
    out = np.empty(len(values))
    for rows, block in walk(values):
        out[rows] = np.einsum("id,id->i", block, block, dtype=np.float64)
    return out


def near_zero(energies: np.ndarray) -> np.ndarray:
    """(n,) bool: which rows are near 0 beside the others, by their squared lengths (n,)."""
    return energies < NEAR * np.median(energies)


def unit_rows(values: np.ndarray) -> np.ndarray:
    """Rows of length 1; a row of zeros stays."""
    lengths = np.sqrt(np.einsum("id,id->i", values, values))
    odd = ~((lengths > 1e-15) & (lengths < 1e15))  # squares of their entries leave float32, or may
    if odd.any():
        largest = np.abs(values).max(axis=1, initial=0)
        values = np.where(odd[:, None], np.ldexp(values, -np.frexp(largest)[1][:, None]), values)
        lengths = np.where(odd, np.sqrt(np.einsum("id,id->i", values, values)), lengths)
    return values / np.maximum(lengths, 1e-30)[:, None]
