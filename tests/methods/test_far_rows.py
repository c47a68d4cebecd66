"""Rows that lie far out: every method makes less error of them with more bytes."""

import itertools

import numpy as np
import pytest

import compress
from compress import SVD, EmbeddingMatrix, LpLowRank, ProjectiveClustering, Trellis
from compress.methods import LightToken, OptimizedProductQuantization, ProductQuantization, ResidualQuantization

SIZES = {  # settings of one kind, each larger than the one before
    "svd": [SVD(j=j) for j in (2, 6, 12)],
    "int4 factors": [SVD(j=j, factor_bits=4) for j in (2, 6, 12)],
    "k subspaces": [ProjectiveClustering(k=3, j=j, restarts=2) for j in (2, 5, 10)],
    "affine": [ProjectiveClustering(k=3, j=j, affine=True, restarts=2) for j in (2, 5, 10)],
    "lp": [LpLowRank(j=j) for j in (2, 6, 12)],
    "light_token": [LightToken(bits=bits, passes=5) for bits in (8, 32, 96)],
    "pq": [ProductQuantization(parts=parts, code_bits=6, steps=8) for parts in (2, 4, 8)],
    "opq": [OptimizedProductQuantization(parts=parts, code_bits=6, steps=4) for parts in (2, 4, 8)],
    "rq": [ResidualQuantization(parts=parts, code_bits=5) for parts in (2, 4, 8)],
    "trellis": [Trellis(rate=rate, states=256) for rate in (0.5, 2.0, 6.0)],
}


@pytest.fixture(scope="module")
def values():
    """(900, 16) rows around three flats, whose spread falls from direction to direction."""
    rng = np.random.default_rng(2)
    flats = [np.linalg.qr(rng.standard_normal((16, 16)))[0] * 0.75 ** np.arange(16)[:, None] for _ in range(3)]
    offsets = 0.3 * rng.standard_normal((3, 16))
    return np.stack([rng.standard_normal(16) @ flats[row % 3] + offsets[row % 3] for row in range(900)]).astype(np.float32)


@pytest.fixture(scope="module")
def tailed(values):
    """The same with 12 rows far out in one direction each, up to 60 times as far as others, and 3 far from every flat."""
    rng, found = np.random.default_rng(3), values.copy()
    for row in range(12):
        found[row, rng.integers(16)] += rng.choice([-1, 1]) * rng.uniform(4, 20)
    found[12:15] += rng.standard_normal((3, 16)) * 2
    return EmbeddingMatrix(found)


@pytest.mark.parametrize("kind", SIZES)
def test_the_error_falls_with_the_size_where_some_rows_lie_far_out(tailed, kind):
    found = [method.fit(tailed) for method in SIZES[kind]]
    assert all(later.n_bytes > earlier.n_bytes for earlier, later in itertools.pairwise(found))
    errors = [compress.evaluate(tailed, each).relative_error for each in found]
    assert all(later < earlier for earlier, later in itertools.pairwise(errors))
