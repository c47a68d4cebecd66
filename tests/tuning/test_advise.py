"""Advice: the target is met, by the best there is; what was finished is never fitted again; faults are one sentence."""

import numpy as np
import pytest

import compress
from compress import METHODS, EmbeddingMatrix, Int8, ProjectiveClustering, advise
from compress.files import bytes_text
from compress.methods import ALONE
from compress.sources import planted
from compress.tuning.sweep import Trials

QUICK = ("svd", "projective", "int8", "int4")


@pytest.fixture(scope="module")
def matrix():
    return EmbeddingMatrix(planted(n_rows=400, k=5, j=2, dim=24, noise=0.1, outliers=0.0)[0])


@pytest.fixture(scope="module")
def weighted(matrix):
    return EmbeddingMatrix(matrix.values, weights=np.random.default_rng(0).exponential(size=400) ** 3)


@pytest.fixture
def fits(monkeypatch):
    """The settings fitted, in order; after `stop` of them the next fit is interrupted."""

    class Fits(list):
        stop = None

    made = Fits()
    for name in QUICK:

        def fit(self, matrix, progress=None, real=METHODS[name].fit):
            if made.stop == len(made):
                raise KeyboardInterrupt("stopped")
            made.append(self)
            return real(self, matrix, progress)

        monkeypatch.setattr(METHODS[name], "fit", fit)
    return made


def figures_of(matrix, trial):
    return compress.evaluate(matrix, trial.method.fit(matrix)).figures()


def test_a_size_is_kept_and_the_least_error_is_first(matrix):
    found = advise(matrix, ratio=10, methods=QUICK)
    every = [found.best, *found.runners_up]
    assert found.best.method.name == "projective"
    assert all(trial.figures["ratio"] >= 10 for trial in every)
    errors = [trial.figures["relative_error"] for trial in every]
    assert errors == sorted(errors)
    assert {trial.method.name for trial in every} | set(found.out_of_reach) == set(QUICK)
    assert found.best.figures == figures_of(matrix, found.best)


def test_bytes_are_a_ratio(matrix):
    by_bytes = advise(matrix, max_bytes=matrix.n_bytes / 6, methods=["svd"])
    assert by_bytes.best == advise(matrix, ratio=6, methods=["svd"]).best
    assert by_bytes.asked == {"max_bytes": matrix.n_bytes / 6}


def test_what_cannot_reach_a_size_is_named_with_its_smallest_form(matrix):
    found = advise(matrix, ratio=6, methods=["svd", "int8"])
    size, codes = Int8().size(400, 24), 400 * 24
    assert found.out_of_reach == {
        "int8": f"no smaller than {bytes_text(size)} ({matrix.n_bytes / size:.3g} ×), of which {bytes_text(codes)} are its codes"
    }


def test_slow_methods_are_left_out_where_a_quick_one_has_no_error(matrix, fits):
    found = advise(matrix, ratio=1, methods=["svd", "projective"])
    assert found.best.method.name == "svd" and {each.name for each in fits} == {"svd"}
    assert found.out_of_reach["projective"].startswith("not fitted, since SVD has an error of ")


@pytest.mark.parametrize("target", [{"max_error": 0.2}, {"max_error": 0.02}, {"min_cosine": 0.9}, {"min_cosine": 0.99}])
def test_a_loss_is_kept_by_a_full_fit_of_every_method_and_the_smallest_is_first(matrix, target):
    found = advise(matrix, **target, methods=QUICK)
    every = [found.best, *found.runners_up]
    for trial in every:
        figures = figures_of(matrix, trial)
        assert figures == trial.figures
        assert figures["relative_error"] <= target.get("max_error", 1) and figures["mean_cosine"] >= target.get("min_cosine", 0)
    sizes = [trial.figures["n_bytes"] for trial in every]
    assert sizes == sorted(sizes)


@pytest.mark.parametrize("limit", [0.3, 0.1, 0.03])
def test_svd_within_an_error_is_the_smallest_there_is(matrix, limit):
    found = advise(matrix, max_error=limit, methods=["svd"]).best
    settings = [compress.SVD(j=j, factor_bits=bits) for j in range(1, 25) for bits in (32, 16, 8, 4)]
    enough = [each for each in settings if compress.evaluate(matrix, each.fit(matrix)).relative_error <= limit]
    assert found.figures["n_bytes"] <= 1.02 * min(each.size(400, 24) for each in enough)


