"""k subspaces: planted ones are found, one is SVD, and nothing a matrix can hold stops the search."""

import numpy as np
import pytest
import torch
from sklearn.metrics import adjusted_rand_score

import compress
from compress import SVD, EmbeddingMatrix, ProjectiveClustering
from compress.solvers.flats import DRAFT_PASSES
from compress.sources import planted

ROBUST = ("huber", "cauchy", "geman_mcclure", "welsch", "tukey")
LOSSES = [{}, {"p": 1.0}, {"p": 1.5}, {"p": 3.0}, *({"loss": name} for name in ROBUST)]
LOSS = pytest.mark.parametrize("loss", LOSSES, ids=str)


def error_of(matrix, method):
    return compress.evaluate(matrix, method.fit(matrix)).weighted_error


def labels_of(result):
    return result.method.labels(result.arrays, np.arange(result.shape[0]))


@pytest.mark.parametrize("seed", range(20))
def test_planted_subspaces_are_found(seed):
    values, labels = planted(n_rows=3000, k=4, j=3, dim=30, noise=0.01, outliers=0.0, seed=seed)
    result = ProjectiveClustering(k=4, j=3, seed=seed).fit(EmbeddingMatrix(values))
    assert adjusted_rand_score(labels_of(result), labels) >= 0.98


def test_planted_flats_off_the_origin_are_found():
    values, labels = planted(n_rows=1500, k=3, j=2, dim=20, noise=0.01, outliers=0.0, seed=1)
    values += 3 * np.random.default_rng(1).standard_normal((3, 20)).astype(np.float32)[labels]
    matrix = EmbeddingMatrix(values)
    linear, affine = (ProjectiveClustering(k=3, j=2, affine=affine, factor_bits=32).fit(matrix) for affine in (False, True))
    assert adjusted_rand_score(labels_of(affine), labels) >= 0.98
    assert compress.evaluate(matrix, affine).relative_error < compress.evaluate(matrix, linear).relative_error / 100


@pytest.mark.parametrize("weights", [None, np.random.default_rng(1).exponential(size=240)], ids=["uniform", "weighted"])
@pytest.mark.parametrize("bits", [32, 16, 8, 4])
def test_one_subspace_is_svd(flats, weights, bits):
    matrix = EmbeddingMatrix(flats[0].values, weights=weights)
    one = ProjectiveClustering(k=1, j=3, factor_bits=bits).fit(matrix)
    svd = SVD(j=3, factor_bits=bits).fit(matrix)
    assert one.n_bytes == svd.n_bytes
    assert one.method.parameter_count(240, 11) == svd.method.parameter_count(240, 11)
    expected = compress.evaluate(matrix, svd).weighted_error
    assert compress.evaluate(matrix, one).weighted_error == pytest.approx(expected, rel=0.01 if bits == 4 else 1e-4)


def test_one_affine_subspace_is_svd_of_the_centred_rows(small):
    shifted = small.values + np.float32(4)
    centred = EmbeddingMatrix(shifted - shifted.mean(axis=0))
    found = ProjectiveClustering(k=1, j=3, affine=True, factor_bits=32).fit(EmbeddingMatrix(shifted)).reconstruct()
    expected = SVD(j=3, factor_bits=32).fit(centred).reconstruct() + shifted.mean(axis=0)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_more_subspaces_or_dimensions_cost_less_error(flats):
    matrix = flats[0]
    for family in ([(1, 2), (2, 2), (3, 2), (6, 2)], [(3, 1), (3, 2), (3, 4), (3, 8)]):
        errors = [error_of(matrix, ProjectiveClustering(k=k, j=j, factor_bits=32)) for k, j in family]
        assert errors == sorted(errors, reverse=True)


