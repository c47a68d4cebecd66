"""The spectrum of a large table from some of its rows, with how far off it may be, while the exact one is computed."""

from dataclasses import dataclass

import numpy as np

from compress.analysis.spectrum import Spectrum
from compress.linalg import blocks
from compress.matrix import EmbeddingMatrix
from compress.threads import one_thread

NUMBERS = 1 << 22  # of each half of the rows
FEWEST = 2048  # rows of a half, where rows are long
SURE = 2  # standard errors


@dataclass(frozen=True, eq=False)
class SampledSpectrum(Spectrum):
    """A spectrum from two halves of some rows. spread: (min(n, d) + 1,) how far off the kept energy of j directions may be, either
    way. rows: how many rows tell it.

    The energy that a half's own best directions keep of it is on average too much, and what they keep of the other half on average
    too little: the kept energy here is the mean of both, and the spread half of their difference, with twice what other rows would
    change.
    """

    spread: np.ndarray
    rows: int


def sampled_spectrum(matrix: EmbeddingMatrix, seed: int = 0) -> SampledSpectrum:
    """The spectrum of a matrix about, from some rows drawn evenly; time and memory do not grow with the rows."""
    n, d = matrix.shape
    rng = np.random.default_rng(seed)
    drawn = blocks.sample_rows(n, 2 * max(FEWEST, NUMBERS // d), rng)
    halves = [np.sort(each) for each in np.array_split(rng.permutation(drawn), 2)]
    one, other = (weighted(matrix, each) for each in halves)
    own, least = directions(one), min(n, d)  # (d, r)
    energies = [(each @ own) ** 2 for each in (one, other)]  # (m, r)
    lengths = [np.einsum("id,id->i", each, each, dtype=np.float64) for each in (one, other)]
    within, beyond = (np.zeros(least), np.zeros(least))
    r = min(own.shape[1], least)
    within[:r], beyond[:r] = (each.sum(axis=0, dtype=np.float64)[:r] for each in energies)
    within[:r] = np.sort(within[:r])[::-1]
    beyond[r:] = max(lengths[1].sum() - beyond.sum(), 0) / max(least - r, 1)  # outside the directions of one half, shared evenly
    shares = [np.concatenate([[0], np.cumsum(each / max(each.sum(), 1e-300))]) for each in (within, beyond)]
    kept, off = (shares[0] + shares[1]) / 2, np.abs(shares[0] - shares[1]) / 2
    reached = np.cumsum(energies[1], axis=1, dtype=np.float32)[:, :r]
    reached -= shares[1][1 : r + 1].astype(np.float32) * lengths[1][:, None].astype(np.float32)
    errors = np.sqrt(np.einsum("im,im->m", reached, reached, dtype=np.float64)) / max(lengths[1].sum(), 1e-300)
    off[1 : r + 1] += SURE * errors / np.sqrt(2)
    squared = np.sort(np.diff(kept))[::-1] * n * sum(each.mean() for each in lengths) / 2
    return SampledSpectrum(np.sqrt(np.maximum(squared, 0)), matrix.shape, np.minimum(off, 1), len(drawn))


def weighted(matrix: EmbeddingMatrix, rows: np.ndarray) -> np.ndarray:
    """Those rows, each by the root of its weight."""
    values = matrix.rows[rows]
    return values * np.sqrt(matrix.weights[rows], dtype=np.float32)[:, None] if matrix.weighted else values


def directions(rows: np.ndarray) -> np.ndarray:
    """The principal directions of rows (m, d), as columns (d, min(m, d)) float32, by way of the smaller Gram matrix."""
    m, d = rows.shape
    with one_thread():
        if m >= d:
            return np.linalg.eigh(rows.T @ rows)[1][:, ::-1]
        values, vectors = np.linalg.eigh(rows @ rows.T)
    held = values > 1e-6 * values[-1]
    return (rows.T @ (vectors[:, held] / np.sqrt(values[held])))[:, ::-1]