def test_light_token_is_found_within_an_error_by_few_fits(matrix):
    found = advise(matrix, max_error=0.2, methods=["light_token"], seeds=1).best
    less = METHODS["light_token"](**{**found.method.settings, "bits": found.method.bits * 3 // 4})
    assert compress.evaluate(matrix, less.fit(matrix)).relative_error > 0.2 >= found.figures["relative_error"]


def test_weights_decide_what_error_means(weighted):
    found = advise(weighted, max_error=0.05, methods=QUICK)
    assert all(trial.figures["weighted_error"] <= 0.05 for trial in (found.best, *found.runners_up))
    assert "weighted error" in found.why
    sized = advise(weighted, ratio=6, methods=QUICK)
    assert sized.best.figures["weighted_error"] <= min(trial.figures["weighted_error"] for trial in sized.runners_up)


def test_the_spread_is_over_seeds_and_the_best_of_them_is_taken(matrix):
    found = advise(matrix, ratio=10, methods=["projective"], seeds=4)
    settings = {name: value for name, value in found.best.method.settings.items() if name != "seed"}
    fits = [ProjectiveClustering(**settings, seed=seed).fit(matrix) for seed in range(4)]
    errors = [compress.evaluate(matrix, fit).weighted_error for fit in fits]
    assert found.spread == (min(errors), max(errors)) and found.seeds == 4
    assert found.best.figures["weighted_error"] == min(errors)


def test_what_has_no_seed_has_no_spread(matrix):
    assert advise(matrix, ratio=6, methods=["svd"]).spread is None
    assert advise(matrix, ratio=6, methods=["projective"], seeds=1).spread is None


def test_the_sentence_has_the_numbers(matrix):
    found = advise(matrix, ratio=6, methods=["svd", "projective"])
    best, other = found.best.figures, found.runners_up[0].figures
    assert found.why == (
        f"k subspaces at {best['ratio']:.3g}× has a relative error of {best['relative_error']:.3g}; "
        f"the next, SVD, has {other['relative_error']:.3g} in as many bytes."
    )
    assert advise(matrix, ratio=6, methods=["svd"]).why.endswith("; no other method that was asked is as small.")


@pytest.mark.parametrize("target", [{"ratio": 8}, {"max_error": 0.1}])
def test_stopped_advice_goes_on_and_comes_to_the_same(matrix, tmp_path, fits, target):
    fresh = advise(matrix, **target, methods=QUICK)
    whole = list(fits)
    fits.clear()
    for fits.stop in range(3, len(whole), 7):
        with pytest.raises(KeyboardInterrupt, match="stopped"):
            advise(matrix, **target, methods=QUICK, store=Trials(tmp_path / "trials.sqlite"))
    fits.stop = None
    assert advise(matrix, **target, methods=QUICK, store=Trials(tmp_path / "trials.sqlite")) == fresh
    assert fits == whole  # nothing twice
    advise(matrix, **target, methods=QUICK, store=Trials(tmp_path / "trials.sqlite"))
    assert fits == whole


def test_only_full_fits_are_trials_of_the_matrix(matrix, tmp_path):
    store = Trials(tmp_path / "trials.sqlite")
    found = advise(matrix, ratio=8, methods=["svd", "projective"], store=store)
    trials = list(store.of(matrix.digest))
    assert all(trial in trials for trial in (found.best, *found.runners_up))
    for trial in trials:
        assert trial.figures == figures_of(matrix, trial)


def test_every_fit_is_told_with_what_is_done(matrix):
    told = []
    advise(matrix, ratio=8, methods=QUICK, progress=told.append)
    shares, told = [step.share for step in told], [step.figures for step in told]
    slow = METHODS["projective"].effort / sum(METHODS[name].effort for name in QUICK)
    assert shares == sorted(shares) and shares[0] == 0 and shares[-1] < 1
    taken = [max(shares[at] for at, event in enumerate(told) if event["done"] == done) for done in range(len(QUICK) + 1)]
    assert (taken[4] - taken[3]) / taken[4] == pytest.approx(slow)  # what takes long is more of the whole
    assert told[-1]["done"] == len(QUICK) and {event["of"] for event in told} == {len(QUICK) + 1}
    assert [event["method"] for event in told if "setting" not in event] == ["svd", "int8", "int4", "projective", "projective"]
    assert sum("setting" in event for event in told) > 10


def test_every_method_is_asked_unless_some_are_named(matrix):
    found = advise(matrix, ratio=3, seeds=1)
    assert {found.best.method.name, *(trial.method.name for trial in found.runners_up), *found.out_of_reach} == set(ALONE)


FAULTS = {
    "no target": ({}, r"^give exactly one of ratio, max_bytes, max_error, min_cosine, got none$"),
    "two targets": ({"ratio": 5, "max_error": 0.1}, r"^give exactly one of .*, got ratio and max_error$"),
    "a ratio of nothing": ({"ratio": 0}, r"^ratio must be a number above 0, got 0$"),
    "no number": ({"ratio": float("nan")}, r"^ratio must be a number above 0, got nan$"),
    "bytes below nothing": ({"max_bytes": -3}, r"^max_bytes must be a number above 0, got -3$"),
    "an error above 1": ({"max_error": 1.5}, r"^max_error must be a number between 0 and 1, got 1.5$"),
    "a cosine above 1": ({"min_cosine": 1.01}, r"^min_cosine must be a number between 0 and 1, got 1.01$"),
    "another method": ({"ratio": 5, "methods": ["svd", "magic"]}, r"^method must be one of svd, .*, got 'magic'$"),
    "no method": ({"ratio": 5, "methods": []}, r"^methods must name at least one method, got none$"),
    "no seed": ({"ratio": 5, "seeds": 0}, r"^seeds must be a whole number between 1 and 100, got 0$"),
    "a size out of reach": (
        {"ratio": 1e6, "methods": QUICK},
        r"reaches ratio 1e\+06 here; SVD comes nearest: no smaller than .* at j = 1 \([\d.]+ ×\), of which .* are its \w+$",
    ),
    "no error at all": (
        {"max_error": 0, "methods": QUICK},
        r"keeps the error within 0 here; (SVD|k subspaces) comes nearest: still an error of [\d.e-]+ at ratio [\d.]+$",
    ),
    "a cosine out of reach": (
        {"min_cosine": 0.9999, "methods": ["int4"]},
        r"keeps the mean cosine at 0.9999 here; int4 by row comes nearest: still a mean cosine of 0.99\d* at ratio",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_one_sentence(matrix, name):
    target, sentence = FAULTS[name]
    with pytest.raises(ValueError, match=sentence):
        advise(matrix, **target)


@pytest.mark.parametrize("values", [np.ones((40, 6)), np.eye(4)[:3], np.array([[1.0], [2.0]])])
def test_odd_matrices_have_advice(values):
    found = advise(EmbeddingMatrix(values), max_error=0.5, methods=["svd", "int8"])
    assert found.best.figures["relative_error"] <= 0.5