@pytest.mark.parametrize("affine", [False, True], ids=["linear", "affine"])
@pytest.mark.parametrize("weighted", [False, True], ids=["uniform", "weighted"])
def test_every_row_is_in_its_nearest_subspace_and_the_last_cost_told_is_the_error(flats, affine, weighted):
    weights = np.random.default_rng(7).exponential(size=240) if weighted else None
    matrix = EmbeddingMatrix(flats[0].values, weights=weights)
    told = []
    result = ProjectiveClustering(k=4, j=2, affine=affine, factor_bits=32).fit(matrix, told.append)
    assert told[-1].figures["cost"] == pytest.approx(compress.evaluate(matrix, result).weighted_error, rel=1e-3)
    offsets = result.arrays.get("offsets", np.zeros((4, 11), np.float32))
    distances = np.empty((240, 4))
    for z, (basis, offset) in enumerate(zip(result.arrays["bases"], offsets, strict=True)):
        np.testing.assert_allclose(basis @ basis.T, np.eye(2), atol=1e-5)
        left = matrix.values - offset
        distances[:, z] = ((left - left @ basis.T @ basis) ** 2).sum(axis=1)
    chosen = distances[np.arange(240), labels_of(result)]
    assert (chosen <= distances.min(axis=1) + 1e-5).all()


@LOSS
@pytest.mark.parametrize("affine", [False, True], ids=["linear", "affine"])
@pytest.mark.parametrize("weighted", [False, True], ids=["uniform", "weighted"])
def test_the_cost_never_rises_in_the_passes_over_all_rows(affine, weighted, loss):
    values, _ = planted(n_rows=1000, k=6, j=3, dim=40, noise=0.3, seed=2)
    matrix = EmbeddingMatrix(values, weights=np.random.default_rng(2).exponential(size=1000) if weighted else None)
    told = []
    ProjectiveClustering(k=6, j=3, affine=affine, restarts=1, **loss).fit(matrix, told.append)
    costs = np.array([step.figures["cost"] for step in told if step.figures["restart"] is None])
    assert len(costs) >= 2
    assert (np.diff(costs) <= 1e-7).all()


@LOSS
@pytest.mark.parametrize("affine", [False, True], ids=["linear", "affine"])
def test_a_plain_step_never_raises_the_cost_it_states(affine, loss):
    from compress.solvers.flats import Rows, damp, measure, refit

    values, _ = planted(n_rows=400, k=4, j=2, dim=10, noise=0.5, seed=3)
    matrix, rng = EmbeddingMatrix(values), np.random.default_rng(3)
    weights = rng.exponential(size=400)
    rows = Rows(matrix.values, matrix.squared_norms, weights)
    labels, costs, rho = rng.integers(4, size=400), [], ProjectiveClustering(**{"scale": 1.0, **loss}).rho
    rho = rho.scaled(matrix.squared_norms) if rho.needs_scale else rho
    for _ in range(15):
        view = measure(rows, refit(rows, labels, 4, 2, affine, weights), rho)
        labels, weights = view.labels, damp(weights, view.weights, rho)
        costs.append(view.cost)
    assert (np.diff(costs) <= 1e-6).all()
    assert costs[-1] < 0.95 * costs[0]


def test_more_restarts_reach_no_higher_cost_on_the_sample(flats):
    def least(restarts):
        told = []
        ProjectiveClustering(k=5, j=2, restarts=restarts).fit(flats[0], told.append)
        started = [step.figures for step in told if step.figures["restart"] is not None]
        assert {event["restart"] for event in started} == set(range(restarts))
        return min(event["cost"] for event in started)

    assert least(6) <= least(2) <= least(1)


def test_the_layer_is_the_papers_small_layers_in_parallel_joined_by_one(flats):
    k, j, (n, d) = 3, 2, flats[0].shape
    result = ProjectiveClustering(k=k, j=j, factor_bits=32).fit(flats[0])
    coefficients, labels = result.arrays["coefficients"], labels_of(result)
    parallel = [torch.nn.Linear(n, j, bias=False) for _ in range(k)]  # each reads a one-hot row number
    join = torch.nn.Linear(k * j, d, bias=False)
    with torch.no_grad():
        for z, layer in enumerate(parallel):
            layer.weight.copy_(torch.from_numpy(np.where(labels[:, None] == z, coefficients, 0).T))
        join.weight.copy_(torch.from_numpy(result.arrays["bases"].reshape(k * j, d).T))
        one_hot = torch.eye(n)
        code = torch.cat([layer(one_hot) for layer in parallel], dim=1)  # (n, k·j)
        dense = join(code)
    assert code.shape == (n, k * j)
    assert (torch.count_nonzero(code, dim=1) <= j).all()
    np.testing.assert_allclose(result.to_layer()(torch.arange(n)).numpy(), dense.numpy(), atol=1e-5)
    assert result.method.parameter_count(n, d) == n * j + join.weight.numel()


