"""Trade-offs: what is there at once, what a sweep adds, what a link may hold."""

import base64
import json
import re
import signal
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

import compress
from compress import SVD, Dimensions, LightToken, LpLowRank, ProjectiveClustering
from compress.charts.figure import METHOD_COLOURS, METHOD_SYMBOLS, PRECISION_SYMBOLS
from compress.methods import ProductQuantization, Trellis
from compress.tuning.survey import SURVEYED
from compress.tuning.sweep import Trials, run
from pages.parts.pins import describe, in_few_digits, to_link, told_apart
from pages.parts.tradeoffs.settings import BUDGETS
from tests.pages.drawn import charts, drawn, moved, shown_cards, stands, told

BEGIN = subprocess.Popen
PAGE = Path(__file__).parents[2] / "pages" / "tradeoffs.py"
pytestmark = pytest.mark.usefixtures("cache", "jobs_awaited")


def opened(source="toy", **link):
    page = AppTest.from_file(PAGE, default_timeout=120)
    page.session_state["source"] = (str(source), None)
    for key, value in link.items():
        page.query_params[key] = value
    page.run()
    assert not page.exception
    return page


def small_matrix(tmp_path, n, d):
    np.save(tmp_path / "small.npy", np.random.default_rng(0).standard_normal((n, d)).astype(np.float32))
    return tmp_path / "small.npy"


def cards(page):
    return {metric.label: metric for metric in shown_cards(page)}


def said(page):
    """Its sentences, those that a dial moves too."""
    return [caption.value for caption in page.caption] + [each["text"] for each in told(page, "sentence")]


def traces(page):
    return drawn(page)[0]["data"]


def names_of(page):
    return {trace.get("name") for trace in traces(page)}


def test_svd_and_rounding_are_there_before_any_sweep():
    page = opened()
    names = names_of(page)
    assert {"front", "SVD", "int8 by row", "int4 by row"} <= names
    front = next(trace for trace in traces(page) if trace.get("name") == "front")
    assert front["line"]["shape"] == "hv"  # what a size gets lies at or before it
    assert "k subspaces" not in names
    assert any(button.label.startswith("Fit k subspaces at") for button in page.button)
    assert any("k subspaces take a search" in caption.value for caption in page.caption)


def test_the_card_of_svd_is_the_best_rank_within_the_budget():
    page = opened(budget_ratio="12")
    matrix = compress.load_matrix("toy")
    label = next(label for label in cards(page) if label.startswith("SVD"))
    j, precision = (part.strip() for part in label.split(",")[1:])
    method = SVD(j=int(j.removeprefix("j = ")), factor_bits={"int4": 4, "int8": 8, "float16": 16, "float32": 32}[precision])
    assert method.size(*matrix.shape) <= matrix.n_bytes / 12
    error = compress.evaluate(matrix, method.fit(matrix)).relative_error
    assert float(cards(page)[label].value) == pytest.approx(error, rel=0.05)


def test_finished_trials_are_shown_and_compared_with_svd(cache):
    method = ProjectiveClustering(k=4, j=4, restarts=2, factor_bits=4)
    run(compress.load_matrix("toy"), [method], Trials(cache / "trials" / "trials.sqlite"))
    page = opened(budget_ratio="40")
    card = cards(page)["k subspaces, k = 4, j = 4, int4, restarts 2"]
    assert card.delta.startswith("-")
    assert "k subspaces" in names_of(page)


def test_a_larger_budget_never_has_a_larger_error():
    page = opened()
    errors = []
    for ratio in (100, 50, 25, 12, 6, 3):
        moved(page, "budget_ratio", ratio)
        errors.append(min(float(card["value"]) for card in told(page, "figures")[0]["cards"]))
    assert errors == sorted(errors, reverse=True)


