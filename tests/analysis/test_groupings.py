"""Groups of rows tell every j: what their eigenvalues say is what a form with those labels has."""

import numpy as np
import pytest

import compress
from compress import EmbeddingMatrix, ProjectiveClustering
from compress.analysis.groupings import best, errors_of_j, errors_of_k, grouping, near, packed, rounded, rounding, split, unpacked

WEIGHTS = np.random.default_rng(1).exponential(size=240)
LOSSES = [{}, {"p": 1.0}, {"loss": "tukey", "scale": 0.8}]


@pytest.fixture
def rows(flats):
    return {weighted: EmbeddingMatrix(flats[0].values, weights=WEIGHTS if weighted else None) for weighted in (False, True)}


def inside(matrix, evaluation, labels, k):
    return np.bincount(labels, evaluation.row_errors * matrix.squared_norms, k) / matrix.squared_norms.sum()


@pytest.mark.parametrize("weighted", [False, True], ids=["uniform", "weighted"])
@pytest.mark.parametrize("affine", [False, True], ids=["linear", "affine"])
def test_every_j_by_eigenvalues_is_the_fit_with_those_labels(rows, weighted, affine):
    matrix, labels = rows[weighted], np.arange(240) % 4
    known = grouping(matrix, ProjectiveClustering(k=4, j=2, affine=affine), labels)
    for j in range(1, 12):
        form = ProjectiveClustering(k=4, j=j, affine=affine, factor_bits=32).of_groups(matrix, labels)
        told = compress.evaluate(matrix, form)
        assert known.errors[j] == pytest.approx(told.relative_error, rel=1e-4, abs=1e-6)
        assert known.weighted_errors[j] == pytest.approx(told.weighted_error, rel=1e-4, abs=1e-6)
        np.testing.assert_allclose(known.lost[:, j], inside(matrix, told, labels, 4), rtol=1e-4, atol=1e-6)


def test_what_affine_flats_lose_of_rows_near_0_is_those_rows(rows):
    values, labels = rows[True].values.copy(), np.arange(240) % 4
    values += 0.5
    values[:20] *= np.geomspace(1e-4, 0.1, 20)[:, None]
    matrix = EmbeddingMatrix(values, weights=WEIGHTS)
    for how in ({}, {"p": 1.0}):
        known = grouping(matrix, ProjectiveClustering(k=4, j=5, affine=True, **how), labels)
        form = ProjectiveClustering(k=4, j=5, affine=True, factor_bits=32, **how).of_groups(matrix, labels)
        told = compress.evaluate(matrix, form)
        assert np.count_nonzero(~form.reconstruct().any(axis=1)) > 5
        assert known.errors[5] == pytest.approx(told.relative_error, rel=1e-4)
        assert known.weighted_errors[5] == pytest.approx(told.weighted_error, rel=1e-4)


@pytest.mark.parametrize("loss", LOSSES, ids=str)
@pytest.mark.parametrize("weighted", [False, True], ids=["uniform", "weighted"])
def test_under_every_loss_the_error_at_the_methods_own_j_is_that_of_its_form(rows, weighted, loss):
    matrix, method = rows[weighted], ProjectiveClustering(k=3, j=2, factor_bits=32, **loss)
    labels = np.arange(240) % 3
    known, told = grouping(matrix, method, labels), compress.evaluate(matrix, method.of_groups(matrix, labels))
    assert known.errors[2] == pytest.approx(told.relative_error, rel=1e-4)
    assert known.weighted_errors[2] == pytest.approx(told.weighted_error, rel=1e-4)


@pytest.mark.parametrize("bits", [8, 4])
def test_rounding_that_a_fit_shows_at_one_j_tells_it_at_the_others(rows, bits):
    matrix, labels = rows[False], np.arange(240) % 3
    known = grouping(matrix, ProjectiveClustering(k=3, j=6), labels)
    told = {
        j: compress.evaluate(matrix, ProjectiveClustering(k=3, j=j, factor_bits=bits).of_groups(matrix, labels)).relative_error
        for j in (3, 6, 8)
    }
    found = rounded(known.errors, rounding(known.errors, told[6], 6))
    assert found[6] == pytest.approx(told[6])
    for j in (3, 8):
        assert abs(found[j] - told[j]) < 0.3 * abs(known.errors[j] - told[j]) + 0.01 * told[j]


