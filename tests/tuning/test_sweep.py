"""Many settings: each within its size, each fitted once."""

import os
import sqlite3
import subprocess
import sys

import numpy as np
import pytest

import compress
from compress import SVD, EmbeddingMatrix, Int8, ProjectiveClustering
from compress.tuning import sweep
from compress.tuning.sweep import Trial, Trials

SETTINGS = [SVD(j=1), SVD(j=3, factor_bits=8), Int8(), ProjectiveClustering(k=2, j=1, restarts=1)]


@pytest.fixture
def store(tmp_path):
    return Trials(tmp_path / "sweep" / "trials.sqlite")


@pytest.fixture
def fits(monkeypatch):
    """The settings that were fitted, in order; a fit after the number in `stop` of them is interrupted."""
    made = []

    class Fits(list):
        stop = None

    made = Fits()
    for kind in {type(method) for method in SETTINGS}:

        def fit(self, matrix, progress=None, real=kind.fit):
            if made.stop == len(made):
                raise KeyboardInterrupt("stopped")
            made.append(self)
            return real(self, matrix, progress)

        monkeypatch.setattr(kind, "fit", fit)
    return made


def test_every_trial_has_the_figures_of_its_fit(small, store):
    told = []
    trials = sweep.run(small, SETTINGS, store, told.append)
    assert [trial.method for trial in trials] == SETTINGS
    assert [(step.figures["setting"], step.figures["done"]) for step in told] == [
        (str(method), done) for done, method in enumerate(SETTINGS, 1)
    ]
    assert [told[1].words, told[1].figures["kept"]] == ["2 of 4 settings fitted", "2 of 4 settings"]
    work = [method.effort * method.size(*small.shape) for method in SETTINGS]
    assert [step.share for step in told] == pytest.approx([sum(work[:done]) / sum(work) for done in (1, 2, 3, 4)])
    for trial in trials:
        assert trial.figures == compress.evaluate(small, trial.method.fit(small)).figures()


def test_a_stopped_sweep_goes_on_where_it_was(small, store, fits):
    fits.stop = 2
    with pytest.raises(KeyboardInterrupt, match="stopped"):
        sweep.run(small, SETTINGS, store)
    assert [trial.method for trial in store.of(small.digest)] == SETTINGS[:2]
    fits.stop = None
    again = Trials(store.path)
    trials = sweep.run(small, SETTINGS, again)
    assert [trial.method for trial in trials] == SETTINGS
    assert fits == SETTINGS
    assert sweep.run(small, SETTINGS, again) == trials
    assert fits == SETTINGS


def test_a_killed_sweep_keeps_what_was_finished(small, tmp_path):
    np.save(tmp_path / "x.npy", small.values)
    code = (
        "import os, sys, compress\n"
        "from compress.tuning import sweep\n"
        "store = sweep.Trials(sys.argv[2])\n"
        "methods = [compress.SVD(j=j) for j in (1, 2, 3)]\n"
        "sweep.run(compress.load_matrix(sys.argv[1]), methods, store, lambda step: step.figures['done'] == 2 and os._exit(9))\n"
    )
    path = tmp_path / "trials.sqlite"
    killed = subprocess.run([sys.executable, "-c", code, str(tmp_path / "x.npy"), str(path)])
    assert killed.returncode == 9
    assert [trial.method for trial in Trials(path).of(small.digest)] == [SVD(j=1), SVD(j=2)]


def test_two_programs_keep_trials_in_one_file_and_none_is_lost(tmp_path):
    def keep(first):
        for j in range(first, first + 20):
            Trials(tmp_path / "trials.sqlite").keep("x", sweep.Trial(SVD(j=j), {"ratio": 1.0}))

    if not (child := os.fork()):
        keep(1)
        os._exit(0)
    keep(101)
    assert os.waitpid(child, 0)[1] == 0
    kept = {trial.method.j for trial in Trials(tmp_path / "trials.sqlite").of("x")}
    assert kept == {*range(1, 21), *range(101, 121)}


def test_trials_are_those_of_one_matrix(small, store, fits):
    other = EmbeddingMatrix(small.values[::-1].copy())
    sweep.run(small, SETTINGS[:2], store)
    sweep.run(other, SETTINGS[1:3], store)
    assert [trial.method for trial in store.of(small.digest)] == SETTINGS[:2]
    assert [trial.method for trial in store.of(other.digest)] == SETTINGS[1:3]
    assert list(store.of("none")) == []
    assert len(fits) == 4