def test_while_the_budget_moves_all_is_told_that_is_told_when_it_stands_there(cache):
    run(compress.load_matrix("toy"), [Trellis(rate=1.0)], Trials(cache / "trials" / "trials.sqlite"))
    page = opened(budget_ratio="42.5")
    (table,), before = told(page, "answers"), charts(page)[0]["figure"]
    moved(page, "budget_ratio", 20)
    assert told(page, "answers") == [table] and charts(page)[0]["figure"] == before
    row, words = BUDGETS.index(20), table["words"]
    cards = [words[word] for word in table["figures"]["cards"][row]]
    shown = told(page, "figures")[0]["cards"]
    assert cards == [card[part] for card in shown for part in ("label", "value", "delta", "delta_color", "about")]
    assert {card["label"].partition(",")[0] for card in shown} == {"SVD", "Trellis"}
    for sentence in told(page, "sentence"):
        assert words[table["sentences"][sentence["key"]][row]] == sentence["text"]
    marks = {words[name]: place for name, _, _, *place in table["marks"]["tradeoffs"][row]}
    assert {name for name, place in marks.items() if None not in place} == {"budget", "svd", "trellis"}
    for mark in charts(page)[0]["marks"]:
        assert marks[mark["name"]] == pytest.approx([mark[axis] for axis in "xy" if axis in mark], rel=1e-5)


def test_pinned_settings_have_a_numbered_ring_and_their_name():
    page = opened(pins='[["svd",{"j":7,"factor_bits":8}],["projective",{"k":3,"j":2}]]')
    rings = [trace["name"] for trace in traces(page) if trace.get("mode") == "markers+text"]
    assert rings == ["1: SVD, j = 7, int8", "2: k subspaces, k = 3, j = 2, float16, preview"]


def test_a_pinned_code_that_is_not_fitted_yet_lies_where_its_full_fit_will():
    page = opened(pins='[["light_token",{"bits":24}]]')
    (ring,) = [trace for trace in traces(page) if trace.get("mode") == "markers+text"]
    matrix = compress.load_matrix("toy")
    error = compress.evaluate(matrix, LightToken(bits=24).fit(matrix)).relative_error
    assert "preview" in ring["name"] and ring["y"] == pytest.approx([error], rel=1e-5)


def test_pinned_columns_are_fitted_at_once_and_told_apart():
    methods = [Dimensions(kept=20), Dimensions(kept=20, over="largest", factor_bits=8), Dimensions(kept=20, seed=1)]
    rings = [trace["name"] for trace in traces(opened(pins=to_link(methods))) if trace.get("mode") == "markers+text"]
    assert rings == [
        "1: Dimensions, 20 kept, float16",
        "2: Dimensions, 20 kept, by largest sensitivity, int8",
        "3: Dimensions, 20 kept, float16, seed 1",
    ]


def test_a_pin_that_the_matrix_cannot_have_is_named_and_left_out():
    page = opened(pins='[["svd",{"j":300}]]')
    assert any("cannot have" in caption.value for caption in page.caption)


def test_a_picked_point_can_be_pinned_and_cleared():
    page = opened()
    page.session_state["picked"] = ["SVD, j = 8, int8"]
    page.run()
    page.button(key="pin_picked").click().run()
    assert page.session_state["pins"] == [SVD(j=8, factor_bits=8)]
    page.button(key="clear_picks").click().run()
    assert "open_picked" not in {button.key for button in page.button}


def test_junk_in_the_link_gives_the_defaults():
    page = opened(budget_ratio="banana", log_error="perhaps", pins='{"a":')
    assert BUDGETS[stands(page, "budget_ratio")] == 25


@pytest.mark.parametrize("shape", [(2, 1), (2, 5), (7, 1), (5, 3)])
def test_tiny_matrices_are_shown(tmp_path, shape):
    page = opened(small_matrix(tmp_path, *shape))
    for ratio in (1, 25, 1000):
        assert not moved(page, "budget_ratio", ratio).exception
    page.toggle(key="log_error").set_value(True).run()
    assert not page.exception


def test_no_settings_of_the_sweep_is_said_in_words():
    page = opened()
    next(group for group in page.get("button_group") if group.key == "sweep_k").set_value([]).run()
    assert not page.exception
    assert any("nothing to fit" in caption.value for caption in page.caption)


SWEEPS = {
    "projective": {"sweep_k": [2], "sweep_precision": ["int4"], "sweep_ratios": [25, 60]},
    "lp": {"sweep_precision": ["int8"], "sweep_p": [1, 1.5], "sweep_objective": ["rows", "entries"], "sweep_ratios": [6]},
    "light_token": {"sweep_ratios": [25, 60]},
    "trellis": {"sweep_ratios": [40, 60]},
    "trimmed": {"sweep_of": ["svd", "int8"], "sweep_ratios": [25, 60]},
    "dimensions": {"sweep_precision": ["float16", "int4"], "sweep_ratios": [4, 16]},
}


