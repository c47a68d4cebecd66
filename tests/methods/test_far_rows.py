"""Rows that lie far out, and rows near 0: no method throws one away, and every one makes less error of them with more bytes."""

import itertools

import numpy as np
import pytest
import torch
from cases import CASES

import compress
from compress import SVD, EmbeddingMatrix, LpLowRank, ProjectiveClustering, Trellis
from compress.coding.factors import BITS
from compress.export.decoders import decoder_of
from compress.form.layers import CompressedOutput
from compress.form.metrics import FAR
from compress.methods import LightToken, OptimizedProductQuantization, ProductQuantization, ResidualQuantization, Trimmed

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


@pytest.fixture(scope="module")
def crowded():
    """(240, 11) rows around three flats: 5 far out in one direction each, 2 far from every flat, one at 0, and 12 of a ten
    thousandth to a tenth of their length."""
    rng = np.random.default_rng(2)
    flats = [np.linalg.qr(rng.standard_normal((11, 11)))[0] * 0.75 ** np.arange(11)[:, None] for _ in range(3)]
    offsets = 0.3 * rng.standard_normal((3, 11))
    found = np.stack([rng.standard_normal(11) @ flats[row % 3] + offsets[row % 3] for row in range(240)])
    for row in range(5):
        found[row, rng.integers(11)] += rng.choice([-1, 1]) * rng.uniform(4, 20)
    found[5:7] += 2 * rng.standard_normal((2, 11))
    found[7] = 0
    found[8:20] *= np.geomspace(1e-4, 0.1, 12)[:, None]
    return EmbeddingMatrix(found.astype(np.float32))


def has_nothing(method):
    """Whether no code stands for 0: without gains, LightToken's never does."""
    return isinstance(method, LightToken) and method.bits > 0 and method.levels == 1


@pytest.mark.parametrize("method", [each for cases in CASES.values() for each in cases if not has_nothing(each)], ids=str)
def test_no_row_loses_more_than_all_of_itself_and_many_times_the_mean(crowded, method):
    found = compress.evaluate(crowded, method.fit(crowded))
    errors = found.row_errors[: method.rows] if isinstance(method, Trimmed) else found.row_errors
    assert errors.max() <= max(1 + 1e-3, FAR * found.mean_row_error)
    if not isinstance(method, Trimmed):
        assert errors[7] == 0


@pytest.mark.parametrize(
    "method",
    [
        *(ProjectiveClustering(k=4, j=3, affine=True, restarts=2, factor_bits=bits) for bits in BITS),
        ProjectiveClustering(k=1, j=2, affine=True),
        LightToken(bits=16, passes=3),
        ResidualQuantization(parts=5, code_bits=3, steps=4),
        ResidualQuantization(parts=2, code_bits=5, codebook_bits=32, beam=1),
        Trellis(rate=4.0, states=256),
    ],
    ids=str,
)
def test_rows_that_are_kept_as_0_are_0_wherever_they_are_decoded(crowded, method, tmp_path, monkeypatch):
    monkeypatch.setattr("compress.coding.trellis_code.MANY", 0)  # read by what is compiled
    result = method.fit(crowded)
    whole, ids = result.reconstruct(), torch.arange(240)
    kept = whole.any(axis=1)
    assert 1 < np.count_nonzero(~kept) < 60
    result.save(tmp_path / "x.safetensors")
    layers = result.to_layer(), result.to_layer().trainable(), decoder_of(method.name).load(tmp_path / "x.safetensors")
    for other in (compress.load(tmp_path / "x.safetensors").reconstruct(), *(layer(ids).detach().numpy() for layer in layers)):
        np.testing.assert_allclose(other, whole, rtol=0, atol=1e-5)
        assert not other[~kept].any()
    near = {"rtol": 1e-5, "atol": 1e-5 * np.abs(whole).max()}
    for layer in layers[:2]:
        np.testing.assert_allclose(CompressedOutput(layer)(torch.eye(11)).detach().numpy(), whole.T, **near)
    if not isinstance(method, ResidualQuantization):  # whose vectors add up to 0 no more, once they are moved
        moved = method.stored(result.arrays, method.trainable(result.arrays, *crowded.shape).parameters)
        assert not method.decode(method.prepared(moved, *crowded.shape), np.flatnonzero(~kept), 11).any()


@pytest.mark.parametrize("kind", SIZES)
def test_the_error_falls_with_the_size_where_some_rows_lie_far_out(tailed, kind):
    found = [method.fit(tailed) for method in SIZES[kind]]
    assert all(later.n_bytes > earlier.n_bytes for earlier, later in itertools.pairwise(found))
    errors = [compress.evaluate(tailed, each).relative_error for each in found]
    assert all(later < earlier for earlier, later in itertools.pairwise(errors))
