"""The tables of Subspaces: what is kept of a draft is what the draft finds, in an order that covers the range early."""

import numpy as np
import pytest

from compress import EmbeddingMatrix, ProjectiveClustering, evaluate
from compress.analysis.groupings import unpacked
from compress.answers.subspaces import FIRST, anchor, anchors, groups
from compress.sources import planted


@pytest.fixture(scope="module", params=["uniform", "weighted"])
def rows(request):
    values, _ = planted(n_rows=400, k=4, j=3, dim=12, noise=0.1, seed=1)
    return EmbeddingMatrix(values, weights=np.random.default_rng(1).exponential(size=400) if request.param == "weighted" else None)


class Kept(list):
    def __call__(self, arrays):
        self.append(arrays)


@pytest.mark.parametrize("search", [{}, {"affine": True}, {"loss": "tukey", "scale": 1.0}], ids=str)
def test_a_draft_in_the_table_is_the_draft_of_the_method(rows, search, monkeypatch):
    monkeypatch.setattr("compress.answers.subspaces.SMALL", 0)
    found = unpacked(groups(rows, Kept(), lambda step: None, j=3, **search))
    assert [each.k for each in found][: len(FIRST)] == [*FIRST] and sorted(each.k for each in found) == [*range(1, 33)]
    method = ProjectiveClustering(k=4, j=3, factor_bits=32, **search)
    draft = method.draft.fit(rows)
    four, seven = (next(each for each in found if each.k == k) for k in (4, 7))
    assert np.array_equal(four.labels, method.labels(draft.arrays, np.arange(400)))
    told = evaluate(rows, draft)
    split = len(np.unique(seven.labels + 8 * next(each for each in found if each.k == 6).labels)) == 7
    assert split == (not search or "affine" in search)
    assert four.errors[3] == pytest.approx(told.relative_error, rel=0.05 if "loss" in search else 1e-4)
    assert four.weighted_errors[3] == pytest.approx(told.weighted_error, rel=0.05 if "loss" in search else 1e-4)


def test_groups_for_any_j_were_found_for_one_that_is_near(rows):
    found = unpacked(groups(rows, Kept(), lambda step: None, k=3))
    assert sorted(each.j for each in found) == anchors(12) == [1, 2, 3, 4, 6, 8, 11, 12]
    assert [anchor(j, 384) for j in (1, 5, 60, 75, 384)] == [1, 6, 64, 64, 384]


def test_a_table_goes_on_where_it_was_stopped_and_is_kept_while_it_grows(rows, monkeypatch):
    monkeypatch.setattr("compress.answers.subspaces.OFTEN", -1)
    keep, told = Kept(), []
    whole = groups(rows, keep, told.append, k=2)
    assert [len(each["k"]) for each in keep] == [*range(1, 9)] and told[-1].share == 1
    again, told = Kept(), []
    again.begun = keep[5]
    assert all(np.array_equal(whole[name], array) for name, array in groups(rows, again, told.append, k=2).items())
    assert len(told) == 2


def test_groups_are_told_of_one_j_or_of_one_k(rows):
    for both in ({}, {"k": 2, "j": 3}):
        with pytest.raises(ValueError, match="of every k at one j or of one k at every j, got k = "):
            groups(rows, Kept(), lambda step: None, **both)
