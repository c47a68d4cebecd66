from dataclasses import replace

import numpy as np
import pytest

import compress
from compress import EmbeddingMatrix, LightToken
from compress.analysis.code_curves import CodeCurves, ideal_coders
from compress.analysis.code_preview import FIGURES, Estimate

KNOWN = [LightToken(bits=bits, rank=rank) for bits in (8, 32, 56, 88) for rank in (0, 3, 8)]
SOUGHT = [LightToken(bits=bits, rank=rank) for bits, rank in ((16, 0), (72, 0), (16, 3), (72, 3), (48, 8), (24, 5))]


@pytest.fixture(scope="module")
def matrix():
    """Rows beside the origin, of unlike lengths in directions of unlike energies, the first of them used most."""
    rng = np.random.default_rng(0)
    values = rng.standard_normal((1000, 24)) * np.arange(1, 25) ** -0.5 * rng.gamma(4, size=(1000, 1)) + rng.standard_normal(24)
    return EmbeddingMatrix(values, None, (np.arange(1000) + 1.0) ** -0.3)


@pytest.fixture(scope="module")
def fits(matrix):
    """The figures of full fits."""
    found = {method: compress.evaluate(matrix, method.fit(matrix)) for method in [*KNOWN, *SOUGHT]}
    return {method: {name: Estimate(getattr(each, name), 0.0) for name in FIGURES} for method, each in found.items()}


@pytest.mark.parametrize("name", FIGURES)
def test_settings_between_those_that_are_known_are_told_within_3_percent(matrix, fits, name):
    told = CodeCurves(ideal_coders(matrix), 24, {method: fits[method] for method in KNOWN}).at(SOUGHT)
    for method, each in zip(SOUGHT, told, strict=True):
        full = fits[method][name].value
        assert each[name].value == pytest.approx(full, rel=0.03)
        assert 0 < abs(each[name].value - full) <= each[name].spread


def test_what_is_known_is_told_as_it_is_and_leaves_less_in_doubt_nearby(matrix, fits):
    far, near = LightToken(bits=88, rank=8), LightToken(bits=24)
    curves = CodeCurves(ideal_coders(matrix), 24, {LightToken(bits=32): fits[LightToken(bits=32)]})
    assert curves.at([LightToken(bits=32)]) == [fits[LightToken(bits=32)]]
    assert curves.doubts([far])[0] > 2 * curves.doubts([near])[0] > 0
    for method in (far, near, LightToken(bits=8)):
        told, full = curves.at([method])[0]["weighted_error"], fits.get(method)
        assert full is None or abs(told.value - full["weighted_error"].value) <= told.spread


def test_what_may_be_too_far_off_or_is_as_small_as_rounding_is_not_told(matrix, fits):
    one, other = CodeCurves(ideal_coders(matrix), 24, dict([*fits.items()][:1])), CodeCurves(ideal_coders(matrix), 24, fits)
    near, faint = LightToken(bits=64, rank=3), LightToken(bits=512, rank=8)
    assert other.told([near]) == other.at([near]) and other.told([*fits]) == [*fits.values()]
    for unknown in (*one.told([near]), *other.told([faint])):
        assert all(np.isnan([each.value, each.spread]).all() for each in unknown.values())
    assert 0 < other.at([faint])[0]["weighted_error"].value < 3e-4 and other.doubts([faint]) == 0


def test_the_spread_of_a_preview_stays_in_what_follows_from_it(matrix, fits):
    known = {method: {name: replace(each, spread=0.1 * each.value) for name, each in fits[method].items()} for method in KNOWN}
    for each in CodeCurves(ideal_coders(matrix), 24, known).at(SOUGHT):
        assert each["weighted_error"].spread >= 0.1 * each["weighted_error"].value


@pytest.mark.parametrize("values", [np.ones((40, 6)), np.array([[1.0], [2.0]]), np.eye(4)[:3]], ids=["equal", "narrow", "few"])
def test_matrices_of_hardly_any_variance_have_finite_answers(values):
    matrix, method = EmbeddingMatrix(values), LightToken(bits=1)
    known = {method: {name: Estimate(0.0 if "error" in name else 1.0, 0.0) for name in FIGURES}}
    told = CodeCurves(ideal_coders(matrix), values.shape[1], known).at([method, LightToken(bits=1, rank=1)])
    assert all(np.isfinite([each.value, each.spread]).all() for row in told for each in row.values())
