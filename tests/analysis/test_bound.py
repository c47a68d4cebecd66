"""The ideal coder: closed forms, its two ends, a brute-force optimum, and that measured methods stay above it."""

import numpy as np
import pytest
from scipy.optimize import minimize

import compress
from compress import EmbeddingMatrix, class_bound, gaussian_bound
from compress.sources import planted

RATIOS = np.geomspace(1.2, 3000, 200)


def white(n=64, d=8, scale=1.0):
    """Rows whose second moments are exactly the same in every direction."""
    return EmbeddingMatrix(scale * np.linalg.qr(np.random.default_rng(0).standard_normal((n, d)))[0])


def two_kinds(n=4000, d=10, seed=0, apart=30.0):
    """Gaussian rows about zero, the second half longer than the first, and which half each is of."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) // (n // 2)
    return EmbeddingMatrix(rng.standard_normal((n, d)) * np.where(labels == 1, apart, 1.0)[:, None]), labels


@pytest.fixture(scope="module")
def matrix():
    rng = np.random.default_rng(1)
    return EmbeddingMatrix(rng.standard_normal((500, 12)) * np.geomspace(1, 0.01, 12) + 0.05)


@pytest.fixture(scope="module")
def weighted(matrix):
    return EmbeddingMatrix(matrix.values, weights=np.random.default_rng(2).exponential(size=500) ** 2)


def test_white_rows_lose_6_decibels_a_bit():
    bits = np.arange(9.0)
    with np.errstate(divide="ignore"):
        errors = gaussian_bound(white()).error(32 / bits)
    assert errors == pytest.approx(4.0**-bits, rel=1e-6)
    assert 10 * np.log10(errors[0] / errors[1]) == pytest.approx(6.02, abs=0.005)


@pytest.mark.parametrize("kind", [gaussian_bound, class_bound])
def test_no_bits_lose_all_and_ever_more_bits_lose_ever_less(kind, matrix, weighted):
    for each in (matrix, weighted):
        errors = kind(each).error([np.inf, 1e12, 1.0, 0.5, 0.0])
        assert errors[:2] == pytest.approx([1, 1], abs=1e-6)
        assert 0 < errors[3] < errors[2] < 1e-10 and errors[4] == 0


def test_the_error_falls_with_every_bit_and_ever_more_slowly(matrix, weighted):
    bits = np.linspace(0.01, 14, 400)
    for each in (matrix, weighted):
        slopes = np.diff(gaussian_bound(each).error(32 / bits))
        assert (slopes < 0).all() and (np.diff(slopes) >= -1e-15).all()


def test_directions_without_variance_take_no_bits_but_the_others_do():
    values = np.zeros((64, 12))
    values[:, :8] = white().values
    lost = gaussian_bound(EmbeddingMatrix(values)).error(12 * 32 / (8 * np.arange(5.0) + 1e-12))
    assert lost == pytest.approx(4.0 ** -np.arange(5.0), rel=1e-4)


@pytest.mark.parametrize("kind", [gaussian_bound, class_bound])
def test_scale_does_not_matter(kind, matrix):
    scaled = EmbeddingMatrix(matrix.values * np.float32(1024))
    assert kind(scaled).error(RATIOS) == pytest.approx(kind(matrix).error(RATIOS), rel=1e-6)


def test_equal_weights_are_no_weights(matrix):
    same = EmbeddingMatrix(matrix.values, weights=np.full(500, 7.0))
    assert np.array_equal(gaussian_bound(same).error(RATIOS), gaussian_bound(matrix).error(RATIOS))


def test_weights_on_a_tenth_of_the_rows_leave_ten_times_the_bits_for_those():
    values = np.vstack([white(64).values, *9 * [white(64).values]])
    plain = gaussian_bound(EmbeddingMatrix(values))
    heavy = gaussian_bound(EmbeddingMatrix(values, weights=np.arange(640) < 64))
    assert heavy.error(10 * RATIOS) == pytest.approx(plain.error(RATIOS), rel=1e-5)


def test_weights_can_only_help(matrix, weighted):
    same_moments = gaussian_bound(weighted)
    uniform = compress.analysis.bound.filled_bound(weighted, np.linalg.eigvalsh(weighted.gram) / 500, np.full(12, 500), 0.0)
    assert (same_moments.error(RATIOS) <= uniform.error(RATIOS) * (1 + 1e-9)).all()
    assert same_moments.error(32) < 0.7 * uniform.error(32)


def test_many_weights_in_bands_give_nearly_what_they_give_one_by_one(monkeypatch, weighted):
    banded = gaussian_bound(weighted).error(RATIOS)
    monkeypatch.setattr(compress.analysis.bound, "BANDS", 500)
    assert banded == pytest.approx(gaussian_bound(weighted).error(RATIOS), rel=0.02)


def test_no_split_of_the_bits_is_better():
    rng = np.random.default_rng(3)
    values, weights = rng.standard_normal((20, 3)) * [1, 0.4, 0.1], np.repeat([0.2, 1.8], 10)
    matrix = EmbeddingMatrix(values, weights=weights)
    variances = np.linalg.eigvalsh(matrix.gram) / 20
    powers = np.concatenate([0.2 * variances, 1.8 * variances])
    for bits in (5.0, 30.0, 90.0):  # of all 20 rows
        found = minimize(
            lambda rates: 10 * (powers * 4.0**-rates).sum(),
            np.full(6, bits / 60),
            bounds=[(0, None)] * 6,
            constraints={"type": "eq", "fun": lambda rates, bits=bits: 10 * rates.sum() - bits},
            options={"ftol": 1e-14},
        )
        error = found.fun / (matrix.weights @ matrix.squared_norms)
        assert gaussian_bound(matrix).error(8 * matrix.n_bytes / bits) == pytest.approx(error, rel=1e-4)


def test_one_class_of_rows_about_zero_is_the_single_source(matrix):
    centred = EmbeddingMatrix(matrix.values - matrix.values.mean(axis=0))
    one = class_bound(centred, labels=np.zeros(500, int))
    assert one.error(RATIOS) == pytest.approx(gaussian_bound(centred).error(RATIOS), rel=1e-4)


def test_rows_of_two_lengths_are_coded_better_as_two_classes():
    matrix, labels = two_kinds()
    single, known, found = gaussian_bound(matrix), class_bound(matrix, labels), class_bound(matrix, classes=2)
    assert (known.error([4, 8, 16]) < 0.6 * single.error([4, 8, 16])).all()
    assert found.error([4, 8, 16]) == pytest.approx(known.error([4, 8, 16]), rel=0.02)
    assert known.spent == 4000 + 2 * 10 * 16  # a bit a row, and the moments of the second class


def test_labels_that_tell_nothing_cost_their_bits():
    matrix, _ = two_kinds(apart=1.0)
    noise = class_bound(matrix, np.random.default_rng(0).integers(0, 2, 4000))
    assert (noise.error([8, 16]) > gaussian_bound(matrix).error([8, 16])).all()
    assert noise.error(33 * 10) == 1  # less than a bit a row


def test_labels_are_one_a_row(matrix):
    with pytest.raises(ValueError, match=r"^labels must be one for each of the 500 rows, got an array of shape \(3,\)$"):
        class_bound(matrix, labels=[0, 1, 2])


@pytest.mark.parametrize("kind", [gaussian_bound, class_bound])
def test_the_ratio_of_an_error_is_where_that_error_is(kind, matrix, weighted):
    for each in (matrix, weighted):
        found = kind(each)
        for error in (0.5, 0.1, 1e-3, 1e-6):
            ratio = found.ratio(error)  # labels are paid for at once, so that the curve of classes jumps
            assert found.error(ratio) <= error * (1 + 1e-9) < found.error(ratio * 1.0001) * (1 + 1e-9)
        assert found.error(found.ratio(0.99)) <= 0.99
        assert found.ratio(1.0) == np.inf and found.ratio(0.0) == 0


@pytest.mark.parametrize("shape", [(2, 1), (2, 5), (7, 1), (5, 3)])
def test_tiny_matrices_have_a_bound(shape):
    matrix = EmbeddingMatrix(np.random.default_rng(0).standard_normal(shape))
    for found in (gaussian_bound(matrix), class_bound(matrix)):
        errors = found.error(RATIOS)
        assert np.isfinite(errors).all() and (np.diff(errors) >= -1e-12).all() and errors.max() <= 1


def test_rows_that_are_all_alike_have_a_bound():
    found = class_bound(EmbeddingMatrix(np.ones((40, 6))))
    assert np.isfinite(found.error(RATIOS)).all()


@pytest.mark.parametrize("method", [compress.SVD(j=5), compress.SVD(j=12, factor_bits=4), compress.Int8(), compress.Int4()])
def test_no_method_beats_the_bound_on_gaussian_rows(method):
    matrix = EmbeddingMatrix(np.random.default_rng(5).standard_normal((3000, 24)) * np.geomspace(1, 0.1, 24))
    result = method.fit(matrix)
    assert compress.evaluate(matrix, result).relative_error > gaussian_bound(matrix).error(result.ratio)


def test_k_subspaces_go_below_the_line_of_one_gaussian():
    matrix = EmbeddingMatrix(planted(n_rows=4000, k=8, j=2, dim=40, noise=0.001, outliers=0.0)[0])
    result = compress.ProjectiveClustering(k=8, j=2, restarts=3).fit(matrix)
    assert compress.evaluate(matrix, result).relative_error < gaussian_bound(matrix).error(result.ratio)


def test_the_demo_matrix_has_the_errors_that_were_found_by_hand(demo):
    assert gaussian_bound(demo).error([25, 384 * 32 / 452]) == pytest.approx([0.1197, 0.1384], abs=5e-5)
    assert class_bound(demo).error(384 * 32 / 452) == pytest.approx(0.118, abs=1e-3)
