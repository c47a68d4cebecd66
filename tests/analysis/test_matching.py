"""Groups that keep their numbers."""

from itertools import pairwise, permutations

import numpy as np
import pytest

from compress.analysis.matching import chained, matched


def test_renamed_groups_are_named_back():
    before = np.random.default_rng(0).integers(7, size=500).astype(np.uint8)
    found = matched(before, np.random.default_rng(1).permutation(7).astype(np.uint8)[before], 7)
    assert found.dtype == np.uint8
    assert np.array_equal(found, before)


def test_a_group_that_parts_keeps_its_number_for_the_larger_part():
    before = np.repeat([0, 1], 50)
    assert matched(before, np.repeat([2, 0, 1], [20, 30, 50]), 3).tolist() == np.repeat([2, 0, 1], [20, 30, 50]).tolist()
    assert matched(before, np.repeat([0, 2, 1], [20, 30, 50]), 3).tolist() == np.repeat([2, 0, 1], [20, 30, 50]).tolist()


@pytest.mark.parametrize("more", [0, 2])
def test_no_other_naming_keeps_more_rows(more):
    before, labels = np.random.default_rng(2).integers(4 + more, size=60), np.random.default_rng(3).integers(4, size=60)
    kept = (matched(before, labels, 4) == before).sum()
    assert kept == max((np.array(names)[labels] == before).sum() for names in permutations(range(4)))


def test_groups_that_part_at_every_k_keep_their_numbers_from_k_to_k():
    places, random = np.arange(240), np.random.default_rng(4)
    cuts = {k: np.linspace(0, 240, 2**k + 1)[1:-1] for k in range(4)}
    by_k = {2**k: random.permutation(2**k)[np.searchsorted(cuts[k], places, side="right")] for k in (3, 1, 2, 0)}
    found = chained(by_k)
    assert found.shape == (4, 240) and found.dtype == np.uint8
    assert [(before == after).mean() for before, after in pairwise(found)] == [0.5] * 3


def test_labels_beyond_k_and_other_rows_are_refused():
    with pytest.raises(ValueError, match=r"labels must be between 0 and k - 1 = 2, got 0 to 3"):
        matched(np.zeros(2, int), np.array([0, 3]), 3)
    with pytest.raises(ValueError, match="both clusterings must be of the same rows, got 3 and 2"):
        matched(np.zeros(3, int), np.array([0, 1]), 3)