def test_trials_with_row_weights_are_kept_apart(small, store, fits):
    weighted = EmbeddingMatrix(small.values, weights=np.arange(1.0, 41.0))
    plain, heavy = (sweep.run(matrix, SETTINGS[:1], store) for matrix in (small, weighted))
    assert fits == 2 * SETTINGS[:1]
    assert plain[0].figures["weighted_error"] != heavy[0].figures["weighted_error"]
    assert sweep.run(weighted, SETTINGS[:1], store) == heavy
    assert EmbeddingMatrix(small.values, weights=np.full(40, 2.0)).key == small.digest


def test_settings_that_this_version_lacks_are_passed_over(small, store):
    store.keep(small.digest, Trial(SVD(j=2), {"ratio": 2.0}))
    with sqlite3.connect(store.path) as file:
        for method, settings in (("magic", "{}"), ("svd", '{"depth": 2}'), ("svd", '{"j": 0}'), ("svd", "not json")):
            file.execute("INSERT INTO trials VALUES (?, ?, ?, ?)", (small.digest, method, settings, "{}"))
    assert list(store.of(small.digest)) == [Trial(SVD(j=2), {"ratio": 2.0})]


def test_a_plan_has_the_largest_dimension_that_fits_at_every_precision():
    methods = sweep.plan((1000, 50), ["svd", "projective", "int4"], [4, 10], k=3, seed=1)
    assert len(methods) == 2 * 4 + 2 * 4 + 1
    assert len({method for method in methods if hasattr(method, "j") and method.j < 50}) >= 14
    assert {method.k for method in methods if method.name == "projective"} == {3}
    assert {method.seed for method in methods if method.name == "projective"} == {1}
    for method in methods[:-1]:
        ratio = 4 * 1000 * 50 / method.size(1000, 50)
        assert ratio >= 4
        if method.j == 50:
            continue
        bigger = type(method)(**{**method.settings, "j": method.j + 1})
        assert any(4 * 1000 * 50 / bigger.size(1000, 50) < least <= ratio for least in (4, 10))


def test_a_plan_keeps_the_precision_that_is_given_and_leaves_out_what_cannot_be_reached():
    assert {method.factor_bits for method in sweep.plan((1000, 50), ["svd"], [4, 10], factor_bits=8)} == {8}
    assert sweep.plan((1000, 50), ["svd"], [1e6]) == []


def test_a_damaged_store_is_put_aside_and_a_new_one_begun(tmp_path):
    (tmp_path / "trials.sqlite").write_bytes(b"this is no database, however long it is " * 50)
    assert list(Trials(tmp_path / "trials.sqlite").of("any")) == []
    assert (tmp_path / "trials.damaged").read_bytes().startswith(b"this is no database")


def test_a_plan_of_lp_low_rank_has_every_exponent_and_objective():
    methods = sweep.plan((1000, 50), ["svd", "lp"], [4, 10], factor_bits=16, p=[1, 1.5], objective=["rows", "entries"])
    robust = [method for method in methods if method.name == "lp"]
    assert len(methods) == 2 + len(robust) and len(robust) == 2 * 2 * 2
    assert {(method.p, method.objective) for method in robust} == {(p, form) for p in (1, 1.5) for form in ("rows", "entries")}


def test_a_plan_carries_a_loss_along():
    methods = sweep.plan((1000, 50), ["projective"], [10], k=[2, 5], loss="huber", scale=None, factor_bits=16)
    assert [(method.k, method.loss, method.scale) for method in methods] == [(2, "huber", None), (5, "huber", None)]


def test_trials_kept_before_there_were_losses_are_those_of_least_squares(small, store):
    settings = '{"affine": false, "factor_bits": 16, "j": 1, "k": 2, "restarts": 1, "seed": 0, "steps": 12}'
    with sqlite3.connect(store.path) as file:
        file.execute("INSERT INTO trials VALUES (?, ?, ?, ?)", (small.digest, "projective", settings, "{}"))
    assert [trial.method for trial in store.of(small.digest)] == [ProjectiveClustering(k=2, j=1, restarts=1)]
