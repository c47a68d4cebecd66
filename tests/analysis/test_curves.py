"""Figures of SVD at many ranks against those of its fits."""

import numpy as np
import pytest

import compress
from compress import SVD, EmbeddingMatrix
from compress.analysis.curves import svd_cosines, svd_errors, svd_figures
from compress.coding.factors import BITS

JS = [1, 2, 5, 12, 20]
WEIGHTS = {
    "uniform": np.ones(3000),
    "exponential": np.random.default_rng(0).exponential(size=3000) ** 2,
    "one row": np.eye(3000)[7] + 1e-6,
}


def within(matrix, bits, js, share, least=1e-6):
    """Asserts that both errors at these ranks are within a share of those of the fits."""
    weighted, plain = svd_errors(matrix, bits)
    assert len(weighted) == len(plain) == min(matrix.shape) + 1 and weighted[0] == plain[0] == 1
    for j in js:
        found = compress.evaluate(matrix, SVD(j=j, factor_bits=bits).fit(matrix))
        assert weighted[j] == pytest.approx(found.weighted_error, rel=share, abs=least)
        assert plain[j] == pytest.approx(found.relative_error, rel=share, abs=least)


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("weights", WEIGHTS)
def test_both_errors_are_those_of_the_fit_at_every_rank(weights, bits):
    least = 1e-4 if weights == "one row" else 1e-6  # how one row is rounded is no average
    within(EmbeddingMatrix(compress.load_matrix("toy").values, weights=WEIGHTS[weights]), bits, [1, 3, 12, 25, 30], 0.02, least)


@pytest.mark.parametrize("bits", [8, 4])
def test_both_errors_are_those_of_the_fit_on_the_demo_with_weights_by_order(bits):
    within(compress.load_matrix("demo", weights="order:1"), bits, [110], 0.002)


@pytest.mark.parametrize("values", [np.ones((4, 3)), np.eye(4)[:3], np.outer(np.arange(9), np.ones(5)), [[1.0], [2.0]]], ids=len)
@pytest.mark.parametrize("bits", [8, 4])
def test_matrices_of_fewer_directions_than_columns_have_errors(values, bits):
    matrix = EmbeddingMatrix(np.array(values))
    for errors in svd_errors(matrix, bits):
        assert len(errors) == min(matrix.shape) + 1 and errors[0] == 1
        assert errors[-1] == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("bits", [32, 16, 8, 4])
def test_the_figures_are_those_of_the_fits(bits):
    rng = np.random.default_rng(0)
    values = rng.standard_normal((3000, 20)) @ np.diag(0.8 ** np.arange(20)) @ np.linalg.qr(rng.standard_normal((20, 20)))[0]
    values[7] = 0
    matrix = EmbeddingMatrix(values, weights=rng.exponential(size=3000))
    found, cosines = svd_figures(matrix, bits, JS), svd_cosines(matrix, bits)
    assert cosines[0] == 0 and len(cosines) == 21
    for at, j in enumerate(JS):
        fit = compress.evaluate(matrix, SVD(j=j, factor_bits=bits).fit(matrix))
        for name in ("l1_error", "median_row_error"):
            assert found[name][at] == pytest.approx(getattr(fit, name), rel=0.01, abs=2e-3 if bits < 32 else 1e-5)
        assert cosines[j] == pytest.approx(fit.mean_cosine, abs=1e-3 if bits < 32 else 1e-5)


def test_blocks_of_rows_do_not_matter(monkeypatch):
    matrix = EmbeddingMatrix(np.random.default_rng(0).standard_normal((100, 8)))
    whole = svd_figures(matrix, 8, [2, 6])
    monkeypatch.setattr("compress.analysis.curves.BLOCK_BYTES", 4 * 8 * 7)
    parts = svd_figures(matrix, 8, [2, 6])
    for name in whole:
        assert parts[name] == pytest.approx(whole[name], rel=1e-5)