@pytest.mark.parametrize("name", SWEEPS)
def test_a_sweep_fits_what_its_button_promises(cache, jobs_within, finish, name):
    page = opened()
    label = compress.METHODS[name].label
    for key, value in {"sweep_method": name, **SWEEPS[name]}.items():
        page.session_state[key] = value
    page.run()
    button = next(button for button in page.button if button.label.startswith(f"Fit {label} at "))
    button.click().run()
    finish(page, "sweep")
    assert page.session_state["jobs"]["sweep"].error is None
    assert any("Every setting of the sweep is fitted" in caption.value for caption in page.caption)
    found = [trial.method for trial in Trials(cache / "trials" / "trials.sqlite").of(compress.load_matrix("toy").digest)]
    assert button.label == f"Fit {label} at {len(found)} sizes"
    if name == "lp":
        assert {(method.p, method.objective) for method in found} == {(p, form) for p in (1, 1.5) for form in ("rows", "entries")}
    assert label in names_of(page)


@pytest.mark.parametrize("measure, figure", [("ℓ1 error", "l1_error"), ("median row error", "median_row_error")])
def test_every_measure_is_that_of_the_fit(cache, measure, figure):
    matrix = compress.load_matrix("toy")
    methods = [LpLowRank(j=6, p=1, objective="rows"), ProjectiveClustering(k=2, j=3, restarts=1)]
    trials = run(matrix, methods, Trials(cache / "trials" / "trials.sqlite"))
    page = opened(error_measure=measure)
    chart = drawn(page)[0]
    assert chart["layout"]["yaxis"]["title"]["text"] == measure
    points = {point[0]: y for trace in chart["data"] if trace.get("customdata") for point, y in errors_of(trace)}
    for trial in trials:
        assert points[describe(trial.method)] == pytest.approx(trial.figures[figure])
    for method in (SVD(j=2), SVD(j=9), SVD(j=20, factor_bits=8), SVD(j=30, factor_bits=4)):
        shown = compress.evaluate(matrix, method.fit(matrix)).figures()[figure]
        assert points[describe(method)] == pytest.approx(shown, rel=0.25 if method.factor_bits == 4 else 0.02, abs=1e-3)


def errors_of(trace):
    """A trace's points as (customdata, y); y may be packed."""
    ys = trace["y"]
    if isinstance(ys, dict):
        ys = np.frombuffer(base64.b64decode(ys["bdata"]), ys["dtype"])
    return zip(trace["customdata"], ys, strict=True)


def test_a_measure_that_is_not_there_gives_the_default():
    page = opened(error_measure="taste")
    assert any("relative error" in markdown.value.lower() for markdown in page.markdown)
    assert drawn(page)[0]["layout"]["yaxis"]["title"]["text"] == "relative error"


def test_pins_of_robust_fits_are_told_apart():
    link = [["lp", {"j": 4}], ["lp", {"j": 4, "objective": "rows"}], ["projective", {"k": 2, "j": 3, "loss": "tukey"}]]
    page = opened(pins=json.dumps(link))
    rings = [trace["name"] for trace in traces(page) if trace.get("mode") == "markers+text"]
    assert rings == [
        "1: ℓp low rank, p = 1, by entries, j = 4, float16, preview",
        "2: ℓp low rank, p = 1, by rows, j = 4, float16, preview",
        "3: k subspaces, Tukey, k = 2, j = 3, float16, preview",
    ]


OPENED = {  # what is picked, and what the controls of its page then hold
    ProjectiveClustering(k=2, j=3, loss="huber", scale=0.5, restarts=1): {"flat_loss": "Huber", "flat_scale": 0.5},
    LpLowRank(j=4, p=1.5): {"robust_j": 4, "robust_loss": "ℓp", "robust_p": 1.5, "robust_objective": "Entries"},
    LightToken(rank=2, bits=16, stages=2, loss="direction", seed=2): {
        **{"hash_rank": 2, "hash_bits": 16, "hash_stages": "2", "hash_loss": "Direction", "hash_solver": "Refined"}
    },
}


@pytest.mark.parametrize("method", OPENED, ids=lambda method: method.name)
def test_a_picked_fit_opens_on_its_page_as_it_was(cache, method):
    run(compress.load_matrix("toy"), [method], Trials(cache / "trials" / "trials.sqlite"))
    page = opened()
    page.session_state["picked"] = [describe(method)]
    page.run()
    page.button(key="open_picked").click().run()
    assert {key: page.session_state[key] for key in OPENED[method]} == OPENED[method]


