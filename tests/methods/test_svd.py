"""SVD against the theorem that says how good it is, and against numbers measured with other tools."""

import numpy as np
import pytest

import compress
from compress import SVD, EmbeddingMatrix


def tails(values):
    energy = np.linalg.svd(values.astype(np.float64), compute_uv=False) ** 2
    return 1 - np.cumsum(energy) / energy.sum()


@pytest.mark.parametrize("shape", [(60, 9), (9, 60), (9, 9)], ids=str)
def test_the_error_is_the_tail_energy_at_every_rank(shape):
    values = np.random.default_rng(3).standard_normal(shape).astype(np.float32)
    matrix = EmbeddingMatrix(values)
    for j, tail in enumerate(tails(values), start=1):
        error = compress.evaluate(matrix, SVD(j=j, factor_bits=32).fit(matrix)).relative_error
        assert error == pytest.approx(tail, rel=1e-4, abs=1e-9)


def test_the_weighted_error_is_the_weighted_tail_energy_at_every_rank():
    rng = np.random.default_rng(4)
    values, weights = rng.standard_normal((60, 9)).astype(np.float32), rng.exponential(size=60)
    matrix = EmbeddingMatrix(values, weights=weights)
    for j, tail in enumerate(tails(values * np.sqrt(weights)[:, None]), start=1):
        error = compress.evaluate(matrix, SVD(j=j, factor_bits=32).fit(matrix)).weighted_error
        assert error == pytest.approx(tail, rel=1e-4, abs=1e-9)


def test_weights_move_the_error_to_rows_that_count_less():
    rng = np.random.default_rng(5)
    values = rng.standard_normal((200, 8)).astype(np.float32)
    weights = np.where(np.arange(200) < 20, 30.0, 1.0)
    weighted = EmbeddingMatrix(values, weights=weights)
    favoured = compress.evaluate(weighted, SVD(j=3).fit(weighted))
    plain = compress.evaluate(weighted, SVD(j=3).fit(EmbeddingMatrix(values)))
    assert favoured.weighted_error < plain.weighted_error
    assert favoured.relative_error > plain.relative_error
    assert favoured.row_errors[:20].mean() < plain.row_errors[:20].mean()


def test_a_matrix_of_rank_three_is_given_back_by_three_directions():
    rng = np.random.default_rng(6)
    values = (rng.standard_normal((80, 3)) @ rng.standard_normal((3, 12))).astype(np.float32)
    matrix = EmbeddingMatrix(values)
    np.testing.assert_allclose(SVD(j=3, factor_bits=32).fit(matrix).reconstruct(), values, atol=1e-5)
    assert compress.evaluate(matrix, SVD(j=2, factor_bits=32).fit(matrix)).relative_error > 0.01


@pytest.mark.parametrize("bits", [16, 8, 4])
def test_fewer_bits_cost_error_and_save_bytes(small, bits):
    more = {16: 32, 8: 16, 4: 8}[bits]
    fine, coarse = SVD(j=4, factor_bits=more).fit(small), SVD(j=4, factor_bits=bits).fit(small)
    tail = compress.spectrum(small).relative_errors[4]
    error = compress.evaluate(small, coarse).relative_error
    assert coarse.n_bytes < fine.n_bytes
    assert compress.evaluate(small, fine).relative_error <= error + 1e-6
    assert tail - 1e-6 <= error <= tail + {16: 1e-5, 8: 1e-3, 4: 0.05}[bits]


@pytest.mark.parametrize("scale", [1e-8, 1e-4, 1e5, 1e8])
@pytest.mark.parametrize("bits", [32, 16, 8, 4])
def test_the_error_does_not_depend_on_the_unit_of_the_entries(small, bits, scale):
    method = SVD(j=4, factor_bits=bits)
    scaled = EmbeddingMatrix(small.values * np.float32(scale))
    expected = compress.evaluate(small, method.fit(small)).relative_error
    assert compress.evaluate(scaled, method.fit(scaled)).relative_error == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(("j", "error"), [(30, 0.7270), (60, 0.5665), (115, 0.3721), (190, 0.2102), (230, 0.1454)])
def test_the_demo_has_the_errors_that_were_measured(demo, j, error):
    assert compress.spectrum(demo).relative_errors[j] == pytest.approx(error, abs=6e-5)


@pytest.mark.parametrize(
    ("method", "ratio", "error"),
    [(SVD(j=57, factor_bits=8), 26.3, 0.5807), (SVD(j=110, factor_bits=4), 26.6, 0.3987)],
    ids=str,
)
def test_the_demo_on_disk_is_as_small_and_as_close_as_was_measured(demo, tmp_path, method, ratio, error):
    path = tmp_path / "demo.safetensors"
    assert round(demo.n_bytes / method.fit(demo).save(path), 2) >= ratio
    assert compress.evaluate(demo, compress.load(path)).relative_error <= error + 6e-5


def test_the_demo_at_115_dimensions_has_the_published_ratio_and_error_on_disk(demo, tmp_path):
    path = tmp_path / "demo.safetensors"
    result = SVD(j=115).fit(demo)
    assert f"{result.ratio:.2f}" == "6.60"
    assert demo.n_bytes / result.save(path) == pytest.approx(6.60, abs=0.01)
    assert compress.evaluate(demo, compress.load(path)).relative_error == pytest.approx(0.3721, abs=6e-5)
