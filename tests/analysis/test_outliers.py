import numpy as np
import pytest

from compress import EmbeddingMatrix, InputError
from compress.analysis.outliers import plant


def test_planted_rows_have_the_length_asked_for_and_the_others_stay(small):
    planted, rows = plant(small, 5, 20.0)
    lengths = np.sqrt(planted.squared_norms)
    assert np.allclose(lengths[rows], 20 * np.median(np.sqrt(small.squared_norms)), rtol=1e-5)
    others = np.setdiff1d(np.arange(40), rows)
    assert len(rows) == 5 and np.array_equal(planted.values[others], small.values[others])


def test_the_matrix_itself_is_not_changed(small):
    before = small.values.copy()
    planted, _ = plant(small, 5, 20.0)
    assert np.array_equal(small.values, before) and not planted.values.flags.writeable


def test_the_same_seed_plants_the_same_and_a_larger_count_adds_to_it(small):
    one, rows = plant(small, 5, 20.0)
    again, _ = plant(small, 5, 20.0)
    more, others = plant(small, 9, 20.0)
    assert one.digest == again.digest and set(rows) < set(others)
    assert np.array_equal(one.values[rows], more.values[rows])
    assert not np.array_equal(plant(small, 5, 20.0, seed=1)[1], rows)


def test_tokens_and_weights_are_kept():
    matrix = EmbeddingMatrix(np.eye(3, dtype=np.float32), ["a", "b", "c"], np.array([1.0, 2, 3]))
    planted, _ = plant(matrix, 1, 3.0)
    assert planted.tokens == ("a", "b", "c") and np.array_equal(planted.weights, matrix.weights)


def test_sums_over_the_rows_follow_from_those_that_were_replaced(small):
    weighted = EmbeddingMatrix(small.values, weights=np.arange(1.0, 41))
    for matrix in (small, weighted):
        planted, _ = plant(matrix, 5, 20.0)
        anew = EmbeddingMatrix(planted.values, weights=planted.weights)
        for name in ("squared_norms", "gram", "absolute_sum"):
            np.testing.assert_allclose(getattr(planted, name), getattr(anew, name), rtol=1e-6, atol=1e-6 * anew.gram.max())


def test_rows_of_zeros_do_not_count_in_the_median_length():
    values = np.zeros((30, 2), np.float32)
    values[:3] = [3, 4]
    planted, rows = plant(EmbeddingMatrix(values), 1, 2.0)
    assert np.linalg.norm(planted.values[rows]) == pytest.approx(10)


def test_planting_nothing_gives_the_matrix_back(small):
    planted, rows = plant(small, 0, 20.0)
    assert planted is small and len(rows) == 0


@pytest.mark.parametrize("count", [-1, 40, 2.5, True])
def test_a_count_out_of_bounds_is_refused(small, count):
    with pytest.raises(InputError, match="count must be a whole number between 0 and 39"):
        plant(small, count, 20.0)


@pytest.mark.parametrize("distance", [0, -1.0, np.nan, np.inf, "far"])
def test_a_distance_out_of_bounds_is_refused(small, distance):
    with pytest.raises(InputError, match="distance must be a number above 0"):
        plant(small, 2, distance)


def test_a_length_beyond_float32_is_refused_in_a_sentence():
    matrix = EmbeddingMatrix(np.full((4, 2), 1e15, np.float32))
    with pytest.raises(InputError, match="overflows float32"):
        plant(matrix, 1, 1000.0)
