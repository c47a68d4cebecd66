"""The spectrum against numpy's SVD and against closed forms."""

import numpy as np
import pytest

import compress
from compress import SVD, EmbeddingMatrix
from compress.analysis import sampled_spectrum
from compress.analysis.spectrum import group_singular_values, principal_angles
from compress.coding.factors import BITS


def with_spectrum(values, n, d, seed=0):
    """An (n, d) matrix with those singular values."""
    rng = np.random.default_rng(seed)
    left, right = (np.linalg.qr(rng.standard_normal((side, len(values))))[0] for side in (n, d))
    return EmbeddingMatrix((left * values) @ right.T)


@pytest.mark.parametrize("shape", [(300, 50), (50, 300), (60, 60)], ids=str)
@pytest.mark.parametrize("weighted", [False, True], ids=["uniform", "weighted"])
def test_singular_values_agree_with_numpys(shape, weighted):
    matrix = with_spectrum(np.geomspace(1, 1e-5, 50), *shape)
    if weighted:
        matrix = EmbeddingMatrix(matrix.values, weights=np.random.default_rng(1).exponential(size=shape[0]))
    expected = np.linalg.svd(matrix.values.astype(np.float64) * np.sqrt(matrix.weights)[:, None], compute_uv=False)
    found = compress.spectrum(matrix).singular_values
    assert found.shape == (min(shape),)
    assert (np.diff(found) <= 0).all()
    large = expected > 1e-4 * expected[0]
    assert 35 <= large.sum() < 50
    np.testing.assert_allclose(found[large], expected[large], rtol=1e-3)
    assert (found[~large] <= 1.01e-4 * expected[0]).all()


def test_kept_energy_and_errors_are_the_shares_of_squares():
    found = compress.spectrum(with_spectrum(np.array([4.0, 2.0, 2.0, 1.0]), 9, 4))
    np.testing.assert_allclose(found.kept_energy, np.array([0, 16, 20, 24, 25]) / 25, atol=1e-6)
    np.testing.assert_allclose(found.relative_errors, np.array([25, 9, 5, 1, 0]) / 25, atol=1e-6)
    assert found.kept_energy[-1] == 1


def test_equal_directions_have_their_number_as_rank():
    found = compress.spectrum(with_spectrum(np.ones(6), 40, 9))
    assert found.effective_rank == pytest.approx(6, rel=1e-5)
    assert found.energy_rank == pytest.approx(6, rel=1e-5)
    assert found.stable_rank == pytest.approx(6, rel=1e-5)


def test_ranks_have_their_closed_forms():
    found = compress.spectrum(with_spectrum(np.array([2.0, 1.0, 1.0]), 12, 5))
    assert found.stable_rank == pytest.approx(6 / 4, rel=1e-5)
    assert found.effective_rank == pytest.approx(np.exp(0.5 * np.log(2) + 2 * 0.25 * np.log(4)), rel=1e-5)
    assert found.energy_rank == pytest.approx(np.exp(4 / 6 * np.log(6 / 4) + 2 / 6 * np.log(6)), rel=1e-5)


def test_the_effective_rank_of_the_demo_is_that_of_roy_and_vetterli(demo):
    values = np.linalg.svd(demo.values.astype(np.float64), compute_uv=False)
    found = compress.spectrum(demo)
    for rank, shares in ((found.effective_rank, values / values.sum()), (found.energy_rank, values**2 / (values**2).sum())):
        assert rank == pytest.approx(np.exp(-(shares * np.log(shares)).sum()), rel=1e-4)
    assert found.effective_rank == pytest.approx(351.5, abs=0.05)


def test_one_direction_has_rank_one():
    found = compress.spectrum(EmbeddingMatrix(np.outer(np.arange(1, 6), [1.0, 2.0, 3.0])))
    assert found.energy_rank == pytest.approx(1, abs=1e-5)
    assert found.effective_rank == pytest.approx(1, abs=1e-5)
    assert found.rank_for(0.999) == 1


