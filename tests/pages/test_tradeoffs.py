"""Trade-offs: what is there at once, what a sweep adds, what a link may hold."""

import json
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

import compress
from compress import SVD, ProjectiveClustering
from compress.sweep import Trials, run

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
    page.get("button_group")[0].set_value([]).run()
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