@pytest.mark.parametrize("method", [Trellis(rate=1.6), ProductQuantization(parts=5, code_bits=4)], ids=lambda method: method.name)
def test_a_picked_fit_without_a_page_can_be_pinned_but_not_opened(cache, method):
    run(compress.load_matrix("toy"), [method], Trials(cache / "trials" / "trials.sqlite"))
    page = opened()
    page.session_state["picked"] = [describe(method)]
    page.run()
    assert {"k", "j", "precision"}.isdisjoint(page.dataframe[0].value.columns)
    page.button(key="pin_picked").click().run()
    assert page.session_state["pins"] == [method]
    assert "open_picked" not in {button.key for button in page.button}


def held(*command, **options):
    """A process that has not begun when the page is drawn."""
    process = BEGIN(*command, **options)
    process.send_signal(signal.SIGSTOP)
    return process


def test_a_pinned_code_of_a_large_matrix_is_fitted_by_a_job_not_by_the_page(tmp_path, finish, monkeypatch):
    method = ProductQuantization(parts=1, code_bits=2, steps=1000)
    np.save(tmp_path / "large.npy", np.random.default_rng(0).standard_normal((1000, 1001)).astype(np.float32))
    page = opened(tmp_path / "large.npy", pins=to_link([method, SVD(j=1001)]))
    assert any(caption.value.endswith("not on the chart: PQ, 1 part, 2 bits a part, steps 1000.") for caption in page.caption)
    assert any("cannot have" in caption.value for caption in page.caption)
    with monkeypatch.context() as patch:
        patch.setattr("pages.parts.work.job.subprocess.Popen", held)
        page.button(key="fit_pin").click().run()
    job = page.session_state["jobs"]["fit"]
    assert job.running and "fit_pin" not in {button.key for button in page.button}
    assert "1: PQ, 1 part, 2 bits a part, steps 1000" not in names_of(page)
    job.process.send_signal(signal.SIGCONT)
    finish(page)
    assert job.error is None and not page.exception
    ring = next(trace for trace in traces(page) if trace.get("name") == "1: PQ, 1 part, 2 bits a part, steps 1000")
    matrix = compress.load_matrix(tmp_path / "large.npy")
    assert ring["y"] == pytest.approx([compress.evaluate(matrix, method.fit(matrix)).relative_error])
    assert "fit_pin" not in {button.key for button in page.button}


@pytest.mark.parametrize(
    "rate, text", [(0.614502, "52"), (1.2799995358539196, "25"), (0.31067961, "103"), (2.6, "12.3"), (0.02, "1600")]
)
def test_a_rate_reads_as_how_many_times_smaller_in_few_digits(rate, text):
    assert describe(Trellis(rate=rate)) == f"Trellis, {text} ×"


@pytest.mark.parametrize(
    "number, within, text", [(52.0747, 0.005, "52"), (25.4, 0.005, "25.4"), (52.0747, 1e-6, "52.0747"), (1e6, 0.1, "1000000")]
)
def test_a_number_has_no_more_digits_than_tell_it(number, within, text):
    assert in_few_digits(number, within, 2) == text


def test_every_method_has_a_colour_and_those_without_a_precision_a_sign_of_their_own():
    assert set(METHOD_COLOURS) == set(compress.METHODS)
    assert len(set(METHOD_COLOURS.values())) == len(METHOD_COLOURS)
    assert len(set(METHOD_SYMBOLS.values()) | set(PRECISION_SYMBOLS.values())) == len(METHOD_SYMBOLS) + len(PRECISION_SYMBOLS)
    unsigned = set(METHOD_COLOURS) - set(METHOD_SYMBOLS)
    assert all("factor_bits" in compress.METHODS[name]().settings for name in unsigned - {"int8", "int4"})


def test_rates_that_differ_by_two_bytes_of_the_demo_read_differently():
    rates = [8 * n_bytes / (30522 * 384) for n_bytes in range(1_875_270, 1_875_300, 4)]
    methods = [Trellis(rate=rate) for rate in rates]
    assert {describe(method) for method in methods} == {"Trellis, 25 ×"}
    assert len(set(told_apart(methods))) == len(methods)
    assert told_apart([SVD(j=3), methods[0], methods[0]]) == ["SVD, j = 3, float16", *2 * ["Trellis, 25 ×"]]


