"""Agreement of labels with categories, on cases that are known in closed form."""

import numpy as np
import pytest

from compress import EmbeddingMatrix, InputError
from compress.analysis.agreement import agreement, by_chance, counted, means_labels
from compress.charts.agreement import counts_by_category


def test_the_same_grouping_by_other_names_agrees_fully():
    found = agreement(np.array([2, 2, 0, 0, 1, 1]), np.array([0, 0, 1, 1, 2, 2]))
    assert (found.rand, found.information) == (1, 1)


def test_indices_are_those_of_their_formulas():
    labels, codes = np.array([0, 0, 0, 1, 1, 1]), np.array([0, 0, 1, 1, 2, 2])
    found = agreement(labels, codes)
    assert found.rand == pytest.approx((2 - 6 * 3 / 15) / ((6 + 3) / 2 - 6 * 3 / 15))  # pairs together in both, in each, of all
    entropies = np.log(2), np.log(3)
    assert found.information == pytest.approx((2 / 3 * np.log(2)) / np.mean(entropies))


def test_rows_without_a_category_count_nowhere():
    labels, codes = np.array([0, 0, 1, 1, 1, 0]), np.array([0, 0, 1, 1, -1, -1])
    assert agreement(labels, codes).rand == 1
    common, counts, without = counted(labels, codes, k=2)
    assert common.tolist() == [0, 1] and counts.tolist() == [[2, 0], [0, 2]] and without == 2


def test_chance_has_no_rand_index_and_some_information_where_categories_are_many():
    rng = np.random.default_rng(0)
    labels = rng.integers(4, size=600)
    few, many = by_chance(labels, rng.integers(3, size=600)), by_chance(labels, rng.integers(200, size=600))
    assert abs(few.rand) < 0.02 and abs(many.rand) < 0.02 and few.rand_spread > 0
    assert few.information < 0.02 < 0.1 < many.information


def test_what_is_not_among_the_commonest_is_counted_together():
    codes = np.repeat([3, 1, 0, 2, 4], [9, 7, 5, 2, 1])
    labels = np.arange(len(codes)) % 2
    common, counts, _ = counted(labels, codes, k=2, shown=3)
    assert common.tolist() == [3, 1, 0] and counts.sum(axis=1).tolist() == [9, 7, 5, 3]


@pytest.mark.parametrize(
    "codes, words",
    [(np.full(9, -1), "No row has a category"), (np.zeros(9, int), "the same category"), (np.arange(100_000), "name rows")],
)
def test_columns_that_group_nothing_are_refused(codes, words):
    with pytest.raises(InputError, match=words):
        agreement(np.zeros(len(codes), np.int64), codes)


@pytest.mark.parametrize("unit", [True, False])
def test_k_means_finds_planted_groups(unit):
    rng = np.random.default_rng(1)
    groups = np.arange(300) % 3
    values = 5 * np.eye(3, 8)[groups] + 0.3 * rng.standard_normal((300, 8))
    assert agreement(means_labels(EmbeddingMatrix(values), 3, unit), groups).rand == 1


def test_k_means_by_direction_does_not_see_lengths():
    rng = np.random.default_rng(2)
    groups = np.arange(200) % 2
    values = (np.eye(2, 4)[groups] + 0.05 * rng.standard_normal((200, 4))) * rng.choice([1, 50], size=(200, 1))
    matrix = EmbeddingMatrix(values)
    assert agreement(means_labels(matrix, 2, True), groups).rand == 1
    assert agreement(means_labels(matrix, 2, False), groups).rand < 0.9


def test_names_of_categories_are_text_on_the_chart():
    chart = counts_by_category(np.array([[3, 1], [0, 2]]), ["<b>x</b>", "<b>x</b>" + "y" * 99])
    assert chart.data[0].y[0] == "1. &lt;b&gt;x&lt;/b&gt;" and len(set(chart.data[0].y)) == 2
    assert chart.data[0].z.tolist() == [[75, 25], [0, 100]]
