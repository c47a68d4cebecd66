"""What Robustness tells while a dial moves against what is fitted there."""

from dataclasses import replace

import numpy as np
import pytest

from compress import SVD, Compressed, EmbeddingMatrix, LpLowRank, ProjectiveClustering, evaluate
from compress.analysis.outliers import plant
from compress.answers.robust import between, counted, exact, robust
from compress.solvers.sample import drawn, lewis_start, sample_of

NOW = {
    "rows": LpLowRank(j=5, p=1.2, objective="rows"),
    "entries": LpLowRank(j=5, p=1.2),
    "cauchy": ProjectiveClustering(k=1, j=5, loss="cauchy"),
}


@pytest.fixture(scope="module")
def matrix():
    """600 rows near a subspace of 6 of 24 dimensions, in order of their lengths, weighted."""
    rng = np.random.default_rng(0)
    values = rng.standard_normal((600, 6)) @ rng.standard_normal((6, 24)) + 0.5 * rng.standard_normal((600, 24))
    return EmbeddingMatrix(values.astype(np.float32), weights=1 / np.arange(1.0, 601) ** 0.3)


def shown(matrix, method, planted, length):
    """The view of a preview of all rows."""
    work, rows = plant(matrix, planted, length)
    far = np.isin(np.arange(600), rows)
    axes = lewis_start(sample_of(work)).astype(np.float32)
    start = Compressed(method, {"bases": axes.T[None, : method.j]}, work.shape, work.digest) if method.name == "lp" else axes
    fitted = [method.draft.fit(work, None, start), SVD(j=method.j).fit(work), SVD(j=method.j).fit(matrix)]
    return exact(work, far, matrix, fitted, [evaluate(*each) for each in zip((work, work, matrix), fitted, strict=True)])


@pytest.mark.parametrize("kind", NOW)
def test_every_answer_is_near_what_is_shown_there(matrix, kind):
    method, planted, length = NOW[kind], 12, 9.0
    settings = {name: value for name, value in method.settings.items() if name in ("j", "p", "loss", "scale")}
    kept = []
    arrays = robust(matrix, kept.append, None, entries=kind == "entries", planted=planted, length=length, most=30, **settings)
    assert kept and kept[-1].keys() == arrays.keys() and ("p.values" in arrays) == (kind != "cauchy")
    now = shown(matrix, method, planted, length)
    ways = {
        "j": (8, (replace(method, j=8), planted, length)),
        "planted": (21, (method, 21, length)),
        "length": (17.5, (method, planted, 17.5)),
    }
    if kind != "cauchy":
        ways["p"] = 1.63, (replace(method, p=1.63), planted, length)
    for dial, (value, there) in ways.items():
        place = {"planted": planted, "length": length}.get(dial) or getattr(method, dial)
        found = between(arrays, dial, np.array([place, value]), {float(place): now})
        np.testing.assert_allclose(found.figures[0], now.figures, rtol=1e-9, atol=1e-9)
        wanted = shown(matrix, *there)
        np.testing.assert_allclose(found.figures[1, :, :6], wanted.figures[:, :6], rtol=0.03)
        np.testing.assert_allclose(found.figures[1, :, 6], wanted.figures[:, 6], atol=3)
        np.testing.assert_allclose(found.far[1].mean(), wanted.far.mean(), rtol=0.03)


def test_where_nothing_is_left_tells_nothing_of_other_places(matrix):
    method, most = LpLowRank(j=5, p=1.4), min(matrix.shape)
    arrays = robust(matrix, lambda arrays: None, None, j=5, p=1.4)
    known = {float(most): shown(matrix, replace(method, j=most), 0, 20.0)}
    found = between(arrays, "j", np.array([5.0]), known)
    np.testing.assert_allclose(found.of("relative_error")[0], shown(matrix, method, 0, 20.0).of("relative_error"), rtol=0.1)


def test_a_dial_that_the_table_lacks_has_no_answers(matrix):
    arrays = robust(matrix, lambda arrays: None, None, j=5, coarse=True)
    assert between(arrays, "length", np.array([2.0]), {}) is None


def test_counts_by_quantiles_are_those_of_the_rows():
    values = np.random.default_rng(0).exponential(size=4000)
    edges = np.linspace(0.2, 3, 15)
    quantiles = np.quantile(values, np.linspace(0, 1, 129))[None]
    wanted = np.histogram(np.maximum(values, 0.2), edges)[0]
    assert np.abs(counted(quantiles, np.array([4000]), edges)[0] - wanted).max() < 0.01 * 4000


def test_a_sample_stands_for_all_rows_and_holds_those_far_out(matrix):
    work, far = plant(matrix, 5, 50.0)
    rows, counts = drawn(work, 200)
    assert set(far) <= set(rows) and len(rows) < 210 and counts.sum() == pytest.approx(600, rel=0.1)
    sample = sample_of(work)
    pulls = 1 / np.sqrt(sample.norms)
    wanted = (work.values * (work.weights * pulls)[:, None]).T @ work.values.astype(np.float64)
    np.testing.assert_allclose(sample.moments(pulls), wanted, atol=1e-3 * np.abs(wanted).max())