def test_no_two_settings_read_alike():
    losses = [{}, {"p": 1.0}, {"p": 1.05}, {"loss": "huber"}, {"loss": "tukey"}, {"loss": "tukey", "scale": 0.4}, {"scale": 0.4}]
    ways = [{}, {"k": 3}, {"affine": True}, {"factor_bits": 8}, {"restarts": 3}, {"steps": 5}, {"seed": 2}]
    robust = [{}, {"p": 1.5}, {"objective": "rows"}, {"p": 1.5, "objective": "rows"}, {"p": 2}]
    starts = [{}, {"start": "lowner"}, {"steps": 3}, {"seed": 1}, {"j": 7}, {"factor_bits": 4}]
    methods = {ProjectiveClustering(**loss, **way) for loss in losses for way in ways}
    methods |= {LpLowRank(**loss, **start) for loss in robust for start in starts} | {SVD()}
    assert len({describe(method) for method in methods}) == len(methods) == 7 * 7 + 5 * 6 + 1
    assert describe(LpLowRank(p=1)) == describe(LpLowRank(p=1.0)) == "ℓp low rank, p = 1, by entries, j = 60, float16"
    assert describe(ProjectiveClustering(p=1.2)) == "k subspaces, p = 1.2, k = 5, j = 60, float16"


def test_links_from_before_there_were_losses_still_open():
    page = opened(pins='[["projective",{"k":2,"j":3,"affine":false,"restarts":8,"steps":12,"factor_bits":16,"seed":0}]]')
    assert page.session_state["pins"] == [ProjectiveClustering(k=2, j=3)] and not page.warning


@pytest.mark.parametrize(
    "bad",
    [
        '["lp",{"p":0.5}]',
        '["lp",{"objective":["rows"]}]',
        '["projective",{"loss":"l7"}]',
        '["projective",{"scale":NaN}]',
        '["lp",7]',
    ],
)
def test_a_pin_that_makes_no_sense_is_named_and_left_out(bad):
    page = opened(pins=f'[["svd",{{"j":7}}],{bad}]')
    assert page.session_state["pins"] == [SVD(j=7)]
    assert any("cannot be used and was left out" in warning.value for warning in page.warning)


IDEAL = {"ideal Gaussian coder", "ideal, with row classes"}


def test_the_ideal_coder_is_drawn_under_the_points_and_told_at_the_budget():
    page = opened(budget_ratio="12")
    assert names_of(page) >= IDEAL
    bound = compress.gaussian_bound(compress.load_matrix("toy"))
    assert any(f"At ratio 12 the ideal Gaussian coder has an error of {bound.error(12):#.3g}," in text for text in said(page))
    line = next(trace for trace in traces(page) if trace.get("name") == "ideal Gaussian coder")
    n_bytes, errors = (np.frombuffer(base64.b64decode(line[axis]["bdata"])) for axis in "xy")
    assert errors == pytest.approx(bound.error(360_000 / n_bytes))


def test_no_bound_is_drawn_for_what_it_is_not_about():
    assert not names_of(opened(error_measure="ℓ1 error")) & IDEAL


def test_weighted_rows_are_measured_by_weighted_error_at_first_and_the_table_has_both():
    page = opened(weights="order:0.3", budget_ratio="12")
    matrix = compress.load_matrix("toy", weights="order:0.3")
    assert drawn(page)[0]["layout"]["yaxis"]["title"]["text"] == "weighted error"
    label = next(label for label in cards(page) if label.startswith("SVD"))
    j, precision = (part.strip() for part in label.split(",")[1:])
    method = SVD(j=int(j.removeprefix("j = ")), factor_bits={"int4": 4, "int8": 8, "float16": 16}[precision])
    assert float(cards(page)[label].value) == pytest.approx(compress.evaluate(matrix, method.fit(matrix)).weighted_error, rel=0.1)
    assert any(f"{compress.gaussian_bound(matrix).error(12):#.3g}" in text for text in said(page))
    page.session_state["picked"] = ["int8 by row"]
    page.run()
    shown = compress.evaluate(matrix, compress.Int8().fit(matrix))
    row = page.dataframe[0].value.iloc[0]
    assert (row["error"], row["beside"]) == pytest.approx((shown.weighted_error, shown.relative_error))


