"""Duplicates and near duplicates, on planted ones and against every pair."""

import numpy as np
import pytest
from scipy.cluster.hierarchy import fcluster, linkage

from compress import EmbeddingMatrix, InputError
from compress.analysis import duplicates, near_rows
from compress.analysis.duplicates import Near, equal_rows, grouped
from compress.analysis.near_rows import LOWEST


def beside(row, cosine, rng):
    """A row as long as another, at that cosine to it."""
    away = rng.standard_normal(row.shape)
    away -= (away @ row) / (row @ row) * row
    return cosine * row + np.sqrt(1 - cosine**2) * np.linalg.norm(row) / np.linalg.norm(away) * away


def partition(groups):
    """Groups as a set of sets."""
    return {frozenset(groups.rows[groups.group == group].tolist()) for group in range(len(groups))}


def by_all_pairs(values, cosine):
    """Single linkage by SciPy: groups of 2 or more."""
    labels = fcluster(linkage(values, "single", "cosine"), 1 - cosine, "distance")
    return {frozenset(np.flatnonzero(labels == each).tolist()) for each in np.unique(labels) if (labels == each).sum() > 1}


def clustered(n, dim, seed=0):
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((n // 8, dim))
    return centres[rng.integers(len(centres), size=n)] + rng.choice([0.05, 0.2, 0.4], size=(n, 1)) * rng.standard_normal((n, dim))


def test_equal_rows_are_grouped_and_nearly_equal_ones_are_not():
    values = np.random.default_rng(0).standard_normal((12, 5)).astype(np.float32)
    values[[3, 7, 9]], values[5], values[2] = values[0], values[4], np.nextafter(values[1], 9, dtype=np.float32)
    found = equal_rows(EmbeddingMatrix(values))
    assert partition(found) == {frozenset({0, 3, 7, 9}), frozenset({4, 5})}
    assert found.group.tolist() == [0, 0, 0, 0, 1, 1] and found.spare.tolist() == [3, 5, 7, 9]


def test_rows_of_zeros_are_no_duplicates():
    values = np.eye(6, dtype=np.float32)
    values[[1, 2]] = 0
    assert not len(equal_rows(EmbeddingMatrix(values))) and not len(near_rows.near_rows(EmbeddingMatrix(values)).pairs)


@pytest.mark.parametrize("dim", [12, 200], ids=["in all columns", "by sketches"])
@pytest.mark.parametrize("cosine", [0.9, 0.95, 0.99])
def test_groups_at_every_cosine_are_those_of_all_pairs(dim, cosine):
    values = clustered(400, dim).astype(np.float32)
    near = near_rows.near_rows(EmbeddingMatrix(values))
    assert partition(near.groups(cosine)) == by_all_pairs(values, cosine)
    assert near.found == near.compared > 0


@pytest.fixture
def in_cells(monkeypatch):
    """Few rows are sought in cells as many are."""
    monkeypatch.setattr(near_rows, "ALL", 500)


def test_planted_pairs_are_found_in_cells(in_cells):
    rng = np.random.default_rng(3)
    values = rng.standard_normal((3000, 128))
    cosines = rng.uniform(0.91, 1, 150)
    values[1500:1650] = [beside(row, cosine, rng) for row, cosine in zip(values[:150], cosines, strict=True)]
    near = near_rows.near_rows(EmbeddingMatrix(values))
    pairs = partition(near.groups(LOWEST))
    assert sum(frozenset({row, row + 1500}) in pairs for row in range(150)) >= 149
    above = near.groups(0.95)
    assert {frozenset({row, row + 1500}) for row in np.flatnonzero(cosines >= 0.951)} >= partition(above)


def test_crowds_stay_whole_in_cells(in_cells):
    rng = np.random.default_rng(4)
    crowd = np.arange(2400) % 4
    values = 3 * np.eye(4, 16)[crowd] + 0.1 * rng.standard_normal((2400, 16))
    near = near_rows.near_rows(EmbeddingMatrix(values))
    assert partition(near.groups(0.95)) == {frozenset(np.flatnonzero(crowd == each).tolist()) for each in range(4)}
    assert near.found == near.compared


def test_the_forest_is_the_same_a_few_pairs_at_a_time(monkeypatch):
    values = clustered(300, 10, seed=5).astype(np.float32)
    whole = near_rows.near_rows(EmbeddingMatrix(values))
    monkeypatch.setattr(duplicates, "BUFFER", 50)
    monkeypatch.setattr(near_rows, "BLOCK", 4000)
    few = near_rows.near_rows(EmbeddingMatrix(values))
    for cosine in (0.9, 0.97):
        assert partition(few.groups(cosine)) == partition(whole.groups(cosine))


def test_rows_that_are_all_the_same_are_one_group():
    near = near_rows.near_rows(EmbeddingMatrix(np.ones((50, 6))))
    assert partition(near.groups(1.0)) == {frozenset(range(50))}


def test_a_row_and_its_multiple_are_near_at_one():
    values = np.random.default_rng(6).standard_normal((9, 200))
    values[4] = 7.3 * values[2]
    assert partition(near_rows.near_rows(EmbeddingMatrix(values), 1.0).groups(1.0)) == {frozenset({2, 4})}


def test_what_a_file_keeps_gives_the_same_groups():
    near = near_rows.near_rows(EmbeddingMatrix(clustered(200, 8)))
    assert partition(Near.of(near.arrays).groups(0.93)) == partition(near.groups(0.93))


def test_cosines_out_of_bounds_are_refused():
    matrix = EmbeddingMatrix(np.eye(4))
    for cosine in (0.3, 1.01, float("nan")):
        with pytest.raises(InputError, match=r"between 0\.5 and 1"):
            near_rows.near_rows(matrix, cosine)
    with pytest.raises(InputError, match=r"0\.9, from which"):
        near_rows.near_rows(matrix).groups(0.8)


def test_groups_are_numbered_by_size_and_rows_of_none_are_left_out():
    found = grouped(np.array([5, -1, 2, 5, 2, 2, 0, -1]))
    assert (found.rows.tolist(), found.group.tolist()) == ([2, 4, 5, 0, 3], [0, 0, 0, 1, 1])
    assert found.first.tolist() == [2, 2, 2, 0, 0] and len(grouped(np.array([0, 1, 2]))) == 0
