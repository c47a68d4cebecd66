import numpy as np
import pytest

import compress
from compress import EmbeddingMatrix
from compress.analysis.code_statistics import MOST_ROWS, correlations, pairs_of, shares_on, signs_of
from compress.charts import codes as code_charts
from compress.linalg.blocks import sample_rows, unit_rows
from compress.methods import LightToken


@pytest.fixture(scope="module")
def matrix():
    values = np.random.default_rng(0).standard_normal((300, 12)).astype(np.float32) * np.linspace(2, 0.2, 12, dtype=np.float32)
    return EmbeddingMatrix(values)


@pytest.fixture(scope="module")
def result(matrix):
    return LightToken(bits=16, stages=2, passes=4).fit(matrix)


def test_signs_and_shares_are_those_of_the_packed_bits(result):
    signs = signs_of(result)
    assert signs.shape == (300, 16) and set(np.unique(signs)) == {-1, 1}
    assert np.allclose(shares_on(result), (signs > 0).mean(axis=0))
    assert np.array_equal(signs_of(result, np.array([3, 5])), signs[[3, 5]])


def test_correlations_are_those_of_the_bits(result):
    assert np.allclose(correlations(result), np.corrcoef(signs_of(result).T), atol=1e-4)


def test_a_bit_that_never_changes_goes_with_none(matrix, result):
    codes = result.arrays["codes"].copy()
    codes[:, 0] |= 1
    constant = compress.Compressed(result.method, {**result.arrays, "codes": codes}, result.shape, result.digest)
    assert not correlations(constant)[0].any() and shares_on(constant)[0] == 1


def test_recall_is_whole_where_codes_are_the_signs_of_corners(matrix):
    corners = 2.0 * ((np.arange(256)[:, None] >> np.arange(8)) & 1) - 1
    planted = EmbeddingMatrix(corners[np.random.default_rng(1).permutation(256)].astype(np.float32))
    result = LightToken(bits=8, gain_bits=0).fit(planted)
    pairs = pairs_of(planted, result)
    assert pairs.rows == pairs.queries == 256 and len(pairs.cosine) == len(pairs.hamming) == len(pairs.near)
    assert np.allclose(pairs.cosine, pairs.hamming / 4, atol=1e-5)  # 1 − cos is 2 / 8 for every bit that differs


def test_recall_counts_the_rows_that_both_find(matrix, result):
    pairs = pairs_of(matrix, result)
    cosines, agreeing = unit_rows(matrix.values) @ unit_rows(matrix.values).T, signs_of(result) @ signs_of(result).T
    for scores in (cosines, agreeing):
        np.fill_diagonal(scores, -np.inf)
    first = [set(row) for row in np.argsort(-cosines, axis=1)[:, :10]]
    second = [set(row) for row in np.argsort(-agreeing, axis=1, kind="stable")[:, :10]]
    assert pairs.recall == pytest.approx(np.mean([len(a & b) / 10 for a, b in zip(first, second, strict=True)]), abs=0.04)
    assert pairs.cosine[pairs.near].mean() < pairs.cosine[~pairs.near].mean()


def test_rows_that_are_looked_at_are_all_where_there_are_few():
    assert np.array_equal(sample_rows(5, MOST_ROWS, np.random.default_rng(0)), np.arange(5))


def test_training_gives_a_line_a_stage_and_a_band_where_no_loss_is_told():
    events = [
        {"stage": stage, "step": step, "steps": 4, "cost": None if step < 2 else 1 / (step + stage), "saturation": None}
        for stage in range(2)
        for step in range(4)
    ]
    chart = code_charts.training(events)
    assert [trace.name for trace in chart.data[:2]] == ["stage 1", "stage 2"] and len(chart.layout.shapes) == 2
    assert list(chart.data[0].x) == [3, 4] and list(chart.data[1].x) == [7, 8]
    assert code_charts.training([]).layout.xaxis.title.text == "step"


def test_saturation_is_in_per_cent():
    events = [{"stage": 0, "step": step, "steps": 2, "cost": 0.5, "saturation": step / 10} for step in range(2)]
    assert list(code_charts.saturation(events).data[0].y) == [0, 10]


def test_at_most_128_bits_are_shown_and_the_scale_is_centred_on_zero():
    found = np.corrcoef(np.random.default_rng(0).standard_normal((300, 400)))
    chart = code_charts.correlation(found)
    assert len(chart.data[0].x) == 128 and chart.data[0].zmin == -chart.data[0].zmax < 0
    assert np.isnan(np.diag(np.array(chart.data[0].z, float))).all()


@pytest.mark.parametrize("widths", [[5], [64], [70], [48] * 8, [4, 3]])
def test_the_picture_of_a_code_shows_every_bit_once(widths):
    signs = np.where(np.random.default_rng(0).random(sum(widths)) < 0.5, -1, 1)
    shown = np.array(code_charts.code(signs, widths).data[0].z, float)
    assert np.isfinite(shown).sum() == len(signs) and np.nansum(shown) == (signs > 0).sum()