def test_plain_error_of_weighted_rows_is_theirs_too():
    page = opened(weights="order:1", weighted_measure="relative error")
    matrix = compress.load_matrix("toy", weights="order:1")
    marked = [trace for trace in traces(page) if trace.get("customdata") and trace["mode"] != "lines"]
    points = {point[0]: y for trace in marked for point, y in errors_of(trace)}
    shown = compress.evaluate(matrix, SVD(j=9).fit(matrix))
    assert points[describe(SVD(j=9))] == pytest.approx(shown.relative_error, rel=0.02)
    assert shown.relative_error != pytest.approx(shown.weighted_error, rel=0.02)
    assert names_of(page) >= IDEAL


@pytest.mark.parametrize("name", [name for name, method in compress.METHODS.items() if method.knob and name != "svd"])
def test_the_sweep_offers_every_method_that_has_sizes(name):
    page = opened()
    page.session_state["sweep_method"] = name
    page.run()
    assert not page.exception
    label = compress.METHODS[name].label
    assert any(button.label.startswith(f"Fit {label} at ") for button in page.button)


def advised(page, methods=("svd", "projective", "int8")):
    page.session_state["advice_methods"] = list(methods)
    page.run()
    page.button(key="advise").click().run()
    page.session_state["jobs"]["advise"].wait(120)
    page.run()
    assert not page.exception and page.session_state["jobs"]["advise"].error is None
    return page


def test_advice_has_a_card_a_table_and_points_on_the_chart(cache):
    page = advised(opened())
    found = compress.advise(compress.load_matrix("toy"), max_bytes=360_000 / 25, methods=["svd", "projective", "int8"])
    said = next(markdown.value for markdown in page.markdown if markdown.value.startswith(f"**{describe(found.best.method)}**"))
    assert f"{found.best.figures['relative_error']:.3g}".replace(".", "\\.") in said
    assert cards(page)["Relative error"].delta.endswith("over 3 seeds")
    assert float(cards(page)["Relative error"].value) == pytest.approx(found.best.figures["relative_error"], rel=0.01)
    table = page.dataframe[-1].value
    assert list(table["setting"]) == [describe(trial.method) for trial in (found.best, *found.runners_up)]
    assert any(caption.value.startswith("Out of reach: int8 by row, no smaller than ") for caption in page.caption)
    assert "k subspaces" in names_of(page)
    page.button(key="pin_advice").click().run()
    assert page.session_state["pins"] == [found.best.method]
    page.button(key="open_advice").click().run()
    assert page.session_state["flat_j"] == found.best.method.j


def test_advice_within_an_error_and_a_cosine(cache):
    page = opened()
    for target, key, figure in (("Error", "advice_error", "relative_error"), ("Cosine", "advice_cosine", "mean_cosine")):
        page.session_state["advice_target"] = target
        page.run()
        limit = page.number_input(key=key).value
        advised(page, ["svd"])
        row = page.session_state["jobs"]["advise"].events[-1]["advice"]
        assert row[figure] <= limit if target == "Error" else row[figure] >= limit


def test_advice_is_for_what_was_typed_just_before_the_click(cache):
    page = opened()
    page.session_state["advice_target"], page.session_state["advice_methods"] = "Error", ["svd"]
    page.run()
    page.number_input(key="advice_error").set_value(0.3)
    page.button(key="advise").click().run()
    job = page.session_state["jobs"]["advise"]
    job.wait(120)
    assert job.events[-1]["advice"]["asked"] == {"max_error": 0.3}


@pytest.mark.parametrize("n, unit, value", [(5, "bytes", 2.4), (3000, "KB", 1.44)])
def test_the_size_is_asked_in_a_unit_that_suits_the_matrix(tmp_path, n, unit, value):
    box = opened(small_matrix(tmp_path, n, 3)).number_input[0]
    assert (box.label, box.value) == (f"At most … {unit}", pytest.approx(value))


EARLY = "From what is fitted so far; Advise fits what is missing for just this."


