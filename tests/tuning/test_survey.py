"""A survey: the best setting of every method at every ratio, kept, and shipped for the demo."""

import json
import os

import numpy as np
import pytest

import compress
from compress import METHODS, EmbeddingMatrix
from compress.sources import planted
from compress.tuning import measured
from compress.tuning.survey import SURVEYED, lacking, plan, survey
from compress.tuning.sweep import Trials

QUICK = ("dimensions", "pq")


@pytest.fixture(scope="module")
def matrix():
    return EmbeddingMatrix(planted(n_rows=400, k=5, j=2, dim=24, noise=0.1, outliers=0.0)[0])


@pytest.fixture
def store(tmp_path):
    return Trials(tmp_path / "trials.sqlite")


def test_the_best_setting_of_every_method_is_found_at_every_ratio_that_it_reaches(matrix, store):
    steps = []
    found = list(survey(matrix, QUICK, (4, 12), store, steps.append))
    assert [trial.method.name for trial in found] == [name for name, _ in plan(matrix.shape, QUICK, (4, 12))]
    for name in QUICK:
        for ratio in (4, 12):
            best = compress.fit_to(matrix, name, ratio)
            assert best.method in [trial.method for trial in found]
    assert [step.words for step in steps][-1] == "4 of 4 sizes" and steps[1].figures["kept"] == "1 of 4 sizes"
    shares = [step.share for step in steps]
    assert shares == sorted(shares) and (shares[0], shares[-1]) == (0, 1)


def test_a_stopped_survey_goes_on_where_it_was(matrix, store, monkeypatch):
    begun = survey(matrix, QUICK, (4, 12), store)
    first = next(begun)
    begun.close()
    fitted = []
    for name in QUICK:
        real = METHODS[name].fit
        monkeypatch.setattr(
            METHODS[name], "fit", lambda self, matrix, progress=None, real=real: fitted.append(self) or real(self, matrix)
        )
    again = list(survey(matrix, QUICK, (4, 12), store))
    assert again[0] == first and fitted and first.method not in fitted
    fitted.clear()
    assert list(survey(matrix, QUICK, (4, 12), store)) == again and not fitted


@pytest.mark.parametrize("shape", [(2, 1), (2, 5), (7, 1), (5, 3)])
def test_a_tiny_matrix_has_few_sizes_or_none(store, shape):
    tiny = EmbeddingMatrix(np.random.default_rng(0).standard_normal(shape).astype(np.float32))
    found = {trial.method.name for trial in survey(tiny, store=store)}
    assert found == {name for name, _ in plan(shape, SURVEYED)} <= {"groups", "blocks"} and lacking(tiny, store) == []


def test_what_is_lacking_is_what_a_survey_would_fit(matrix, store):
    assert lacking(matrix, store) == plan(matrix.shape, SURVEYED)
    list(survey(matrix, QUICK, (10,), store))
    assert {(name, 10.0) for name in QUICK}.isdisjoint(lacking(matrix, store))


def test_the_demo_has_every_method_at_every_ratio_without_a_fit(demo, store):
    assert lacking(demo, store) == []
    reached = {
        (trial.method.name, ratio)
        for trial in store.of(demo.key)
        for ratio in trial.method.surveyed
        if ratio <= trial.figures["ratio"] * (1 + 1e-9) <= 1.3 * ratio
    }
    assert reached >= {*plan(demo.shape, SURVEYED)} and len({name for name, _ in reached}) == 10


def test_two_trials_that_ship_are_what_a_fit_gives(demo, store):
    trials = [trial for trial in store.of(demo.key) if trial.method.name in QUICK]
    for name in QUICK:
        trial = min((each for each in trials if each.method.name == name), key=lambda each: each.figures["n_bytes"])
        fitted = compress.evaluate(demo, trial.method.fit(demo)).figures()
        assert fitted == pytest.approx(trial.figures, rel=1e-4)


def test_trials_that_ship_are_of_their_version_only_and_give_way_to_those_of_the_file(demo, store, tmp_path, monkeypatch):
    trial = next(iter(store.of(demo.key)))
    store.keep(demo.key, compress.tuning.sweep.Trial(trial.method, {"ratio": 1.0}))
    assert [each.figures for each in store.of(demo.key) if each.method == trial.method] == [{"ratio": 1.0}]
    held = json.loads(measured.FILE.read_text())
    (tmp_path / "old.json").write_text(json.dumps(held | {"version": measured.VERSION - 1}))
    monkeypatch.setattr(measured, "FILE", tmp_path / "old.json")
    monkeypatch.setattr(measured, "read", measured.read.__wrapped__)
    assert len(list(store.of(demo.key))) == 1


def test_the_file_of_trials_is_written_as_it_is_read(demo, tmp_path, monkeypatch):
    monkeypatch.setattr(measured, "FILE", tmp_path / "measured.json")
    rows = {key: measured.rows(key) for key in (demo.key, f"{demo.key} drafts")}
    measured.write(rows.items())
    monkeypatch.setattr(measured, "read", measured.read.__wrapped__)
    assert {key: measured.rows(key) for key in rows} == rows and os.stat(measured.FILE).st_size < 100_000
