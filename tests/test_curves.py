"""Figures of SVD at many ranks against those of its fits."""

import numpy as np
import pytest

import compress
from compress import SVD, EmbeddingMatrix
from compress.curves import svd_figures

JS = [1, 2, 5, 12, 20]


@pytest.mark.parametrize("bits", [32, 16, 8, 4])
def test_the_figures_are_those_of_the_fits(bits):
    rng = np.random.default_rng(0)
    values = rng.standard_normal((3000, 20)) @ np.diag(0.8 ** np.arange(20)) @ np.linalg.qr(rng.standard_normal((20, 20)))[0]
    values[7] = 0
    matrix = EmbeddingMatrix(values, weights=rng.exponential(size=3000))
    found = svd_figures(matrix, bits, JS)
    for at, j in enumerate(JS):
        fit = compress.evaluate(matrix, SVD(j=j, factor_bits=bits).fit(matrix))
        for name in ("l1_error", "median_row_error"):
            assert found[name][at] == pytest.approx(getattr(fit, name), rel=0.02, abs=2e-3 if bits < 32 else 1e-5)


def test_blocks_of_rows_do_not_matter(monkeypatch):
    matrix = EmbeddingMatrix(np.random.default_rng(0).standard_normal((100, 8)))
    whole = svd_figures(matrix, 8, [2, 6])
    monkeypatch.setattr("compress.curves.BLOCK_BYTES", 4 * 8 * 7)
    parts = svd_figures(matrix, 8, [2, 6])
    for name in whole:
        assert parts[name] == pytest.approx(whole[name], rel=1e-5)