def test_advice_is_there_at_once_from_what_is_known_and_gives_way_to_that_of_the_job(cache):
    method = ProjectiveClustering(k=4, j=4, restarts=2, factor_bits=4)
    (trial,) = run(compress.load_matrix("toy"), [method], Trials(cache / "trials" / "trials.sqlite"))
    page = opened()
    page.session_state["advice_methods"] = ["svd", "projective", "int8"]
    page.run()
    table = page.dataframe[-1].value
    assert EARLY in said(page) and table["setting"][0] == describe(method) and table["setting"][1].startswith("SVD")
    assert table["relative error"][0] == pytest.approx(trial.figures["relative_error"])
    assert table["bytes"].max() <= 360_000 / 25
    page = advised(page)
    assert EARLY not in said(page) and page.dataframe[-1].value["relative error"][0] <= table["relative error"][0]


def test_advice_is_for_the_weights_in_use_and_for_what_is_asked_now(cache):
    page = advised(opened(), ["svd"])
    assert EARLY not in said(page) and "Mean cosine" in cards(page)
    page.session_state["weights"] = ("order:1", ("toy", None))
    page.run()
    assert EARLY in said(page) and "Weighted error" in cards(page)
    page.session_state["weights"] = ("uniform", ("toy", None))
    assert EARLY not in said(page.run())
    page.session_state["advice_target"] = "Error"
    assert EARLY in said(page.run()) and float(cards(page)["Relative error"].value) <= 0.1


def test_advice_out_of_reach_is_said_in_a_sentence(cache):
    page = opened()
    page.session_state["advice_target"], page.session_state["advice_methods"] = "Error", ["int4"]
    page.session_state["advice_error"] = 1e-5
    page.run()
    page.button(key="advise").click().run()
    page.session_state["jobs"]["advise"].wait(120)
    page.run()
    assert any("int4 by row comes nearest" in error.value.replace("\\", "") for error in page.error)


def test_no_method_is_asked_in_words():
    page = opened()
    page.session_state["advice_methods"] = []
    page.run()
    assert page.button(key="advise").disabled
    assert any(caption.value == "Choose at least one method." for caption in page.caption)


def caught(page, name, fits):
    """The page once the job of that name was stopped by its button, after so many steps that tell of a fit."""
    job = page.session_state["jobs"][name]
    while sum("setting" in event for event in job.events) < fits and job.running:
        time.sleep(0.001)
    page.button(key=f"stop_{name}").click().run()
    job.wait(60)
    return page.run()


def fits_in(cache):
    """Every fit that is kept, in the order it was made: one that is made again has another place."""
    with closing(sqlite3.connect(cache / "trials" / "trials.sqlite")) as file:
        return file.execute("SELECT rowid, digest, method, settings FROM trials ORDER BY rowid").fetchall()


def test_a_stopped_sweep_says_what_is_kept_and_goes_on_without_fitting_it_again(cache):
    page = opened()
    next(button for button in page.button if button.label.startswith("Fit k subspaces at ")).click().run()
    page = caught(page, "sweep", 2)
    before, of = fits_in(cache), page.session_state["jobs"]["sweep"].events[0]["of"]
    said = " ".join(caption.value for caption in page.caption)
    kept = re.search(rf"Sweep stopped\. Kept: (\d+) of {of} settings\.", said)
    assert 2 <= int(kept[1]) <= len(before) < of
    caught(page.button(key="go_on_sweep").click().run(), "sweep", len(before) + 1)
    after = fits_in(cache)
    assert after[: len(before)] == before and len(after) > len(before)


def test_stopped_advice_says_what_is_kept_and_goes_on_without_fitting_it_again(cache):
    page = opened()
    page.session_state["advice_methods"] = ["svd", "projective", "light_token"]
    page.run().button(key="advise").click().run()
    page = caught(page, "advise", 4)
    before = fits_in(cache)
    (said,) = [caption.value for caption in page.caption if caption.value.startswith("Advice stopped. Kept: ")]
    assert 0 < int(said.split()[3]) <= len(before) and "advice_cards" not in {button.key for button in page.button}
    caught(page.button(key="go_on_advise").click().run(), "advise", 1)
    after = fits_in(cache)
    assert after[: len(before)] == before and len(after) > len(before)


