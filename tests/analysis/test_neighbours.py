"""Neighbours before and after: what is kept, lost and gained, and which rows changed most."""

import numpy as np
import pytest

import compress
from compress import SVD, EmbeddingMatrix
from compress.analysis import neighbours
from compress.analysis.neighbours import error_by_use, most_changed, nearest, ordered, overlap
from compress.linalg.blocks import unit_rows


@pytest.fixture(scope="module")
def values():
    return np.random.default_rng(0).standard_normal((300, 12)).astype(np.float32)


def by_hand(values, row, count=10):
    """The nearest rows in float64 by a full sort."""
    unit = values.astype(np.float64)
    unit /= np.maximum(np.linalg.norm(unit, axis=1, keepdims=True), 1e-30)
    cosines = unit @ unit[row]
    return [other for other in np.lexsort((np.arange(len(unit)), -cosines)) if other != row][:count]


def test_nothing_is_lost_between_a_table_and_itself(values):
    found = neighbours.neighbours(values, values, 7)
    assert not len(found.lost) and not len(found.gained) and not len(found.reordered) and found.overlap == 1
    assert list(found.after_ranks) == list(found.before_ranks) == list(range(1, 11))
    assert (overlap(values, values) == 1).all()
    changed = most_changed(values, values)
    assert (changed.overlap == 1).all() and not changed.shift.any() and list(changed.rows) == list(range(20))


def test_neighbours_are_those_of_a_full_sort(values):
    after = values + np.random.default_rng(1).standard_normal(values.shape).astype(np.float32) / 2
    found = neighbours.neighbours(values, after, 7)
    assert list(found.before) == by_hand(values, 7) and list(found.after) == by_hand(after, 7)
    assert (np.diff(found.before_cosines) <= 0).all()
    assert found.before_cosines[0] == pytest.approx(unit_rows(values)[7] @ unit_rows(values)[found.before[0]], abs=1e-6)
    everything = by_hand(after, 7, 299)
    assert list(found.after_ranks) == [1 + everything.index(row) for row in found.before]
    assert set(found.lost) == set(found.before) - set(found.after) and set(found.gained) == set(found.after) - set(found.before)
    assert overlap(values, after, np.array([7]))[0] == pytest.approx(found.overlap)
    assert [row for row in found.before if row in found.reordered] == list(found.reordered)


def test_two_rows_that_were_swapped_changed_most(values):
    after = values.copy()
    after[[40, 200]] = after[[200, 40]]
    changed = most_changed(values, after, limit=2)
    assert set(changed.rows) == {40, 200} and (changed.overlap < 0.5).all() and (changed.shift > 10).all()


def test_among_equals_the_rows_whose_nearest_moved_further_come_first(values):
    after = np.random.default_rng(3).standard_normal(values.shape).astype(np.float32)
    changed = most_changed(values, after, limit=50)
    assert (np.diff(changed.overlap) >= 0).all()
    equal = changed.overlap[1:] == changed.overlap[:-1]
    assert (np.diff(changed.shift)[equal] <= 0).all() and equal.any()


def test_only_the_rows_that_are_asked_for_are_looked_at(values):
    after = values[::-1].copy()
    rows = np.array([5, 3, 250])
    assert set(most_changed(values, after, rows).rows) == {3, 5, 250}
    assert np.array_equal(overlap(values, after, rows), overlap(values, after)[rows])
    assert len(overlap(values, after, [])) == 0 and len(most_changed(values, after, []).rows) == 0


def test_of_equally_near_rows_the_lower_number_is_first():
    rng = np.random.default_rng(2)
    values = rng.standard_normal((20, 30)).astype(np.float32)[rng.integers(20, size=700)]
    for row in (0, 333, 699):
        found = neighbours.neighbours(values, values, row).before
        twins = [other for other in np.flatnonzero((values == values[row]).all(axis=1)) if other != row]
        assert list(found) == twins[:10]
    assert (overlap(values, values * 2) == 1).all()


def test_the_largest_of_a_row_are_found_whatever_its_length():
    rng = np.random.default_rng(4)
    for n in (2, 11, 64, 65, 640, 1000):
        scores = rng.integers(5, size=(8, n)).astype(np.float32)
        expected = np.argsort(-scores, axis=1, kind="stable")[:, : min(10, n)]
        assert np.array_equal(ordered(scores, min(10, n)), expected)


