"""Losses: concave in the squared distance, so that their tangents bound them, and each as its formula says."""

import numpy as np
import pytest

from compress.solvers.losses import EFFICIENT, NAMES, Loss

SQUARED = np.concatenate([[0.0], np.geomspace(1e-6, 1e4, 400)])
CONCAVE = [Loss("lp", p, 1.0) for p in (1.0, 1.3, 1.7, 2.0)] + [Loss(name, scale=1.7) for name in EFFICIENT]


@pytest.mark.parametrize("loss", CONCAVE, ids=str)
def test_the_tangent_at_any_distance_bounds_the_loss(loss):
    s = SQUARED[1:]
    cost = loss.cost(s)
    at = np.array([0.5])
    constant = (loss.cost(at + 1e-5) - loss.cost(at - 1e-5)) / 2e-5 / loss.pull(at)  # the next test says that there is one
    slope = constant * loss.pull(s)
    tangents = cost[:, None] + slope[:, None] * (s[None] - s[:, None])  # (at, for)
    assert (tangents >= cost[None] * (1 - 1e-6) - 1e-9 * (1 + cost[:, None])).all()


@pytest.mark.parametrize("loss", [*CONCAVE, Loss("lp", 3.0, 2.0)], ids=str)
def test_the_pull_is_the_slope_up_to_a_constant(loss):
    s = SQUARED[50:-100]
    slope = (loss.cost(s * (1 + 1e-6)) - loss.cost(s * (1 - 1e-6))) / (2e-6 * s)
    known = slope > 1e-6 * slope.max()
    ratio = slope[known] / loss.pull(s)[known]
    assert known.sum() > 20
    np.testing.assert_allclose(ratio, np.median(ratio), rtol=1e-3)


@pytest.mark.parametrize("name", EFFICIENT)
def test_near_zero_a_loss_is_the_square_and_far_rows_pull_less(name):
    loss = Loss(name, scale=3.0)
    assert loss.cost(np.array([1e-4]))[0] == pytest.approx(1e-4 / 9, rel=1e-3)
    pulls = loss.pull(np.array([0.0, 4.0, 900.0]))
    assert pulls[0] == 1 and pulls[0] >= pulls[1] > pulls[2] and pulls[2] <= 0.1


def test_the_losses_are_those_of_their_formulas():
    r, scale = 5.0, 2.0
    x = r / scale
    expected = {
        "huber": 2 * x - 1,
        "cauchy": np.log(1 + x**2),
        "geman_mcclure": x**2 / (1 + x**2),
        "welsch": 1 - np.exp(-(x**2)),
        "tukey": 1 / 3,
    }
    assert set(expected) | {"lp"} == set(NAMES)
    for name, value in expected.items():
        assert Loss(name, scale=scale).cost(np.array([r**2]))[0] == pytest.approx(value)
    assert Loss("lp", 1.5, 1.0).cost(np.array([r**2]))[0] == pytest.approx(r**1.5)
    assert Loss("tukey", scale=10.0).cost(np.array([r**2]))[0] == pytest.approx((1 - (1 - 0.25) ** 3) / 3)


def test_the_scale_keeps_95_percent_of_least_squares_efficiency():
    residuals = np.random.default_rng(0).standard_normal(400_000)
    for name, constant in EFFICIENT.items():
        loss, step = Loss(name, scale=constant), 1e-4

        def score(x, loss=loss):
            return x * loss.pull(x**2)

        slope = (score(residuals + step) - score(residuals - step)) / (2 * step)
        assert slope.mean() ** 2 / (score(residuals) ** 2).mean() == pytest.approx(0.95, abs=0.005), name


def test_the_scale_is_estimated_from_the_median_distance_and_far_rows_hardly_move_it():
    near = np.full(99, 4.0)
    for name, constant in EFFICIENT.items():
        assert Loss(name).scaled(np.append(near, 1e12)).scale == pytest.approx(2 * constant)
        assert Loss(name).scaled(np.zeros(5)).scale == 1
    assert Loss("lp", 1.0).scaled(np.append(near, 100.0)).scale == 10
