"""The best setting within a size."""

import re
from dataclasses import replace

import numpy as np
import pytest

import compress
from compress import METHODS, EmbeddingMatrix, fit_to
from compress.sources import planted
from compress.tuning.fitting import within


@pytest.fixture(scope="module")
def matrix():
    return EmbeddingMatrix(planted(n_rows=400, k=5, j=2, dim=24, noise=0.1, outliers=0.0)[0])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("ratio", [2, 3.5])
def test_what_is_found_is_within_the_size(matrix, method, ratio):
    result = fit_to(matrix, method, ratio)
    assert result.method.name == method
    assert result.ratio >= ratio


@pytest.mark.parametrize("method", ["svd", "projective"])
@pytest.mark.parametrize("bits", [32, 16, 8, 4])
def test_one_more_dimension_would_not_fit(matrix, method, bits):
    found = within(METHODS[method](factor_bits=bits), matrix.shape, 3)
    assert found.size(400, 24) <= 4 * 400 * 24 / 3
    assert found.j == 24 or METHODS[method](factor_bits=bits, j=found.j + 1).size(400, 24) > 4 * 400 * 24 / 3


@pytest.mark.parametrize("method", ["pq", "opq", "rq", "light_token"])
@pytest.mark.parametrize("ratio", [2.5, 5, 9])
def test_the_next_value_of_any_knob_would_not_fit(matrix, method, ratio):
    start = METHODS[method](**{"code_bits": 4} if method != "light_token" else {})
    found, values = within(start, matrix.shape, ratio), list(start.knob_values(400, 24))
    assert values == sorted(values)
    place = values.index(getattr(found, found.knob))
    assert found.size(400, 24) <= 4 * 400 * 24 / ratio
    assert place + 1 == len(values) or replace(found, **{found.knob: values[place + 1]}).size(400, 24) > 4 * 400 * 24 / ratio


@pytest.mark.parametrize("method", ["pq", "opq"])
def test_parts_that_are_found_divide_the_columns(matrix, method):
    values = METHODS[method]().knob_values(400, 24)
    assert list(values) == [1, 2, 3, 4, 6, 8, 12, 24]
    assert list(METHODS["opq"](dims=10).knob_values(400, 24)) == [1, 2, 5, 10]


def test_a_method_may_find_its_own_setting_within_a_size(matrix):
    class Sized(METHODS["int8"]):
        def within(self, n, d, n_bytes):
            return (n, d, n_bytes)

    assert within(Sized(), matrix.shape, 4) == (400, 24, pytest.approx(400 * 24))


def test_the_precision_with_the_least_error_is_taken(matrix):
    best = compress.evaluate(matrix, fit_to(matrix, "svd", 6)).relative_error
    for bits in (32, 16, 8, 4):
        result = fit_to(matrix, "svd", 6, factor_bits=bits)
        assert result.method.factor_bits == bits
        assert best <= compress.evaluate(matrix, result).relative_error + 1e-9


def test_the_number_of_subspaces_that_were_planted_is_taken(matrix):
    result = fit_to(matrix, "projective", 17, factor_bits=16)
    assert (result.method.k, result.method.j) == (5, 2)
    others = [fit_to(matrix, "projective", 17, factor_bits=16, k=k) for k in (2, 10)]
    assert [other.method.k for other in others] == [2, 10]
    assert all(
        compress.evaluate(matrix, result).relative_error < compress.evaluate(matrix, other).relative_error for other in others
    )


def test_settings_that_are_given_are_kept(matrix):
    result = fit_to(matrix, "projective", 3, k=3, j=2, seed=4, affine=True, factor_bits=16)
    assert result.method == compress.ProjectiveClustering(k=3, j=2, seed=4, affine=True, factor_bits=16)
    assert fit_to(matrix, "svd", 2, j=4).method.j == 4
    with pytest.raises(ValueError, match=r"^svd cannot reach ratio 40 here: no smaller than .* at j = 20 \([\d.]+ ×\)"):
        fit_to(matrix, "svd", 40, j=20)


