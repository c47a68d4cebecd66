"""Lewis weights: the fixed point they solve, the factor they promise, and what they are at p = 2."""

import numpy as np
import pytest

from compress import EmbeddingMatrix
from compress.solvers.lewis import lewis_axes, lewis_moments


def heavy(n=400, d=9, seed=0):
    return EmbeddingMatrix(np.random.default_rng(seed).standard_t(2, (n, d)).astype(np.float32))


@pytest.mark.parametrize("p", [1.0, 1.4, 2.0, 3.0])
def test_the_weights_solve_their_equation_and_sum_to_the_rank(p):
    matrix = heavy()
    weights, _ = lewis_moments(matrix, p, rounds=60)
    a = matrix.values.astype(np.float64)
    moments = (a * weights[:, None] ** (1 - 2 / p)).T @ a
    expected = np.einsum("id,de,ie->i", a, np.linalg.inv(moments), a) ** (p / 2)
    np.testing.assert_allclose(weights, expected, rtol=1e-4)
    assert weights.sum() == pytest.approx(9, rel=1e-4)


@pytest.mark.parametrize("p", [1.0, 1.5, 3.0])
def test_the_norm_of_the_ellipsoid_is_within_the_factor_of_the_lp_norm(p):
    matrix = heavy(seed=3)
    moments = lewis_moments(matrix, p, rounds=60)[1]
    x = np.random.default_rng(1).standard_normal((9, 3000))
    x = np.concatenate([x, np.linalg.inv(np.linalg.cholesky(moments)).T], axis=1)
    ratio = (np.abs(matrix.values @ x) ** p).sum(axis=0) ** (1 / p) / np.sqrt(np.einsum("dx,de,ex->x", x, moments, x))
    factor = 9 ** abs(1 / p - 1 / 2)
    low, high = (1, factor) if p <= 2 else (1 / factor, 1)
    assert low * (1 - 1e-4) <= ratio.min() and ratio.max() <= high * (1 + 1e-4)


@pytest.mark.parametrize("p", [2.0, 4.0, 7.5])
def test_the_axes_are_the_principal_ones_at_two_and_from_four_on(p):
    matrix = heavy()
    assert np.array_equal(lewis_axes(matrix, p), matrix.axes)


def test_a_row_of_weight_three_counts_as_three_rows():
    values = heavy(60).values
    weights = np.where(np.arange(60) < 20, 3.0, 1.0)
    one = lewis_moments(EmbeddingMatrix(values, weights=weights), 1.0, 40)[1] * weights.mean() ** 2
    several = lewis_moments(EmbeddingMatrix(np.concatenate([values, values[:20], values[:20]])), 1.0, 40)[1]
    np.testing.assert_allclose(one, several, rtol=1e-3, atol=1e-3 * np.abs(several).max())


@pytest.mark.filterwarnings("error")
def test_zero_rows_rows_without_weight_and_a_low_rank_are_allowed():
    values = np.zeros((50, 6), np.float32)
    values[:30] = np.random.default_rng(0).standard_normal((30, 2)) @ np.random.default_rng(1).standard_normal((2, 6))
    matrix = EmbeddingMatrix(values, weights=np.where(np.arange(50) % 5, 1.0, 0.0))
    weights, _ = lewis_moments(matrix, 1.0, 60)
    assert weights.sum() == pytest.approx(2, rel=1e-3)
    assert (weights[30:] == 0).all() and (weights[::5] == 0).all()


@pytest.mark.parametrize("p", [0.5, float("nan"), 4.0])
def test_an_exponent_without_lewis_weights_is_refused(p):
    with pytest.raises(ValueError, match=rf"^p must be at least 1 and below 4 for Lewis weights, got {p}$"):
        lewis_moments(heavy(), p)
