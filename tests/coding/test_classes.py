"""Row classes: planted ones are found, statistics are those of their rows, and weights count."""

import numpy as np
import pytest

from compress.coding.classes import Classes, find_classes


@pytest.fixture
def planted():
    """Rows of two classes that differ in mean and in spread, and the class of each."""
    rng = np.random.default_rng(0)
    labels = np.arange(400) % 2
    means, spreads = np.array([[0.0] * 6, [4.0, -2, 0, 0, 0, 0]]), np.array([[1.0] * 6, [0.1, 0.1, 3.0, 0.1, 0.1, 0.1]])
    return (means[labels] + spreads[labels] * rng.standard_normal((400, 6))).astype(np.float32), labels


def test_statistics_are_those_of_each_class(planted):
    rows, labels = planted
    weights = np.random.default_rng(1).exponential(size=400)
    classes = Classes.of(rows, labels, weights, 3)
    for z in range(2):
        own, shares = rows[labels == z].astype(np.float64), weights[labels == z] / weights[labels == z].sum()
        mean = shares @ own
        np.testing.assert_allclose(classes.means[z], mean, atol=1e-5)
        np.testing.assert_allclose(classes.variances[z], shares @ (own - mean) ** 2, rtol=1e-4)
        assert classes.weights[z] == pytest.approx(weights[labels == z].mean())
    assert classes.shares.tolist() == [0.5, 0.5, 0]


def test_planted_classes_are_found(planted):
    rows, labels = planted
    classes = find_classes(rows, np.ones(400), 2, 0.01)
    found = classes.assign(rows, np.ones(400), 0.01)
    assert max((found == labels).mean(), (found != labels).mean()) > 0.98


def test_rates_are_those_of_reverse_water_filling():
    classes = Classes(np.zeros((2, 3)), np.array([[4.0, 1.0, 0.1], [16.0, 0.5, 0.25]]), np.array([0.5, 0.5]), np.array([1.0, 2.0]))
    assert classes.rates(0.25).tolist() == [[2.0, 1.0, 0.0], [3.5, 1.0, 0.5]]
    assert classes.error(0.25) == pytest.approx(0.5 * (0.25 + 0.25 + 0.1) + 0.5 * (0.25 * 3))


def test_a_heavy_row_goes_where_it_gets_more_bits():
    classes = Classes(np.zeros((2, 2)), np.full((2, 2), 1.0), np.array([0.5, 0.5]), np.array([0.2, 5.0]))
    rows = np.full((2, 2), 2.0, np.float32)
    assert classes.assign(rows, np.array([0.1, 9.0]), 0.1).tolist() == [0, 1]


def test_one_class_and_more_classes_than_rows(planted):
    rows, _ = planted
    assert find_classes(rows, np.ones(400), 1, 0.1).shares.tolist() == [1.0]
    few = find_classes(rows[:3], np.ones(3), 8, 0.1)
    assert len(few.shares) == 3 and few.shares.sum() == pytest.approx(1)
    assert np.isfinite(few.means).all() and (few.variances >= 0).all()
