"""ℓp low rank: SVD at p = 2, the planted subspace at p = 1, a cost that only falls, and nothing a matrix can hold stops it."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.optimize import linprog

import compress
from compress import SVD, EmbeddingMatrix, LpLowRank, ProjectiveClustering
from compress.analysis.spectrum import principal_angles
from compress.solvers.entries import regress

OBJECTIVE = pytest.mark.parametrize("objective", ["entries", "rows"])
WEIGHTED = pytest.mark.parametrize("weighted", [False, True], ids=["uniform", "weighted"])


def far_rows(seed=0, n=600, d=30, rank=5, far=12):
    """Rows near a subspace of that rank, some replaced by far ones; a basis (d, rank); which rows are clean."""
    rng = np.random.default_rng(seed)
    basis = np.linalg.qr(rng.standard_normal((d, rank)))[0]
    values = 3 * rng.standard_normal((n, rank)) @ basis.T + 0.1 * rng.standard_normal((n, d))
    outliers = rng.choice(n, far, replace=False)
    values[outliers] = 30 * rng.standard_normal((far, d))
    clean = np.ones(n, bool)
    clean[outliers] = False
    return EmbeddingMatrix(values.astype(np.float32), weights=None), basis, clean


def subspace(result):
    return np.linalg.qr(result.arrays["bases"][0].T.astype(np.float64))[0]


def degrees(one, other):
    return principal_angles(np.stack([one.T, other.T]))[0, 1].max()


def cost(matrix, result, objective, p):
    left = np.abs(matrix.values - result.reconstruct()).astype(np.float64)
    sizes = left**p if objective == "entries" else np.sqrt((left**2).sum(axis=1, keepdims=True)) ** p
    return float(matrix.weights @ sizes.sum(axis=1))


@OBJECTIVE
@WEIGHTED
@pytest.mark.parametrize("bits", [32, 16, 8, 4])
def test_p_two_is_svd(objective, weighted, bits):
    matrix = far_rows()[0]
    matrix = EmbeddingMatrix(matrix.values, weights=np.random.default_rng(1).exponential(size=600) if weighted else None)
    found, svd = LpLowRank(j=4, p=2.0, objective=objective, factor_bits=bits).fit(matrix), SVD(j=4, factor_bits=bits).fit(matrix)
    np.testing.assert_array_equal(found.reconstruct(), svd.reconstruct())
    assert found.n_bytes == svd.n_bytes


@pytest.mark.parametrize("seed", range(5))
def test_far_rows_turn_svd_and_not_the_fit_at_p_one(seed):
    matrix, basis, clean = far_rows(seed)
    svd = SVD(j=5, factor_bits=32).fit(matrix)
    assert degrees(subspace(svd), basis) > 30
    for objective in ("rows", "entries"):
        found = LpLowRank(j=5, p=1.0, objective=objective, factor_bits=32).fit(matrix)
        assert degrees(subspace(found), basis) < 2
        lost = [((matrix.values - each.reconstruct())[clean] ** 2).sum() for each in (found, svd)]
        assert lost[0] < 0.05 * lost[1]
        assert cost(matrix, found, "entries", 1) < 0.5 * cost(matrix, svd, "entries", 1)


@OBJECTIVE
@WEIGHTED
@pytest.mark.parametrize("p", [1.0, 1.3, 1.7, 2.5, 4.0])
def test_the_stated_cost_never_rises_and_ends_below_that_of_svd_and_of_the_start(objective, weighted, p):
    weights = np.random.default_rng(1).exponential(size=600) if weighted else None
    matrix, told = EmbeddingMatrix(far_rows()[0].values, weights=weights), []
    result = LpLowRank(j=4, p=p, objective=objective, factor_bits=32).fit(matrix, told.append)
    costs = np.array([step.figures["cost"] for step in told])
    assert len(costs) >= 2 and (np.diff(costs) <= 1e-6 * costs[0]).all()
    whole = cost(matrix, compress.SVD(j=1, factor_bits=32).fit(EmbeddingMatrix(matrix.values)), objective, p)
    others = [SVD(j=4, factor_bits=32), LpLowRank(j=4, p=p, objective=objective, steps=0, factor_bits=32)]
    for other in others:
        assert cost(matrix, result, objective, p) <= cost(matrix, other.fit(matrix), objective, p) * (1 + 1e-5)
    assert cost(matrix, result, objective, p) < whole


@OBJECTIVE
def test_the_last_cost_told_is_that_of_the_result(objective):
    matrix, told = far_rows()[0], []
    result = LpLowRank(j=4, p=1.0, objective=objective, factor_bits=32).fit(matrix, told.append)
    axis = None if objective == "entries" else 1
    whole = np.abs(matrix.values).sum() if axis is None else np.linalg.norm(matrix.values, axis=1).sum()
    at_most = told[-1].figures["cost"] * (1 + 1e-4)
    assert 0.95 * at_most < cost(matrix, result, objective, 1) / whole <= at_most


def test_the_rows_form_is_one_subspace_of_projective_clustering_under_the_same_loss():
    matrix = far_rows()[0]
    one = ProjectiveClustering(k=1, j=4, p=1.0, steps=50, factor_bits=32).fit(matrix)
    found = LpLowRank(j=4, p=1.0, objective="rows", steps=50, factor_bits=32).fit(matrix)
    assert cost(matrix, found, "rows", 1) == pytest.approx(cost(matrix, one, "rows", 1), rel=2e-3)


def test_the_entries_form_has_the_lower_sum_of_entries_and_the_rows_form_that_of_rows():
    matrix = far_rows()[0]
    entries, rows = (LpLowRank(j=4, p=1.0, objective=objective, factor_bits=32).fit(matrix) for objective in ("entries", "rows"))
    assert cost(matrix, entries, "entries", 1) < cost(matrix, rows, "entries", 1)
    assert cost(matrix, rows, "rows", 1) < cost(matrix, entries, "rows", 1)


@pytest.mark.parametrize("weighted", [False, True], ids=["uniform", "weighted"])
def test_a_regression_at_p_one_is_that_of_the_linear_program(weighted):
    rng = np.random.default_rng(0)
    values, basis = rng.standard_t(2, (4, 40)).astype(np.float32), rng.standard_normal((40, 3)).astype(np.float32)
    weights = rng.exponential(size=40).astype(np.float32) if weighted else np.ones(40, np.float32)
    _, costs = regress(values, np.zeros((4, 3), np.float32), basis, 1.0, weights if weighted else None, rounds=200, steps=3)
    for row, found in zip(values, costs, strict=True):
        eye, wide = np.eye(40), basis.astype(np.float64)  # min w·t with −t <= a − V u <= t
        cost, below, bound = np.append(np.zeros(3), weights), np.block([[wide, -eye], [-wide, -eye]]), np.append(row, -row)
        program = linprog(cost, A_ub=below, b_ub=bound, bounds=[(None, None)] * 3 + [(0, None)] * 40, method="highs")
        assert program.success
        assert program.fun * (1 - 1e-6) <= found <= program.fun * 1.002


@pytest.mark.parametrize("p", [1.0, 1.5, 2.0, 3.0, 8.0])
def test_a_regression_lowers_every_row_and_tensors_give_what_arrays_do(p):
    rng = np.random.default_rng(1)
    values, basis = rng.standard_t(2, (20, 30)).astype(np.float32), rng.standard_normal((30, 3)).astype(np.float32)
    weights, start = rng.exponential(size=30).astype(np.float32), rng.standard_normal((20, 3)).astype(np.float32)
    found, costs = regress(values, start, basis, p, weights)
    before = (weights * np.abs(values - start @ basis.T).astype(np.float64) ** p).sum(axis=1)
    after = (weights * np.abs(values - found @ basis.T).astype(np.float64) ** p).sum(axis=1)
    assert (after < before).all()
    np.testing.assert_allclose(costs, after, rtol=1e-4)
    tensors = [torch.from_numpy(array) for array in (values, start, basis)]
    other, others = regress(*tensors, p, torch.from_numpy(weights))
    np.testing.assert_allclose(other, found, atol=1e-3)
    np.testing.assert_allclose(others, costs, rtol=1e-3)


@OBJECTIVE
def test_a_warm_start_ends_where_a_cold_one_does_in_fewer_steps(objective):
    matrix = far_rows()[0]
    near = LpLowRank(j=4, p=1.1, objective=objective, steps=40, factor_bits=32).fit(matrix)
    cold, warm = [], []
    method = LpLowRank(j=4, p=1.0, objective=objective, steps=40, factor_bits=32)
    one, other = method.fit(matrix, cold.append), method.fit(matrix, warm.append, warm=near)
    assert cost(matrix, other, objective, 1) == pytest.approx(cost(matrix, one, objective, 1), rel=5e-3)
    begun = replace(method, steps=0).fit(matrix, warm=near)
    assert degrees(subspace(begun), subspace(near)) < 1e-3
    assert warm[0].figures["cost"] < cold[0].figures["cost"] and len(warm) < len(cold)
    with pytest.raises(ValueError, match="a warm start must have 30 columns and rank 3, got 30 and 4"):
        LpLowRank(j=3, p=1.0).fit(matrix, warm=near)


@OBJECTIVE
def test_row_weights_pull(objective):
    matrix, basis, clean = far_rows()
    only_far = EmbeddingMatrix(matrix.values, weights=np.where(clean, 1e-6, 1.0))
    found = LpLowRank(j=5, p=1.0, objective=objective, factor_bits=32).fit(only_far)
    assert degrees(subspace(found), basis) > 30
    ignored = EmbeddingMatrix(matrix.values, weights=clean.astype(float))
    assert degrees(subspace(LpLowRank(j=5, p=1.0, objective=objective, factor_bits=32).fit(ignored)), basis) < 1


def test_the_ellipsoid_method_is_a_start_for_few_columns_only():
    matrix = far_rows(n=300, d=12, rank=3, far=4)[0]
    lowner, lewis = (LpLowRank(j=3, p=1.0, start=start, objective="rows", factor_bits=32) for start in ("lowner", "lewis"))
    assert cost(matrix, lowner.fit(matrix), "rows", 1) == pytest.approx(cost(matrix, lewis.fit(matrix), "rows", 1), rel=1e-3)
    wide = EmbeddingMatrix(np.random.default_rng(0).standard_normal((100, 65)))
    with pytest.raises(ValueError, match=r"^start must be lewis for more than 64 columns \(the matrix has 65\), got 'lowner'$"):
        lowner.fit(wide)


def odd_matrices():
    rng = np.random.default_rng(8)
    plain = rng.standard_normal((60, 9)).astype(np.float32)
    return {
        "exactly low rank": (plain[:, :2] @ plain[:2]).astype(np.float32),
        "few distinct rows": np.repeat(plain[:3], 20, axis=0),
        "mostly zero rows": np.where(np.arange(60)[:, None] < 50, 0, plain),
        "one row holds all the energy": np.where(np.arange(60)[:, None] == 0, 1e6 * plain, plain),
        "one row that is not zero": np.where(np.arange(60)[:, None] == 7, plain, 0),
        "constant": np.full((60, 9), 2.5, np.float32),
        "one column that is not zero": np.where(np.arange(9) == 4, plain, 0),
        "tiny entries": plain * np.float32(1e-12),
        "two rows": plain[:2],
    }


@pytest.mark.filterwarnings("error")
@OBJECTIVE
@pytest.mark.parametrize("p", [1.0, 1.5, 3.0, 32.0])
@pytest.mark.parametrize("name", odd_matrices())
def test_odd_matrices_are_fitted_no_worse_than_by_svd(name, p, objective):
    matrix = EmbeddingMatrix(odd_matrices()[name])
    svd = SVD(j=2, factor_bits=32).fit(matrix)
    for start in ("lewis", "lowner"):
        result = LpLowRank(j=2, p=p, objective=objective, start=start, factor_bits=32).fit(matrix)
        assert np.isfinite(result.reconstruct()).all()
        scale = np.abs(matrix.values).max()
        mine, other = (cost(EmbeddingMatrix(matrix.values), each, objective, 1) for each in (result, svd))
        if p == 1:
            assert mine <= other * 1.01 + 1e-3 * scale
    for bits in (16, 8, 4):
        stored = LpLowRank(j=2, p=p, objective=objective, factor_bits=bits).fit(matrix)
        assert np.isfinite(stored.reconstruct()).all()


def test_a_draft_is_near_the_full_fit(flats):
    matrix = flats[0]
    for objective in ("rows", "entries"):
        method = LpLowRank(j=3, p=1.0, objective=objective, factor_bits=32)
        assert method.draft.draft == method.draft
        full, draft = method.fit(matrix), method.draft.fit(matrix)
        assert cost(matrix, draft, objective, 1) <= 1.06 * cost(matrix, full, objective, 1)
