"""The ellipsoid against SVD, against convex programs, and against balls whose ellipsoid is known."""

from functools import cache

import numpy as np
import pytest
from scipy.linalg import null_space
from scipy.optimize import linprog, minimize

from compress.errors import InputError
from compress.solvers.ellipsoid import lowner

TOLERANCE = 0.01
KINDS = ("gaussian", "heavy", "outliers")


@cache
def rows(kind, n=500, d=20):
    rng = np.random.default_rng(0)
    values = rng.standard_t(2, (n, d)) if kind == "heavy" else rng.standard_normal((n, d))
    if kind == "outliers":
        values[:10] *= 1000
    return values


@cache
def solved(kind, p):
    return lowner(rows(kind), p, tolerance=TOLERANCE)


def inner(found, points):
    """‖D Vᵀx‖₂ of points x (m, d)."""
    return np.linalg.norm(points @ found.axes * found.stretches, axis=1)


def norms(values, p, points):
    return np.linalg.norm(values @ points.T, ord=p, axis=0)


def log_volume(found):
    return -np.log(found.stretches).sum()


def reach(values, p, v):
    """max v·x subject to ‖A x‖ₚ ≤ 1, which is 1 / min ‖A x‖ₚ subject to v·x = 1."""
    n, d = values.shape
    if p == 1:
        sides = np.block([[values, -np.eye(n)], [-values, -np.eye(n)]])
        cost, bounds = np.r_[np.zeros(d), np.ones(n)], [(None, None)] * d + [(0, None)] * n
        plane = np.r_[v, np.zeros(n)][None]
        return 1 / linprog(cost, sides, np.zeros(2 * n), plane, [1.0], bounds, method="highs").fun
    free = null_space(v[None])
    middle = np.linalg.solve(values.T @ values, v)  # where p = 2 has its least norm
    middle /= v @ middle
    free = free @ np.linalg.inv(np.linalg.qr(values @ free)[1])  # the columns of A are then of one scale, as BFGS likes it
    offset, slope = values @ middle, values @ free
    size = np.linalg.norm(offset, ord=p)

    def power(w):
        y = (offset + slope @ w) / size
        return (np.abs(y) ** p).sum(), slope.T @ (np.sign(y) * np.abs(y) ** (p - 1)) * p / size

    least = minimize(power, np.zeros(d - 1), jac=True, method="BFGS", options={"gtol": 1e-7 / size, "maxiter": 2000}).fun
    return 1 / (size * least ** (1 / p))


@pytest.mark.parametrize("kind", KINDS)
def test_at_p_2_it_is_svd(kind):
    found = lowner(rows(kind), 2)
    _, singular, right = np.linalg.svd(rows(kind), full_matrices=False)
    np.testing.assert_allclose(found.stretches, singular, rtol=1e-9)
    np.testing.assert_allclose(np.abs(np.diag(right @ found.axes)), 1, atol=1e-9)
    assert found.proved == pytest.approx(1, abs=1e-9)
    assert found.rounds == 0