def test_advice_beside_a_model_says_that_it_was_not_asked_and_asks_it(cache, llama, tmp_path, finish):
    llama.network.save_pretrained(tmp_path / "model")
    page = advised(opened(tmp_path / "model"), ["svd", "int4"])

    def said():
        return [caption.value.replace("\\", "") for caption in page.caption if "not asked" in caption.value]

    assert said()[0].startswith("The model was not asked what it loses with it: Perplexity needs a tokenizer")
    assert "ask" not in {button.key for button in page.button}
    page.button_group(key="advise_text").set_value("Upload").run()
    page.file_uploader(key="advise_upload").set_value(("ids.json", b"[[1, 2, 3, 4], [5, 6, 7]]", "application/json")).run()
    assert said() == ["The model was not asked what it loses with it."]
    page.button(key="ask").click().run()
    assert cards(page)["Mean cosine"]  # the answer stays while the model is asked
    page = finish(page, "advise")
    row = page.session_state["jobs"]["advise"].events[-1]["advice"]
    (told,) = [each.value.replace("\\", "") for each in page.markdown if each.value.startswith("**The model:**")]
    assert told == f"**The model:** {row['judgement']['words']}." and "tokens of ids.json" in told
    assert not said() and "ask" not in {button.key for button in page.button}
    page = advised(page, ["svd", "int4"])  # asked for again, it comes with what is known of it
    assert any(each.value.startswith("**The model:** Perplexity") for each in page.markdown) and not said()


def test_advice_until_the_model_loses_too_much_shows_its_figure_and_what_it_took(cache, llama, tmp_path, finish):
    llama.network.save_pretrained(tmp_path / "model")
    page = opened(tmp_path / "model")
    page.session_state["advice_target"], page.session_state["advice_methods"] = "Model", ["trellis", "int8"]
    page.run()
    assert any("needs a tokenizer, and the model has none" in caption.value for caption in page.caption)
    assert page.number_input(key="advice_recall@10").value == 0.95  # what needs no text is there
    page.button_group(key="advise_text").set_value("Upload").run()
    assert page.button(key="advise").disabled
    ids = json.dumps([[1, 2, 3, 4, 9, 30], [5, 6, 7, 11, 12]]).encode()
    page.file_uploader(key="advise_upload").set_value(("ids.json", ids, "application/json")).run()
    assert page.number_input(key="advice_kl").label == "At most … nats"
    page.number_input(key="advice_kl").set_value(0.05).run()
    page.button(key="advise").click().run()
    page = finish(page, "advise")
    row = page.session_state["jobs"]["advise"].events[-1]["advice"]
    assert row["asked"] == {"until": "kl <= 0.05"} and 0 < row["judged KL"] <= 0.05
    assert float(cards(page)["KL"].value) == pytest.approx(row["judged KL"], rel=1e-3)
    assert list(page.dataframe[-1].value["KL"]) == [row["judged KL"], *(other["judged KL"] for other in row["runners_up"])]
    assert any(caption.value.startswith("The model was asked about ") for caption in page.caption)
    assert not any("not asked" in caption.value for caption in page.caption)


def test_recall_is_asked_of_a_matrix_without_a_model(cache):
    page = opened()
    assert page.button_group(key="advice_target").options == ["Size", "Error", "Cosine", "Recall"]
    page.session_state["advice_target"] = "Recall"
    page = advised(page.run(), ["int8", "int4"])
    row = page.session_state["jobs"]["advise"].events[-1]["advice"]
    assert row["asked"] == {"until": "recall@10 >= 0.95"} and row["method"] == "int8" and "int4" in row["out_of_reach"]


def test_advice_on_a_matrix_without_a_model_speaks_of_none(cache):
    page = advised(opened(), ["svd"])
    assert not any(each.value.startswith(("The model was not", "**The model")) for each in [*page.caption, *page.markdown])
    assert "ask" not in {button.key for button in page.button}


def test_a_survey_begins_by_itself_shows_its_points_says_what_is_kept_and_is_there_at_once_for_the_demo(cache, monkeypatch):
    monkeypatch.setattr("pages.parts.work.ahead.ON", True)
    page = opened()
    job = page.session_state["jobs"]["survey"]
    while job.running and not any(event.get("done") for event in job.events):
        time.sleep(0.01)
    page = caught(page, "survey", 0)
    assert re.search(r"All methods stopped\. Kept: \d+ of \d+ sizes\.", " ".join(said(page)))
    assert names_of(page) & {compress.METHODS[name].label for name in SURVEYED}
    page = opened("demo")
    assert "survey" not in page.session_state["jobs"]
    assert names_of(page) >= {compress.METHODS[name].label for name in SURVEYED} and len(told(page, "figures")[0]["cards"]) >= 8
