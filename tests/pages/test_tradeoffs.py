"""Trade-offs: what is there at once, what a sweep adds, what a link may hold."""

import base64
import json
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

import compress
from compress import SVD, LpLowRank, ProjectiveClustering
from compress.sweep import Trials, run
from pages.parts.pins import describe

PAGE = Path(__file__).parents[2] / "pages" / "tradeoffs.py"
pytestmark = pytest.mark.usefixtures("cache")


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
    return {metric.label: metric for metric in page.metric}


def traces(page):
    return json.loads(page.get("plotly_chart")[0].proto.spec)["data"]


def test_svd_and_rounding_are_there_before_any_sweep():
    page = opened()
    names = {trace.get("name") for trace in traces(page)}
    assert {"front", "SVD", "int8 by row", "int4 by row"} <= names
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
    assert "k subspaces" in {trace.get("name") for trace in traces(page)}


def test_a_larger_budget_never_has_a_larger_error():
    page = opened()
    errors = []
    for ratio in (100, 50, 25, 12, 6, 3):
        page.select_slider(key="budget_ratio").set_value(ratio).run()
        errors.append(min(float(metric.value) for metric in page.metric if metric.value != "—"))
    assert errors == sorted(errors, reverse=True)


def test_pinned_settings_have_a_numbered_ring_and_their_name():
    page = opened(pins='[["svd",{"j":7,"factor_bits":8}],["projective",{"k":3,"j":2}]]')
    rings = [trace["name"] for trace in traces(page) if trace.get("mode") == "markers+text"]
    assert rings == ["1: SVD, j = 7, int8", "2: k subspaces, k = 3, j = 2, float16, preview"]


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
    assert page.select_slider(key="budget_ratio").value == 25


@pytest.mark.parametrize("shape", [(2, 1), (2, 5), (7, 1), (5, 3)])
def test_tiny_matrices_are_shown(tmp_path, shape):
    page = opened(small_matrix(tmp_path, *shape))
    for ratio in (1, 25, 1000):
        page.select_slider(key="budget_ratio").set_value(ratio).run()
        assert not page.exception
    page.toggle(key="log_error").set_value(True).run()
    assert not page.exception


def test_no_settings_of_the_sweep_is_said_in_words():
    page = opened()
    next(group for group in page.get("button_group") if group.key == "sweep_k").set_value([]).run()
    assert not page.exception
    assert any("nothing to fit" in caption.value for caption in page.caption)


def test_the_sweep_of_the_page_fits_what_it_promises(cache):
    page = opened()
    page.session_state["sweep_k"], page.session_state["sweep_precision"] = [2], ["int4"]
    page.session_state["sweep_ratios"] = [25, 60]
    page.run()
    next(button for button in page.button if button.label == "Fit k subspaces at 2 sizes").click().run()
    page.session_state["jobs"]["sweep"].process.wait(120)
    page.run()
    assert page.session_state["jobs"]["sweep"].error is None
    assert any("Every setting of the sweep is fitted" in caption.value for caption in page.caption)
    assert len(list(Trials(cache / "trials" / "trials.sqlite").of(compress.load_matrix("toy").digest))) == 2


def test_a_sweep_of_lp_low_rank_fits_what_it_promises(cache):
    page = opened()
    page.session_state["sweep_method"], page.session_state["sweep_precision"] = "lp", ["int8"]
    page.session_state["sweep_p"], page.session_state["sweep_objective"] = [1, 1.5], ["rows", "entries"]
    page.session_state["sweep_ratios"] = [6]
    page.run()
    next(button for button in page.button if button.label == "Fit ℓp low rank at 4 sizes").click().run()
    page.session_state["jobs"]["sweep"].process.wait(120)
    page.run()
    assert page.session_state["jobs"]["sweep"].error is None
    assert any("Every setting of the sweep is fitted" in caption.value for caption in page.caption)
    found = [trial.method for trial in Trials(cache / "trials" / "trials.sqlite").of(compress.load_matrix("toy").digest)]
    assert {(method.p, method.objective) for method in found} == {(p, form) for p in (1, 1.5) for form in ("rows", "entries")}
    assert "ℓp low rank" in {trace.get("name") for trace in traces(page)}


@pytest.mark.parametrize("measure, figure", [("ℓ1 error", "l1_error"), ("median row error", "median_row_error")])
def test_every_measure_is_that_of_the_fit(cache, measure, figure):
    matrix = compress.load_matrix("toy")
    methods = [LpLowRank(j=6, p=1, objective="rows"), ProjectiveClustering(k=2, j=3, restarts=1)]
    trials = run(matrix, methods, Trials(cache / "trials" / "trials.sqlite"))
    page = opened(error_measure=measure)
    chart = json.loads(page.get("plotly_chart")[0].proto.spec)
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
    assert json.loads(page.get("plotly_chart")[0].proto.spec)["layout"]["yaxis"]["title"]["text"] == "relative error"


def test_pins_of_robust_fits_are_told_apart():
    link = [["lp", {"j": 4}], ["lp", {"j": 4, "objective": "rows"}], ["projective", {"k": 2, "j": 3, "loss": "tukey"}]]
    page = opened(pins=json.dumps(link))
    rings = [trace["name"] for trace in traces(page) if trace.get("mode") == "markers+text"]
    assert rings == [
        "1: ℓp low rank, p = 1, by entries, j = 4, float16, preview",
        "2: ℓp low rank, p = 1, by rows, j = 4, float16, preview",
        "3: k subspaces, Tukey, k = 2, j = 3, float16, preview",
    ]


def test_a_picked_robust_fit_opens_on_subspaces_as_it_was(cache):
    method = ProjectiveClustering(k=2, j=3, loss="huber", scale=0.5, restarts=1)
    run(compress.load_matrix("toy"), [method], Trials(cache / "trials" / "trials.sqlite"))
    page = opened()
    page.session_state["picked"] = [describe(method)]
    page.run()
    page.button(key="open_picked").click().run()
    assert (page.session_state["flat_loss"], page.session_state["flat_scale"]) == ("Huber", 0.5)


def test_a_picked_lp_fit_opens_on_robustness_as_it_was(cache):
    method = LpLowRank(j=4, p=1.5)
    run(compress.load_matrix("toy"), [method], Trials(cache / "trials" / "trials.sqlite"))
    page = opened()
    page.session_state["picked"] = [describe(method)]
    page.run()
    page.button(key="open_picked").click().run()
    held = [page.session_state[key] for key in ("robust_j", "robust_loss", "robust_p", "robust_objective")]
    assert held == [4, "ℓp", 1.5, "Entries"]


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