@pytest.mark.parametrize("p", [1, 1.5, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_the_ball_lies_between_the_ellipsoid_and_its_proved_part(kind, p):
    found, values = solved(kind, p), rows(kind)
    for v in [*found.axes[:, [0, 10, 19]].T, *np.random.default_rng(1).standard_normal((2, 20))]:
        outer = np.linalg.norm(found.axes.T @ v / found.stretches)
        support = reach(values, p, v)
        assert support <= outer * (1 + 1e-6)
        assert support >= outer / found.proved * (1 - 1e-6)


@pytest.mark.parametrize("p", [1, 1.5, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_the_norm_of_any_x_lies_between_the_bounds(kind, p):
    found, values = solved(kind, p), rows(kind)
    rng = np.random.default_rng(2)
    points = np.vstack([rng.standard_normal((500, 20)), found.axes.T, rng.standard_t(1, (200, 20)), values])
    ratio = norms(values, p, points) / inner(found, points)
    assert ratio.min() >= 1 - 1e-9
    assert ratio.max() <= found.proved * (1 + 1e-9)


@pytest.mark.parametrize("p", [1, 1.2, 1.5, 3, 6])
@pytest.mark.parametrize("kind", KINDS)
def test_the_measured_factor_is_within_the_theorys_and_the_proved_one_near_it(kind, p):
    found = solved(kind, p)
    assert 1 <= found.measured <= found.proved
    assert found.measured <= np.sqrt(20) * (1 + TOLERANCE)
    assert found.proved <= found.measured * (np.sqrt(np.pi / 2) + 0.01 if p <= 2 else 1.5)


def test_one_far_row_turns_svd_and_not_the_ellipsoid_of_p_1():
    rng = np.random.default_rng(3)
    values = rng.standard_normal((400, 3)) @ np.eye(3, 12) + 0.05 * rng.standard_normal((400, 12))
    values[0, 11] += 60
    overlaps = {p: np.square(lowner(values, p).axes[:3, :3]).sum() for p in (1, 2)}
    assert overlaps[1] > 2.99
    assert overlaps[2] < 2.01


@pytest.mark.parametrize("p", [1, 1.5, 3])
def test_an_invertible_map_of_the_columns_maps_the_ellipsoid(p):
    values = rows("heavy", 200, 8)
    turn = np.random.default_rng(4).standard_normal((8, 8)) @ np.diag(np.geomspace(1, 1e4, 8))
    before, after = lowner(values, p), lowner(values @ turn, p)
    assert log_volume(after) + np.linalg.slogdet(turn)[1] == pytest.approx(log_volume(before), abs=0.1)
    points = np.random.default_rng(5).standard_normal((300, 8))
    ratio = inner(after, np.linalg.solve(turn, points.T).T) / inner(before, points)
    assert abs(np.log(ratio)).max() < 0.1


@pytest.mark.parametrize("p", [1, 1.5])
def test_the_cross_polytope_has_the_unit_ball(p):
    found = lowner(np.eye(9), p)
    np.testing.assert_allclose(found.stretches, 1)
    assert found.proved == pytest.approx(9 ** (1 / p - 1 / 2), rel=1e-9)
    assert found.measured == pytest.approx(found.proved, rel=1e-9)


def test_a_scaled_cross_polytope_has_its_scales_as_stretches():
    scales = np.array([5.0, 3.0, 1.0, 0.1])
    found = lowner(np.diag(scales), 1)
    np.testing.assert_allclose(found.stretches, scales)
    np.testing.assert_allclose(np.abs(found.axes), np.eye(4), atol=1e-12)
    assert found.proved == pytest.approx(2)


def test_the_cube_has_a_ball_of_radius_root_d():
    found = lowner(np.eye(9), 400)
    np.testing.assert_allclose(found.stretches, 1 / 3, rtol=0.01)
    assert found.proved == pytest.approx(3, rel=0.01)
    assert found.measured == pytest.approx(3, rel=0.01)


@pytest.mark.parametrize("p", [1, 3])
def test_a_matrix_of_low_rank_has_as_many_axes(p):
    rng = np.random.default_rng(6)
    values = rng.standard_t(2, (120, 4)) @ rng.standard_normal((4, 10))
    found = lowner(values, p)
    assert found.axes.shape == (10, 4)
    assert found.stretches.shape == (4,)
    np.testing.assert_allclose(values @ found.axes @ found.axes.T, values, atol=1e-9 * np.abs(values).max())
    points = rng.standard_normal((100, 10))
    ratio = norms(values, p, points) / inner(found, points)
    assert 1 - 1e-9 <= ratio.min() <= ratio.max() <= found.proved


def same(one, other):
    np.testing.assert_allclose(one.stretches, other.stretches, rtol=1e-9)
    assert one.proved == pytest.approx(other.proved, rel=1e-9)


@pytest.mark.parametrize("p", [1, 3])
def test_zero_rows_and_rows_of_no_weight_change_nothing(p):
    values = rows("heavy", 80, 5)
    with_zeros = np.vstack([values, np.zeros((7, 5))])
    same(lowner(with_zeros, p), lowner(values, p))
    weights = np.r_[np.ones(80), np.zeros(30)]
    same(lowner(np.vstack([values, rows("gaussian", 30, 5)]), p, weights), lowner(values, p))


@pytest.mark.parametrize("p", [1, 2])
def test_a_row_of_weight_3_is_three_equal_rows(p):
    values = rows("heavy", 80, 5)
    weights = np.where(np.arange(80) < 20, 3, 1)
    one, other = lowner(values, p, weights), lowner(np.repeat(values, weights, axis=0), p)
    assert log_volume(one) == pytest.approx(log_volume(other), abs=0.1)
    points = np.random.default_rng(7).standard_normal((200, 5))
    values = np.repeat(values, weights, axis=0)
    assert (inner(one, points) <= norms(values, p, points) * (1 + 1e-9)).all()
    assert (norms(values, p, points) <= one.proved * inner(one, points) * (1 + 1e-9)).all()


@pytest.mark.parametrize("p", [1, 1.5, 2, 3])
def test_equal_rows_and_one_row_have_one_exact_axis(p):
    row = np.array([3.0, 0.0, 4.0])
    for count in (1, 16):
        found = lowner(np.tile(row, (count, 1)), p)
        np.testing.assert_allclose(np.abs(found.axes[:, 0]), row / 5)
        np.testing.assert_allclose(found.stretches, 5 * count ** (1 / p))
        assert found.proved == pytest.approx(1)


def test_the_same_seed_gives_the_same_ellipsoid():
    values = rows("heavy", 80, 5)
    np.testing.assert_array_equal(lowner(values, 1, seed=3).axes, lowner(values, 1, seed=3).axes)


def test_float32_rows_are_as_good():
    values = rows("heavy", 80, 5).astype(np.float32)
    same(lowner(values, 1), lowner(values.astype(np.float64), 1))


@pytest.mark.parametrize("rounds", [0, 1, 3])
def test_with_few_rounds_the_bounds_still_hold(rounds):
    values = rows("heavy")
    found = lowner(values, 1, rounds=rounds)
    assert found.rounds == rounds
    assert np.sqrt(20) * (1 + TOLERANCE) < found.measured <= found.proved
    points = np.random.default_rng(8).standard_normal((200, 20))
    ratio = norms(values, 1, points) / inner(found, points)
    assert 1 <= ratio.min() <= ratio.max() <= found.proved


def test_progress_hears_every_round_and_can_stop():
    values, told = rows("heavy", 80, 5), []
    found = lowner(values, 1, progress=told.append)
    assert [step.figures["round"] for step in told] == list(range(found.rounds + 1))
    assert told[-1].figures["largest"] <= told[-1].figures["goal"] < told[0].figures["largest"]

    def stop(step):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        lowner(values, 1, progress=stop)


@pytest.mark.parametrize("p", [0.5, 0, -1, np.nan])
def test_p_below_1_is_refused(p):
    with pytest.raises(ValueError, match=rf"^p must be at least 1, got {p}$"):
        lowner(np.eye(2), p)


def test_other_bad_settings_are_refused():
    with pytest.raises(ValueError, match=r"^p must be finite, got inf$"):
        lowner(np.eye(2), np.inf)
    with pytest.raises(ValueError, match=r"^tolerance must be above 0, got 0$"):
        lowner(np.eye(2), 1, tolerance=0)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_bad_values_and_weights_are_refused_with_one_sentence(bad):
    with pytest.raises(InputError, match="Some entries are not finite"):
        lowner(np.array([[1.0, bad]]), 1)
    for weight in (bad, -1.0):
        with pytest.raises(InputError, match="Weights must be finite and not negative"):
            lowner(np.eye(2), 1, np.array([1.0, weight]))


def test_a_matrix_of_zeros_is_refused():
    with pytest.raises(InputError, match="Every row is zero"):
        lowner(np.zeros((3, 2)), 1)
    with pytest.raises(InputError, match="Every row is zero"):
        lowner(np.eye(2), 1, np.zeros(2))