def test_numbers_are_the_papers_count_and_bytes_add_the_labels():
    method = ProjectiveClustering(k=5, j=60)
    assert method.parameter_count(30522, 384) == 30522 * 60 + 5 * 60 * 384
    assert method.size(30522, 384) == 2 * method.parameter_count(30522, 384) + (30522 * 3 + 7) // 8
    affine = ProjectiveClustering(k=5, j=60, affine=True)
    assert affine.parameter_count(30522, 384) == method.parameter_count(30522, 384) + 5 * 384
    assert affine.size(30522, 384) == method.size(30522, 384) + 4 * 5 * 384


def odd_matrices():
    rng = np.random.default_rng(8)
    plain = rng.standard_normal((60, 9)).astype(np.float32)
    return {
        "few distinct rows": np.repeat(plain[:3], 20, axis=0),
        "mostly zero rows": np.where(np.arange(60)[:, None] < 50, 0, plain),
        "one row that is not zero": np.where(np.arange(60)[:, None] == 7, plain, 0),
        "constant": np.full((60, 9), 2.5, np.float32),
        "one column that is not zero": np.where(np.arange(9) == 4, plain, 0),
        "rank two": (plain[:, :2] @ plain[:2]).astype(np.float32),
        "opposite rows": np.concatenate([plain[:30], -plain[:30]]),
        "one far row": np.where(np.arange(60)[:, None] == 0, 1e6 * plain, plain),
        "tiny entries": plain * np.float32(1e-12),
    }


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("affine", [False, True], ids=["linear", "affine"])
@pytest.mark.parametrize("name", odd_matrices())
def test_odd_matrices_are_fitted_no_worse_than_by_svd(name, affine):
    matrix = EmbeddingMatrix(odd_matrices()[name])
    svd = error_of(matrix, SVD(j=2, factor_bits=32))
    for k in (2, 5):
        method = ProjectiveClustering(k=k, j=2, affine=affine, restarts=3, factor_bits=32)
        result = method.fit(matrix)
        assert np.isfinite(result.reconstruct()).all()
        assert compress.evaluate(matrix, result).relative_error <= svd * 1.001 + 1e-6
        for bits in (16, 8, 4):
            stored = ProjectiveClustering(k=k, j=2, affine=affine, restarts=3, factor_bits=bits).fit(matrix)
            assert np.isfinite(stored.reconstruct()).all()


@pytest.mark.parametrize("affine", [False, True], ids=["linear", "affine"])
def test_parts_left_empty_are_allowed(affine):
    values = np.repeat(np.random.default_rng(9).standard_normal((2, 6)), 5, axis=0).astype(np.float32)
    matrix = EmbeddingMatrix(values)
    result = ProjectiveClustering(k=8, j=1, affine=affine, factor_bits=32).fit(matrix)
    assert len(np.unique(labels_of(result))) < 8
    np.testing.assert_allclose(result.reconstruct(), values, atol=1e-5)


def test_an_empty_part_is_given_the_rows_that_lie_farthest():
    from compress.solvers.flats import fill_empty

    labels, nearest = np.array([0, 0, 2, 2, 0, 2]), np.array([0.1, 5.0, 0.2, 4.0, 3.0, 2.0])
    assert fill_empty(labels, nearest, 3, 2).tolist() == [0, 1, 2, 1, 0, 2]
    assert fill_empty(labels, nearest, 4, 2).tolist() == [0, 1, 2, 1, 3, 3]
    assert labels.tolist() == [0, 0, 2, 2, 0, 2]


@pytest.mark.parametrize("affine", [False, True], ids=["linear", "affine"])
def test_as_many_subspaces_as_rows_lose_nothing(affine):
    values = np.random.default_rng(10).standard_normal((12, 6)).astype(np.float32)
    matrix = EmbeddingMatrix(values)
    result = ProjectiveClustering(k=12, j=1, affine=affine, factor_bits=32).fit(matrix)
    np.testing.assert_allclose(result.reconstruct(), values, atol=1e-5)


