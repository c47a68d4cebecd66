"""What the binary codes of a fit are like: how often each bit is on, how bits go together, what Hamming distance tells."""

from dataclasses import dataclass

import numpy as np

from compress.analysis.neighbours import ordered
from compress.coding import packing
from compress.form.compressed import Compressed
from compress.linalg import blocks
from compress.linalg.blocks import unit_rows
from compress.matrix import EmbeddingMatrix
from compress.methods.light_token import LightToken

MOST_ROWS = 40_000  # that are looked at; of a larger matrix so many, chosen at random
QUERIES = 1000
NEIGHBOURS = 10
DRAWS = 1000  # random pairs, and at most as many near ones
AMONG = (10, 100, 1000)  # a near pair is the nearest of so many rows, or of all


@dataclass(frozen=True, eq=False)
class Pairs:
    """Pairs of rows: cosine (m,) distance 1 − cos, hamming (m,) distance of their codes, near (m,) where they were sought out.

    recall: how many of the ten nearest rows by cosine are among the ten nearest by Hamming distance, as a share, the mean over
    `queries` rows searched for among `rows` rows. Equal Hamming distances come in random order.
    """

    cosine: np.ndarray
    hamming: np.ndarray
    near: np.ndarray
    recall: float
    neighbours: int
    queries: int
    rows: int


def bits_of(result: Compressed) -> int:
    """L, the length of a row's code; of a LightToken's fit, as everything here."""
    assert isinstance(result.method, LightToken)
    return result.method.bits


def signs_of(result: Compressed, rows: slice | np.ndarray = slice(None)) -> np.ndarray:
    """(r, L) float32, −1 and +1."""
    return packing.read_signs(result.arrays["codes"][rows], bits_of(result))


def shares_on(result: Compressed) -> np.ndarray:
    """(L,) the share of rows for which each bit is on."""
    codes, bits = result.arrays["codes"], bits_of(result)
    counts = np.zeros(bits)
    for first in range(0, len(codes), MOST_ROWS):
        counts += np.unpackbits(codes[first : first + MOST_ROWS], axis=1, count=bits, bitorder="little").sum(axis=0)
    return counts / len(codes)


def correlations(result: Compressed, seed: int = 0) -> np.ndarray:
    """(L, L) correlation of every two bits over rows; 0 for a bit that is always or never on."""
    signs = signs_of(result, blocks.sample_rows(result.shape[0], MOST_ROWS, np.random.default_rng(seed)))
    means = signs.mean(axis=0, dtype=np.float64)
    spreads = np.sqrt(np.maximum(1 - means**2, 0))
    together = (signs.T @ signs).astype(np.float64) / len(signs) - np.outer(means, means)
    known = np.outer(spreads, spreads)
    return np.clip(np.where(known > 1e-6, together / np.maximum(known, 1e-6), 0), -1, 1)


def pairs_of(matrix: EmbeddingMatrix, result: Compressed, seed: int = 0) -> Pairs:
    """Random pairs, near pairs, and how well Hamming distance finds neighbours."""
    rng = np.random.default_rng(seed)
    searched = blocks.sample_rows(matrix.shape[0], MOST_ROWS, rng)
    unit, signs = unit_rows(matrix.rows[searched]), signs_of(result, searched)
    count, queries = min(NEIGHBOURS, len(searched) - 1), rng.permutation(len(searched))[:QUERIES]
    found, drawn = 0, []
    for first in range(0, len(queries), 256):
        asked = queries[first : first + 256]
        own = np.arange(len(asked)), asked
        cosines, agreeing = unit[asked] @ unit.T, signs[asked] @ signs.T
        agreeing += rng.random(agreeing.shape, dtype=np.float32) / 2  # equal distances in random order
        cosines[own] = agreeing[own] = -np.inf
        nearest, closest = ordered(cosines, count), ordered(agreeing, count)
        found += sum(len(np.intersect1d(one, other)) for one, other in zip(nearest, closest, strict=True))
        for number, row in enumerate(asked):
            among = (*AMONG, None)[number % (len(AMONG) + 1)]
            others = rng.integers(len(searched), size=among) if among else np.arange(len(searched))
            drawn.append((row, others[cosines[number, others].argmax()]))
    pairs = np.concatenate([rng.integers(len(searched), size=(DRAWS, 2)), np.array(drawn)[:DRAWS]])
    near = np.arange(len(pairs)) >= DRAWS
    two = pairs[:, 0] != pairs[:, 1]
    (one, other), near = pairs[two].T, near[two]
    return Pairs(
        cosine=1 - np.einsum("id,id->i", unit[one], unit[other]),
        hamming=(signs[one] != signs[other]).sum(axis=1),
        near=near,
        recall=found / (count * len(queries)),
        neighbours=count,
        queries=len(queries),
        rows=len(searched),
    )