def test_rows_of_zeros_are_neighbours_like_others(values):
    empty = values.copy()
    empty[[0, 9]] = 0
    found = neighbours.neighbours(values, empty, 9)
    assert not found.after_cosines.any() and list(found.after) == [0, 1, 2, 3, 4, 5, 6, 7, 8, 10]
    assert np.isfinite(overlap(values, empty)).all() and np.isfinite(most_changed(empty, values).shift).all()


def test_a_table_of_few_rows_has_fewer_neighbours():
    table = np.eye(3, dtype=np.float32)
    assert list(neighbours.neighbours(table, table, 1).before) == [0, 2]
    assert list(overlap(table, table[::-1])) == [1, 1, 1]


def test_a_matrix_and_what_was_made_of_it_are_tables(values):
    matrix = EmbeddingMatrix(values)
    result = SVD(j=6).fit(matrix)
    assert np.array_equal(overlap(matrix, result), overlap(values, result.reconstruct()))
    assert 0 < overlap(matrix, result).mean() < 1


def test_what_is_not_there_is_refused(values):
    with pytest.raises(IndexError, match="rows must be between 0 and 299, got 300"):
        neighbours.neighbours(values, values, 300)
    with pytest.raises(IndexError, match="rows must be between 0 and 299, got -1"):
        overlap(values, values, [-1])
    with pytest.raises(ValueError, match=r"of one shape with 2 rows or more, got \(300, 12\) and \(299, 12\)"):
        overlap(values, values[1:])


def test_the_nearest_rows_come_in_order_without_the_row_itself(values):
    rows, cosines = nearest(unit_rows(values), 7)
    assert list(rows) == by_hand(values, 7) and (np.diff(cosines) <= 0).all()


def test_error_by_use_follows_the_weights_and_sums_to_the_whole(values):
    weights = np.random.default_rng(5).exponential(size=300)
    held = values.copy()
    held[17] = 0
    matrix = EmbeddingMatrix(held, weights=weights)
    evaluation = compress.evaluate(matrix, SVD(j=4).fit(matrix))
    found = error_by_use(matrix, evaluation, bins=8)
    assert found.by == "weight" and found.rows.sum() == 299
    assert found.first[0] == 1 and found.last[-1] == 300 and (found.first[1:] == found.last[:-1] + 1).all()
    order = np.argsort(-weights)
    norms = [matrix.squared_norms[order[first - 1 : last]].sum() for first, last in zip(found.first, found.last, strict=True)]
    assert found.error @ norms / matrix.squared_norms.sum() == pytest.approx(evaluation.relative_error)
    assert (found.low <= found.median).all() and (found.median <= found.high).all()
    assert found.median[0] == pytest.approx(evaluation.row_errors[order[0]])


def test_error_by_use_follows_the_vocabulary_where_rows_weigh_the_same(values):
    tokens = [f"[unused{i}]" for i in range(100)] + [f"word{i}" for i in range(200)]
    matrix = EmbeddingMatrix(values, tokens=tokens)
    evaluation = compress.evaluate(matrix, SVD(j=4).fit(matrix))
    found = error_by_use(matrix, evaluation, bins=6)
    assert found.by == "order" and found.last[0] == 2
    assert found.median[0] == pytest.approx(evaluation.row_errors[100:102].mean())
    plain = error_by_use(EmbeddingMatrix(values), evaluation, bins=6)
    assert plain.median[0] == pytest.approx(evaluation.row_errors[:2].mean())


@pytest.mark.parametrize("scale", [1e-44, 1e-30, 1e-20, 1e17])
def test_unit_rows_have_length_1_whatever_their_entries_and_a_row_of_zeros_stays(scale):
    values = np.array([[3, 4], [0, 0], [300, 400]], np.float32) * np.float32(scale)
    np.testing.assert_allclose(unit_rows(values), [[0.6, 0.8], [0, 0], [0.6, 0.8]], atol=0.05 if scale < 1e-38 else 1e-6)
