from itertools import combinations

import numpy as np
import pytest

import compress
from compress import EmbeddingMatrix, LightToken
from compress.analysis import code_preview as previews
from compress.analysis.code_preview import FIGURES, code_preview, expected

SETTINGS = [LightToken(bits=24), LightToken(rank=4, bits=40), LightToken(bits=48, stages=2), LightToken(bits=24, loss="direction")]


@pytest.fixture(scope="module")
def planted():
    """Rows of unlike lengths in directions of unlike energies, the first of them used most."""
    rng = np.random.default_rng(0)
    values = rng.standard_normal((7_000, 24)) * np.arange(1, 25) ** -0.5 * rng.gamma(4, size=(7_000, 1))
    return EmbeddingMatrix(values, None, (np.arange(7_000) + 1.0) ** -0.3)


@pytest.fixture(scope="module")
def pairs(planted):
    """The full fit's figures of each setting, what its preview told, and the preview, which was made of a sample."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(previews, "WHOLE", {"refined": 0.0})  # as if these fits took long
        patch.setattr(previews, "ROWS", (3200, 3200))  # of which fewer are coded
        told = [code_preview(planted, method) for method in SETTINGS]
    full = [compress.evaluate(planted, method.fit(planted)).figures() for method in SETTINGS]
    return [(each, expected(preview), preview) for each, preview in zip(full, told, strict=True)]


@pytest.mark.parametrize("figure", ["relative_error", "weighted_error"])
def test_a_preview_is_within_3_percent_of_the_full_fit_and_keeps_the_order(pairs, figure):
    both = [(full[figure], told[figure].value) for full, told, _ in pairs]
    for full, told in both:
        assert told == pytest.approx(full, rel=0.03)
    far = [(one, other) for one, other in combinations(both, 2) if max(one[0], other[0]) >= 1.05 * min(one[0], other[0])]
    assert len(far) >= 3 and all((one[0] - other[0]) * (one[1] - other[1]) > 0 for one, other in far)


@pytest.mark.parametrize("figure", ["relative_error", "weighted_error"])
def test_the_spread_covers_the_full_fit(pairs, figure):
    for full, told, _ in pairs:
        assert 0 < abs(told[figure].value - full[figure]) <= told[figure].spread < 0.06 * told[figure].value
        assert told["mean_cosine"].value == pytest.approx(full["mean_cosine"], abs=0.005)


def test_the_spread_covers_more_bits_a_column_than_any_table_of_words_has():
    values = np.random.default_rng(3).standard_normal((2400, 40)) * np.linspace(2, 0.3, 40)
    matrix, method = EmbeddingMatrix(values), LightToken(bits=256, stages=4)
    told = expected(code_preview(matrix, method))["relative_error"]
    full = compress.evaluate(matrix, method.fit(matrix)).relative_error
    assert 0.03 * full < abs(told.value - full) <= told.spread


def test_fitted_rows_are_held_better_than_those_held_out(planted, pairs, monkeypatch):
    monkeypatch.setattr(previews, "WHOLE", {"refined": 0.0})
    monkeypatch.setattr(previews, "ROWS", (1500, 1500))
    preview = code_preview(planted, SETTINGS[0])
    squared = ((preview.result.reconstruct() - preview.sample.values) ** 2).sum(axis=1)
    own = preview.sample.squared_norms
    fitted, apart = (squared[side].sum() / own[side].sum() for side in np.split(np.arange(1500), [preview.fitted]))
    assert fitted < pairs[0][0]["relative_error"] < apart
    assert expected(preview)["relative_error"].value == pytest.approx(pairs[0][0]["relative_error"], rel=0.05)


def test_where_a_few_passes_over_all_rows_are_quick_no_row_is_held_out(planted, monkeypatch):
    monkeypatch.setattr(previews, "WHOLE", {"refined": 0.0})
    matrix, method = previews.rows_of(planted, np.arange(4000)), LightToken(bits=24)
    monkeypatch.setattr(previews, "WORK", {"refined": (4 * 4000 * previews.seconds_of(method, 24), 0.01)})
    preview = code_preview(matrix, method)
    assert preview.fitted == preview.sample.shape[0] == 4000 and preview.passes == 4 and not preview.whole
    told, full = expected(preview)["relative_error"], compress.evaluate(matrix, method.fit(matrix)).relative_error
    assert 0 < abs(told.value - full) <= told.spread
    monkeypatch.setattr(previews, "WORK", {"refined": (2 * 4000 * previews.seconds_of(method, 24), 0.01)})
    assert code_preview(matrix, method).fitted == previews.ROWS[0] - previews.HELD_OUT


def test_the_preview_stores_what_the_full_fit_stores(planted, pairs):
    for method, (full, _, preview) in zip(SETTINGS, pairs, strict=True):
        assert preview.result.method == method and method.size(*planted.shape) == full["n_bytes"]
        assert preview.sample.shape[0] < planted.shape[0]


def test_of_a_small_matrix_the_preview_is_the_full_fit():
    matrix = compress.load_matrix("toy")
    for method in (LightToken(bits=16, rank=2), LightToken(bits=16, solver="paper", epochs=2)):
        told, full = expected(code_preview(matrix, method)), compress.evaluate(matrix, method.fit(matrix))
        for figure in FIGURES:
            assert told[figure].value == pytest.approx(getattr(full, figure), rel=1e-5) and told[figure].spread == 0


def test_rows_without_weight_and_rows_of_zeros_have_no_say(planted, monkeypatch):
    monkeypatch.setattr(previews, "WHOLE", {"refined": 0.0})
    values, weights = planted.values.copy(), np.ones(len(planted.values))
    values[1::3], weights[2::3] = 0, 0
    preview = code_preview(EmbeddingMatrix(values, None, weights), LightToken(bits=24, passes=6))
    assert preview.sample.squared_norms.min() > 0 and preview.sample_weights.min() > 0
    assert all(np.isfinite([figure.value, figure.spread]).all() for figure in expected(preview).values())


def test_a_bad_setting_is_refused_as_by_a_fit(planted):
    with pytest.raises(ValueError, match="rank must be a whole number between 1 and 24"):
        code_preview(planted, LightToken(rank=30))


def test_on_the_demo_a_preview_is_within_3_percent_of_the_full_fit(demo):
    """The full fit, 40 s long, has .2127; one of 376 bits, .2186."""
    told = expected(code_preview(demo, LightToken(bits=384)))["relative_error"]
    assert told.value == pytest.approx(0.2127, rel=0.03) and abs(told.value - 0.2127) <= told.spread
