"""The front: what no other point beats."""

import numpy as np
import pytest

from compress.tuning.front import best_within, front


def beaten(n_bytes, errors, row):
    """Whether another point is no larger and no worse, and better in one of the two."""
    no_worse = (n_bytes <= n_bytes[row]) & (errors <= errors[row])
    return (no_worse & ((n_bytes < n_bytes[row]) | (errors < errors[row]))).any()


def test_the_front_is_what_no_point_beats():
    rng = np.random.default_rng(0)
    n_bytes, errors = rng.integers(1, 40, 300), rng.integers(1, 40, 300) / 40
    found = front(n_bytes, errors)
    kept = {(n_bytes[row], errors[row]) for row in found}
    assert kept == {(n_bytes[row], errors[row]) for row in range(300) if not beaten(n_bytes, errors, row)}
    assert len(kept) == len(found)


def test_the_front_ascends_in_bytes_and_descends_in_error():
    rng = np.random.default_rng(1)
    n_bytes, errors = rng.random(200), rng.random(200)
    found = front(n_bytes, errors)
    assert (np.diff(n_bytes[found]) > 0).all() and (np.diff(errors[found]) < 0).all()


def test_the_first_of_equal_points_stands_for_all():
    assert front([5, 5, 5], [0.1, 0.1, 0.1]).tolist() == [0]


def test_at_equal_bytes_the_smaller_error_wins():
    assert front([5, 5], [0.2, 0.1]).tolist() == [1]


def test_an_unknown_error_is_never_on_the_front():
    assert front([1, 2, 3], [np.nan, 0.5, 0.4]).tolist() == [1, 2]


def test_no_points_have_no_front():
    assert front([], []).tolist() == []


def test_lists_of_two_lengths_are_refused():
    with pytest.raises(ValueError, match="one length"):
        front([1, 2], [0.5])


def test_within_a_budget_the_point_of_least_error_is_best_and_the_smallest_of_equal_ones():
    rng = np.random.default_rng(2)
    n_bytes, errors = rng.integers(10, 100, 60), rng.random(60).round(1)
    budgets = np.arange(5, 110)
    for budget, row in zip(budgets, best_within(n_bytes, errors, budgets), strict=True):
        fitting = [(error, size) for size, error in zip(n_bytes, errors, strict=True) if size <= budget]
        assert (errors[row], n_bytes[row]) == min(fitting) if fitting else row == -1