def test_the_best_grouping_is_that_of_least_error_at_the_j_asked_for(rows):
    matrix, method = rows[True], ProjectiveClustering(k=3, j=2)
    found = [grouping(matrix, method, np.random.default_rng(seed).integers(3, size=240)) for seed in range(4)]
    for j in (1, 5):
        assert best(found, j).weighted_errors[j] == min(each.weighted_errors[j] for each in found)
        assert errors_of_j(found)[1][j] == best(found, j).weighted_errors[j]
        assert errors_of_j(found)[0][j] == best(found, j).errors[j]
    assert best([], 3) is None


def test_between_known_k_errors_lie_on_lines_of_their_logarithms(rows):
    by_k = {k: [grouping(rows[False], ProjectiveClustering(k=k, j=2), np.arange(240) % k)] for k in (2, 4, 8)}
    at = {k: by_k[k][0].errors[3] for k in by_k}
    relative, weighted = errors_of_k(by_k, 3, [2, 4, np.sqrt(32), 8])
    assert np.array_equal(relative, weighted)
    assert relative == pytest.approx([at[2], at[4], np.sqrt(at[4] * at[8]), at[8]])


def test_nothing_is_told_of_k_beyond_those_that_are_known_or_between_two_far_apart(rows):
    by_k = {k: [grouping(rows[False], ProjectiveClustering(k=k, j=2), np.arange(240) % k)] for k in (2, 5, 6)}
    assert np.array_equal(np.isnan(errors_of_k(by_k, 3, [1, 2, 3, 4, 5, 6, 7])[0]), [True, False, True, True, False, False, True])
    assert np.isnan(errors_of_k({}, 3, [1, 2])).all()


@pytest.mark.parametrize("weighted", [False, True], ids=["uniform", "weighted"])
def test_groupings_come_back_from_the_arrays_of_a_file(rows, weighted):
    found = [grouping(rows[weighted], ProjectiveClustering(k=k, j=2), np.arange(240) % k) for k in (1, 4, 2)]
    for before, after in zip(found, unpacked(packed(found)), strict=True):
        assert (after.k, after.j, after.key) == (before.k, before.j, before.key)
        np.testing.assert_allclose(after.lost, before.lost, atol=1e-6)
        np.testing.assert_allclose(after.weighted, before.weighted, atol=1e-6)


@pytest.mark.parametrize("affine", [False, True])
def test_groups_that_are_split_are_those_that_lose_most(affine):
    rng = np.random.default_rng(5)
    bases = [np.linalg.qr(rng.standard_normal((12, 2)))[0].T for _ in range(4)]
    matrix = EmbeddingMatrix(np.concatenate([rng.standard_normal((100, 2)) @ basis for basis in bases]))
    planted = np.repeat(np.arange(4), 100)
    fewer = grouping(matrix, ProjectiveClustering(k=3, j=2, affine=affine), np.minimum(planted, 2))
    found = split(matrix, ProjectiveClustering(k=4, j=2, affine=affine), fewer)
    assert found.errors[2] < fewer.errors[2] / 2 and found.k == 4 and found.j == 2
    assert np.array_equal(np.bincount(found.labels), sorted(np.bincount(found.labels), reverse=True))
    whole = [np.bincount(found.labels[planted == z]).max() for z in range(4)]
    assert whole[:2] == [100, 100] and max(whole[2:]) < 100


@pytest.mark.parametrize("values", [np.ones((3, 4)), np.eye(3, 4)], ids=["equal rows", "few rows"])
def test_groups_that_cannot_be_split_leave_others_empty(values):
    matrix = EmbeddingMatrix(values)
    one = grouping(matrix, ProjectiveClustering(k=1, j=1), np.zeros(3, int))
    found = split(matrix, ProjectiveClustering(k=3, j=1), one)
    assert found.k == 3 and found.labels.min() == 0 and found.labels.max() < 3 and np.isfinite(found.errors).all()


def test_nothing_is_told_of_a_j_far_from_those_that_groups_were_found_for(rows):
    found = [grouping(rows[False], ProjectiveClustering(k=1, j=j), np.zeros(240, int)) for j in (2, 8)]
    relative, weighted = errors_of_j(found, 1.5)
    for told in (relative, weighted):
        assert np.flatnonzero(np.isfinite(told)).tolist() == [2, 3, 6, 7, 8, 9, 10, 11, 12][: len(relative) - 4]
    assert [each.j for each in near(found, 3, 1.5)] == [2] and not near(found, 5, 1.5)
    assert np.array_equal(relative[[3, 6]], errors_of_j(found)[0][[3, 6]])