def test_weights_choose_what_is_best():
    rng = np.random.default_rng(0)
    values = rng.standard_normal((300, 12)).astype(np.float32)
    matrix = EmbeddingMatrix(values, weights=rng.exponential(size=300) ** 3)
    best = compress.evaluate(matrix, fit_to(matrix, "svd", 5)).weighted_error
    for bits in (32, 16, 8, 4):
        assert best <= compress.evaluate(matrix, fit_to(matrix, "svd", 5, factor_bits=bits)).weighted_error + 1e-9


@pytest.mark.parametrize("method", METHODS)
def test_a_ratio_out_of_reach_names_the_smallest_form_and_what_takes_most_of_it(matrix, method):
    with pytest.raises(ValueError, match=rf"^{method} cannot reach ratio 10000 here: no smaller than ") as caught:
        fit_to(matrix, method, 10000)
    largest = float(re.search(r"\(([\d.,]+) ×\), of which [\d.]+ (?:KB|bytes) are its \w+", str(caught.value))[1].replace(",", ""))
    assert fit_to(matrix, method, 0.99 * largest).ratio == pytest.approx(largest, rel=0.01)


def test_bad_requests_are_named(matrix):
    with pytest.raises(ValueError, match=r"^method must be one of svd, .*, got 'magic'$"):
        fit_to(matrix, "magic", 5)
    for ratio in (0, -2, float("nan")):
        with pytest.raises(ValueError, match=f"^ratio must be above 0, got {ratio}$"):
            fit_to(matrix, "svd", ratio)


def test_few_rows_are_no_obstacle():
    matrix = EmbeddingMatrix(np.random.default_rng(0).standard_normal((4, 6)))
    assert fit_to(matrix, "projective", 0.5).ratio >= 0.5


@pytest.mark.parametrize("settings", [{}, {"objective": "rows"}, {"objective": "rows", "p": 1.5}, {"p": 1.5}])
def test_lp_low_rank_is_chosen_by_what_it_lowers(settings):
    matrix = EmbeddingMatrix(planted(n_rows=400, k=1, j=4, dim=24, noise=0.05, outliers=0.1)[0])
    best = fit_to(matrix, "lp", 4, **settings)
    for bits in (32, 16, 8, 4):
        other = fit_to(matrix, "lp", 4, factor_bits=bits, **settings)
        assert best.method.lost(matrix, best) <= 1.02 * other.method.lost(matrix, other)


def test_what_lp_low_rank_loses_is_its_objective():
    rng = np.random.default_rng(0)
    matrix = EmbeddingMatrix(rng.standard_normal((50, 8)), weights=rng.exponential(size=50))
    result = compress.LpLowRank(j=3, p=1.3).fit(matrix)
    apart = np.abs(matrix.values - result.reconstruct())
    whole = np.abs(matrix.values)
    entries = matrix.weights @ (apart**1.3).sum(axis=1) / (matrix.weights @ (whole**1.3).sum(axis=1))
    assert result.method.lost(matrix, result) == pytest.approx(entries, rel=1e-4)
    rows = matrix.weights @ np.linalg.norm(apart, axis=1) ** 1.3 / (matrix.weights @ np.linalg.norm(whole, axis=1) ** 1.3)
    method = compress.LpLowRank(j=3, p=1.3, objective="rows")
    assert method.lost(matrix, result) == pytest.approx(rows, rel=1e-4)
    assert compress.LpLowRank(j=3, p=1).lost(EmbeddingMatrix(matrix.values), result) == pytest.approx(
        compress.evaluate(matrix, result).l1_error, rel=1e-4
    )
    plain = compress.SVD(j=3).fit(matrix)
    assert plain.method.lost(matrix, plain) == compress.evaluate(matrix, plain).weighted_error
