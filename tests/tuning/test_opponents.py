"""SVD at its best in some bytes against every fit there is, and the best trial against those that may not be taken."""

import numpy as np
import pytest

import compress
from compress import SVD, EmbeddingMatrix, Int4, ProjectiveClustering
from compress.analysis.curves import svd_errors
from compress.coding.factors import BITS
from compress.tuning.opponents import Opponent, Ranking, best_svd
from compress.tuning.sweep import Trial


@pytest.fixture(scope="module", params=["uniform", "weighted"])
def fitted(request):
    """A matrix near a flat, and the weighted error of SVD at every precision and j."""
    rng = np.random.default_rng(3)
    values = rng.standard_normal((300, 9)) * 0.6 ** np.arange(9) @ np.linalg.qr(rng.standard_normal((9, 9)))[0]
    matrix = EmbeddingMatrix(values, weights=rng.exponential(size=300) ** 2 if request.param == "weighted" else None)
    methods = [SVD(j=j, factor_bits=bits) for bits in BITS for j in range(1, 10)]
    return matrix, {method: compress.evaluate(matrix, method.fit(matrix)).weighted_error for method in methods}


@pytest.mark.parametrize("ratio", [1.1, 2, 3.3, 5, 8, 12, 20, 40])
def test_svd_at_its_best_is_the_best_of_every_precision_and_j(fitted, ratio):
    matrix, errors = fitted
    n_bytes = matrix.n_bytes / ratio
    least = min((error for method, error in errors.items() if method.size(*matrix.shape) <= n_bytes), default=None)
    found = best_svd(matrix, n_bytes)
    if least is None:
        assert found is None
        return
    assert found.n_bytes == found.method.size(*matrix.shape) <= n_bytes
    assert found.error == pytest.approx(errors[found.method], rel=0.02, abs=2e-5)  # how one basis is rounded is no average
    assert errors[found.method] <= least * 1.02 + 2e-5


def test_the_precision_is_that_of_the_weighted_error():
    """Rows of weight 0 are held by no precision better than by another, and must not choose it."""
    rng = np.random.default_rng(0)
    values = np.vstack([rng.standard_normal((200, 4)) @ np.eye(4, 12), 9 * rng.standard_normal((40, 12))])
    matrix = EmbeddingMatrix(values, weights=np.r_[np.ones(200), np.full(40, 1e-9)])
    n_bytes = SVD(j=4, factor_bits=8).size(*matrix.shape)
    by_weight = best_svd(matrix, n_bytes)
    by_row = best_svd(matrix, n_bytes, lambda matrix, bits, most: svd_errors(matrix, bits, most)[1])
    uniform = best_svd(EmbeddingMatrix(values), n_bytes)
    assert by_weight.method == SVD(j=4, factor_bits=8) and by_weight.error < 0.01
    assert uniform.method.factor_bits == 4 and uniform.method.j > 4 and by_row.error > 0.1


def test_fewer_directions_are_taken_where_rounding_makes_them_better(small):
    errors = {32: 1 - np.arange(8) / 10, 16: 1 - np.arange(8) / 10, 8: [1, 0.5, 0.2, 0.4, 0.2, 0.3, 0.3, 0.3], 4: np.ones(8)}
    found = best_svd(small, small.n_bytes, lambda matrix, bits, most: np.array(errors[bits][: most + 1]))
    assert found == Opponent(SVD(j=2, factor_bits=8), SVD(j=2, factor_bits=8).size(40, 7), 0.2)


def test_no_direction_fits_in_a_few_bytes(small):
    assert best_svd(small, 5) is None


@pytest.mark.parametrize("bits", BITS)
def test_a_curve_of_few_ranks_is_the_beginning_of_the_whole_one(fitted, bits):
    matrix, _ = fitted
    for part, whole in zip(svd_errors(matrix, bits, 4), svd_errors(matrix, bits), strict=True):
        assert len(part) == 5 and part == pytest.approx(whole[:5], rel=1e-4)


def trial(method, error, n_bytes):
    return Trial(method, {"weighted_error": error, "relative_error": 1 - error, "n_bytes": n_bytes})


def test_the_best_trial_is_within_the_bytes_and_not_the_setting_itself():
    mine = ProjectiveClustering(k=2, j=3)
    trials = [trial(mine, 0.1, 90), trial(Int4(), 0.05, 101), trial(SVD(j=3), 0.3, 80), trial(SVD(j=4), 0.2, 100)]
    assert Ranking(trials).best(100, besides=mine) == Opponent(SVD(j=4), 100, 0.2)
    assert Ranking(trials).best(100).method == mine
    assert Ranking(trials).best(79) is None


def test_the_best_trial_says_of_how_many_seeds_it_is_the_best():
    seeds = [trial(ProjectiveClustering(k=2, j=3, seed=seed), error, 90) for seed, error in enumerate([0.3, 0.2, 0.25])]
    others = [trial(ProjectiveClustering(k=2, j=2), 0.4, 70), trial(ProjectiveClustering(k=3, j=3), 0.5, 95)]
    found = Ranking([*seeds, *others]).best(100)
    assert (found.method.seed, found.error, found.seeds) == (1, 0.2, 3)