@pytest.mark.parametrize("shape", [(30, 6), (6, 30), (6, 6)], ids=str)
@pytest.mark.parametrize("affine", [False, True], ids=["linear", "affine"])
def test_all_dimensions_lose_nothing(shape, affine):
    values = np.random.default_rng(11).standard_normal(shape).astype(np.float32)
    result = ProjectiveClustering(k=3, j=6, affine=affine, factor_bits=32).fit(EmbeddingMatrix(values))
    np.testing.assert_allclose(result.reconstruct(), values, atol=1e-5)


def test_zero_rows_stay_zero_in_linear_subspaces(flats):
    values = flats[0].values.copy()
    values[::7] = 0
    for bits in (32, 16, 8, 4):
        decoded = ProjectiveClustering(k=3, j=2, factor_bits=bits).fit(EmbeddingMatrix(values)).reconstruct()
        assert not decoded[::7].any()
        assert decoded[1].any()


def test_rows_that_weigh_more_are_kept_better():
    values, labels = planted(n_rows=900, k=3, j=3, dim=20, noise=0.01, outliers=0.0, seed=4)
    weights = np.where(labels == 0, 1e-3, 1.0)
    weighted = EmbeddingMatrix(values, weights=weights)
    method = ProjectiveClustering(k=2, j=3, factor_bits=32)  # one subspace too few: the light flat is given up
    rows = compress.evaluate(weighted, method.fit(weighted)).row_errors
    assert np.median(rows[labels == 0]) > 0.3
    assert max(np.median(rows[labels == z]) for z in (1, 2)) < 0.01


def test_subspaces_are_numbered_by_how_many_rows_they_hold(flats):
    for k in (3, 6):
        counts = np.bincount(labels_of(ProjectiveClustering(k=k, j=1).fit(flats[0])), minlength=k)
        assert (np.diff(counts) <= 0).all()


def test_a_seed_changes_the_search(flats):
    fits = [ProjectiveClustering(k=7, j=1, seed=seed, restarts=1).fit(flats[0]) for seed in (0, 1)]
    assert not np.array_equal(fits[0].arrays["labels"], fits[1].arrays["labels"])


@pytest.mark.parametrize("k, starts", [(2, 2), (5, 1)])
def test_a_draft_is_close_after_few_starts_and_passes(k, starts):
    values, _ = planted(n_rows=3000, k=5, j=4, dim=30, noise=0.2, seed=5)
    matrix = EmbeddingMatrix(values)
    method, told = ProjectiveClustering(k=k, j=4), []
    method.draft.fit(matrix, told.append)
    passes = [step.figures["step"] for step in told if step.figures["restart"] is None]
    assert passes == [*range(1, len(passes) + 1)] and len(passes) <= DRAFT_PASSES
    assert {step.figures["restart"] for step in told} == {*range(starts), None}
    assert all(0 <= step.share <= 1 for step in told)
    assert error_of(matrix, method.draft) <= 1.03 * error_of(matrix, method)


@pytest.mark.parametrize("loss", [{}, {"p": 1.0}, {"loss": "tukey"}], ids=str)
@pytest.mark.parametrize("affine", [False, True], ids=["linear", "affine"])
def test_the_form_of_the_groups_that_a_fit_found_is_as_good_as_the_fit(affine, loss):
    values, _ = planted(n_rows=900, k=3, j=3, dim=20, noise=0.1, seed=6)
    matrix = EmbeddingMatrix(values, weights=np.random.default_rng(6).exponential(size=900))
    fit = ProjectiveClustering(k=3, j=3, affine=affine, factor_bits=32, **loss).fit(matrix)
    again = fit.method.of_groups(matrix, labels_of(fit))
    assert compress.evaluate(matrix, again).weighted_error == pytest.approx(compress.evaluate(matrix, fit).weighted_error, rel=0.01)
    assert np.array_equal(labels_of(again), labels_of(fit))


class Stopped(Exception):
    pass


@pytest.mark.parametrize("after", [1, 5, 33])
def test_a_progress_callback_can_stop_the_fit(flats, after):
    told = []

    def tell(event):
        told.append(event)
        if len(told) == after:
            raise Stopped(f"at event {after}")

    with pytest.raises(Stopped, match=f"^at event {after}$"):
        ProjectiveClustering(k=3, j=2).fit(flats[0], tell)
    assert len(told) == after


def test_five_subspaces_of_the_demo_reach_the_published_cost(demo):
    assert error_of(demo, ProjectiveClustering(k=5, j=60)) <= 0.4925
