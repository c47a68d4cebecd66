"""The near-limit coder: its rate, its error beside the limit and beside what is usual, weights, and rows on their own."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

import compress
from compress import EmbeddingMatrix, Int4, ProductQuantization, Trellis
from compress.coding import basis_code
from compress.coding.trellis_code import spread


def stretched(n=1500, d=32, seed=0):
    """Normal rows whose variance falls along random axes."""
    rng = np.random.default_rng(seed)
    turned = np.linalg.qr(rng.standard_normal((d, d)))[0]
    return ((rng.standard_normal((n, d)) * 0.85 ** np.arange(d)) @ turned.T).astype(np.float32)


@pytest.fixture(scope="module")
def matrix():
    return EmbeddingMatrix(stretched())


@pytest.fixture(scope="module")
def tailed():
    """The same with 40 rows that lie far out, most in one direction."""
    rng, values = np.random.default_rng(4), stretched()
    for row in rng.choice(1500, 40, replace=False):
        values[row, rng.integers(32)] += rng.choice([-1, 1]) * rng.uniform(5, 60)
    return EmbeddingMatrix(values)


def error(matrix, method):
    return compress.evaluate(matrix, method.fit(matrix)).relative_error


@pytest.mark.parametrize("rate", [0.3, 1.0, 2.5, 5.0])
def test_the_file_is_what_was_asked(matrix, tmp_path, rate):
    result = Trellis(rate=rate, states=256).fit(matrix)
    assert result.n_bytes == int(1500 * 32 * rate / 8)
    assert result.save(tmp_path / "x.safetensors") <= result.n_bytes + 4096


def test_the_error_falls_with_the_rate(matrix):
    errors = [error(matrix, Trellis(rate=rate, states=256)) for rate in (0.1, 0.2, 0.5, 1.0, 2.0, 4.0, 6.0)]
    assert all(later < earlier for earlier, later in itertools.pairwise(errors))
    assert errors[0] < 1


def test_no_row_is_thrown_away_and_the_error_falls_with_the_rate_where_tails_are_heavy(tailed):
    found = [compress.evaluate(tailed, Trellis(rate=rate, states=256).fit(tailed)) for rate in (1.5, 2.0, 4.0, 6.0, 8.0, 11.0)]
    assert all(later.relative_error < earlier.relative_error for earlier, later in itertools.pairwise(found))
    for each in found:
        assert each.worst_row_error < 8 * np.mean(each.row_errors)


def test_rows_near_0_are_a_class_that_loses_no_more_than_all_of_them():
    rng, labels = np.random.default_rng(0), np.arange(3000) % 6
    frames = [np.linalg.qr(rng.standard_normal((48, 48)))[0] * 0.9 ** np.arange(48) for _ in range(6)]
    values = np.stack([rng.standard_normal(48) @ frames[z] for z in labels]) + 0.3 * rng.standard_normal((6, 48))[labels]
    values[::100] *= 10.0 ** rng.uniform(-4, -2, (30, 1))
    values[7] = 0
    matrix = EmbeddingMatrix(values.astype(np.float32))
    found = compress.evaluate(matrix, Trellis(rate=1.0, states=256).fit(matrix))
    assert found.row_errors.max() <= 1 and found.row_errors[7] == 0


def test_numbers_beyond_their_code_are_kept_one_by_one_within_the_bytes(tailed, tmp_path):
    result = Trellis(rate=4.0, states=256).fit(tailed)
    assert len(result.arrays["escape_gaps"]) > 0 and result.n_bytes == Trellis(rate=4.0).size(*tailed.shape)
    result.save(tmp_path / "x.safetensors")
    np.testing.assert_array_equal(compress.load(tmp_path / "x.safetensors").reconstruct(), result.reconstruct())
    layer = result.to_layer()
    np.testing.assert_allclose(layer(torch.arange(1500)).detach().numpy(), result.reconstruct(), rtol=0, atol=1e-4)
    trained = result.method.stored(result.arrays, result.method.trainable(result.arrays, *result.shape).parameters)
    again = compress.evaluate(tailed, replace(result, arrays=trained)).relative_error
    assert again == pytest.approx(compress.evaluate(tailed, result).relative_error, rel=0.2)


def test_entries_of_other_rows_or_directions_are_refused(tailed):
    result = Trellis(rate=4.0, states=256).fit(tailed)
    for name, bad in (("escape_gaps", 255), ("escape_directions", 60000)):
        arrays = dict(result.arrays)
        arrays[name] = np.full_like(arrays[name], bad)
        with pytest.raises(ValueError, match=f"array '{name}' has"):
            result.method.check_stored(arrays, *result.shape)


def test_it_is_near_the_ideal_coder_and_never_beats_it_on_normal_rows(matrix):
    for rate in (1.0, 2.0):
        ideal = compress.gaussian_bound(matrix).error(np.array([32 / rate]))[0]
        assert ideal < error(matrix, Trellis(rate=rate)) < 1.6 * ideal  # the basis is a tenth of the bytes here


def test_it_is_far_below_int4_and_product_quantization_in_as_many_bytes(matrix):
    for peer in (Int4(), ProductQuantization(parts=8, code_bits=6)):
        result = peer.fit(matrix)
        mine = Trellis().within(*matrix.shape, result.n_bytes)
        assert mine.size(*matrix.shape) <= result.n_bytes
        assert error(matrix, mine) < 0.7 * compress.evaluate(matrix, result).relative_error


def test_classes_of_rows_that_differ_are_told_apart():
    rng = np.random.default_rng(1)
    rows = rng.standard_normal((2000, 16)) * np.where(np.arange(2000) % 4 == 0, 6.0, 0.5)[:, None]
    rows[1::4] += 8
    matrix = EmbeddingMatrix(rows.astype(np.float32))
    assert error(matrix, Trellis(rate=2.0, states=256)) < 0.7 * error(matrix, Trellis(rate=2.0, states=256, classes=1))


def test_columns_that_do_not_go_together_need_no_basis():
    rows = np.random.default_rng(2).standard_normal((600, 24)) * 0.8 ** np.arange(24)
    result = Trellis(rate=2.0, states=256).fit(EmbeddingMatrix(rows.astype(np.float32)))
    assert result.arrays["basis"].size == 0


def test_weights_move_the_error_from_heavy_to_light_rows():
    values = stretched(seed=3)
    weights = np.where(np.arange(1500) < 150, 40.0, 1.0)
    matrix = EmbeddingMatrix(values, weights=weights)
    method = Trellis(rate=1.0, states=256)
    favoured, plain = compress.evaluate(matrix, method.fit(matrix)), compress.evaluate(matrix, method.fit(EmbeddingMatrix(values)))
    heavy = slice(0, 150)
    assert np.median(favoured.row_errors[heavy]) < 0.7 * np.median(plain.row_errors[heavy])
    assert np.median(favoured.row_errors[150:]) > np.median(plain.row_errors[150:])
    assert favoured.weighted_error < 0.9 * plain.weighted_error


def test_a_row_decodes_alone_to_what_it_is_in_the_whole(matrix):
    result = Trellis(rate=1.3, states=1024).fit(matrix)
    whole = result.reconstruct()
    for row in (0, 1, 255, 256, 1499):
        np.testing.assert_allclose(result.rows([row])[0], whole[row], rtol=0, atol=1e-6)


def test_a_rate_too_low_for_the_tables_is_refused(small):
    with pytest.raises(ValueError, match=r"^rate must be a number at least [\d.]+ \(for 40 rows of 7 columns\), got 0.01$"):
        Trellis(rate=0.01).fit(small)
    least = Trellis().smallest(40, 7)
    assert least.fit(small).n_bytes == least.size(40, 7)


def test_rows_that_are_all_alike_and_constant_columns():
    values = np.tile(np.arange(8, dtype=np.float32), (50, 1))
    result = Trellis(rate=4.0, states=256).fit(EmbeddingMatrix(values))
    np.testing.assert_allclose(result.reconstruct(), values, atol=0.1)
    values = np.random.default_rng(0).standard_normal((300, 5)).astype(np.float32)
    values[:, 2], values[:, 4] = 0, 1e3
    assert error(EmbeddingMatrix(values), Trellis(rate=8.0, states=256)) < 1e-3


@pytest.mark.parametrize("size", [1e-15, 1e-3, 1e4, 1e15])
def test_the_scale_of_the_matrix_does_not_matter(size):
    values = stretched(n=300, d=8)
    usual = error(EmbeddingMatrix(values), Trellis(rate=3.0, states=256))
    assert error(EmbeddingMatrix(values * np.float32(size)), Trellis(rate=3.0, states=256)) == pytest.approx(usual, rel=0.05)


@pytest.mark.parametrize(
    "name", ["kinds", "labels", "scales", "means", "mean_scales", "basis_rates", "basis", "basis_extra", "extra", "codes"]
)
def test_a_file_with_a_damaged_array_is_refused(matrix, tmp_path, name):
    result = Trellis(rate=1.0, states=256).fit(matrix)
    assert (result.arrays["basis"].size and len(result.arrays["kinds"]) > 1) or name not in ("basis", "labels")
    damaged = {**result.arrays, name: result.arrays[name][..., :-1].copy()}
    compress.Compressed(result.method, damaged, result.shape, result.digest).save(tmp_path / "x.safetensors")
    with pytest.raises(compress.InputError, match="does not hold what its header says"):
        compress.load(tmp_path / "x.safetensors")
    wild = {**result.arrays, "kinds": np.full_like(result.arrays["kinds"], 200)}
    with pytest.raises(ValueError, match="array 'kinds'"):
        result.method.check_stored(wild, *result.shape)


@pytest.mark.parametrize("d", [1, 2, 7, 64])
def test_the_mixing_of_a_basis_is_orthogonal_and_spreads_an_axis(d):
    mixing = basis_code.mixing(d)
    np.testing.assert_allclose(mixing @ mixing.T, np.eye(d), atol=1e-12)
    assert np.abs(mixing).max() <= np.sqrt(2 / d) + 1e-12


@pytest.mark.parametrize("basis", ["random", "axes"])
def test_a_basis_is_coded_as_finely_as_its_rates_say(basis):
    d = 96
    directions = np.eye(d)[:40] if basis == "axes" else np.linalg.qr(np.random.default_rng(0).standard_normal((d, d)))[0][:40]
    rates = np.repeat([2.0, 3.5, 5.0, 8.0], 10)
    decoded = basis_code.decode(basis_code.code(directions, rates), d)
    away = ((decoded - directions) ** 2).sum(axis=1).reshape(4, 10).mean(axis=1)
    assert (away < 2 * 4.0 ** -np.array([2, 3.5, 5, 8])).all()
    assert spread(np.array([1.0]))[0] == pytest.approx(np.sqrt(0.75))