def test_rank_for_is_the_least_that_keeps_the_share():
    found = compress.spectrum(with_spectrum(np.array([4.0, 2.0, 2.0, 1.0]), 9, 4))
    assert [found.rank_for(kept) for kept in (0, 0.63, 0.65, 0.81, 0.97, 1)] == [0, 1, 2, 3, 4, 4]
    for kept in np.linspace(0, 1, 23):
        j = found.rank_for(kept)
        assert found.kept_energy[j] >= kept - 1e-9
        assert j == 0 or found.kept_energy[j - 1] < kept


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("shape", [(20, 7), (7, 20)], ids=str)
def test_bytes_are_those_of_svd(shape, bits):
    found = compress.spectrum(EmbeddingMatrix(np.random.default_rng(0).standard_normal(shape)))
    sizes = found.n_bytes(bits)
    assert sizes[0] == 0
    assert sizes[1:].tolist() == [SVD(j=j, factor_bits=bits).size(*shape) for j in range(1, 8)]


def test_principal_axes_are_orthonormal_and_explain_what_the_spectrum_says(small):
    axes = small.axes
    np.testing.assert_allclose(axes.T @ axes, np.eye(7), atol=1e-12)
    explained = ((small.values.astype(np.float64) @ axes) ** 2).sum(axis=0)
    np.testing.assert_allclose(explained, compress.spectrum(small).singular_values ** 2, rtol=1e-6)
    assert (axes.sum(axis=0) >= 0).all()


def test_principal_angles_are_those_that_were_planted():
    def plane(degrees):
        return [[1, 0, 0, 0], [0, np.cos(np.radians(degrees)), np.sin(np.radians(degrees)), 0]]

    angles = principal_angles(np.array([plane(0), plane(30), [[0, 0, 2, 0], [0, 0, 0, 3]]]))
    assert angles.shape == (3, 3, 2)
    np.testing.assert_allclose(angles[0, 1], [0, 30], atol=1e-5)
    np.testing.assert_allclose(angles[1, 2], [60, 90], atol=1e-5)
    np.testing.assert_allclose(angles[0, 2], [90, 90], atol=1e-5)
    np.testing.assert_allclose(angles, angles.transpose(1, 0, 2), atol=1e-5)


@pytest.mark.parametrize("weighted", [False, True], ids=["uniform", "weighted"])
def test_each_group_has_the_singular_values_of_its_rows(small, weighted):
    matrix = EmbeddingMatrix(small.values, weights=np.random.default_rng(0).exponential(size=40) if weighted else None)
    labels = np.arange(40) % 3
    found = group_singular_values(matrix, labels, 4)
    scaled = matrix.values * np.sqrt(matrix.weights)[:, None]
    for z in range(3):
        np.testing.assert_allclose(found[z], np.linalg.svd(scaled[labels == z], compute_uv=False), rtol=1e-4)
    assert not found[3].any()


@pytest.mark.parametrize("d", [24, 160], ids=["rows longer than wide", "rows wider than a half"])
@pytest.mark.parametrize("weights", [None, np.geomspace(1, 9, 8000)], ids=["uniform", "weighted"])
def test_the_spectrum_of_some_rows_is_that_of_all_within_its_spread(d, weights, monkeypatch):
    monkeypatch.setattr(sampled_spectrum, "NUMBERS", 1 << 14)
    monkeypatch.setattr(sampled_spectrum, "FEWEST", 150)
    values = np.random.default_rng(0).standard_normal((8000, d)) * np.geomspace(1, 0.1, d)
    matrix = EmbeddingMatrix(values, weights=weights)
    known, found = compress.spectrum(matrix), compress.sampled_spectrum(matrix)
    assert found.rows < 1500 and found.spread.shape == known.kept_energy.shape
    off = np.abs(found.kept_energy - known.kept_energy)
    assert (off <= found.spread + 1e-6).all() and found.spread.max() < 0.3
    assert found.spread[:-1].max() < 4 * off.max() + 0.03
    assert (found.singular_values**2).sum() == pytest.approx((known.singular_values**2).sum(), rel=0.1)
