import json
import re

import numpy as np
import pytest

import compress
from compress import ProjectiveClustering
from compress.analysis import code_preview
from compress.files import bytes_text
from compress.form.metrics import error_text
from compress.methods import LightToken
from compress.methods.light_token import prefixes
from compress.tuning.sweep import Trial
from pages.parts.fits import fit_path
from pages.parts.hash_codes import answers, fits
from pages.parts.hash_codes.answers import LENGTHS
from pages.parts.hash_codes.fits import preview, preview_path
from pages.parts.kept import trials
from pages.parts.pins import describe, from_link, to_link
from pages.parts.screens import SCREENS
from pages.parts.work.queue import Queue
from tests.pages.drawn import charts, moved, shown_cards, stands, told

SMALL = {"hash_bits": 32}


@pytest.fixture
def opened(open_page, monkeypatch):
    """`opened(…)` opens the page and ends its job, which the test does not wait for. Nothing is made ahead."""
    monkeypatch.setattr(answers, "ahead", lambda matrix, table, **settings: None)
    pages = []

    def run(**address):
        pages.append(open_page("hash_codes", **{**SMALL, **address}))
        return pages[-1]

    yield run
    for page in pages:
        for job in page.session_state["jobs"].values() if "jobs" in page.session_state else []:
            job.kill()


def captions(page):
    return " ".join(caption.value for caption in page.caption)


def used(page):
    """What is said of the bits that are used."""
    return next(each["text"] for each in told(page, "sentence") if each["key"] == "bits_used")


def drawn(page, key):
    """The traces of a chart of the page."""
    return next(json.loads(chart["figure"])["data"] for chart in charts(page) if chart["key"] == key)


def kept(method):
    """Leaves a fit on disk where a job would."""
    matrix = compress.load_matrix("toy")
    result = method.fit(matrix)
    result.save(fit_path(matrix.digest, method))
    return matrix, result


def see(page, tab):
    page.session_state["hash_panel"] = tab
    return page.run()


@pytest.fixture
def sampled(monkeypatch):
    """Previews are made of 2,000 rows, as if the full fit took long."""
    monkeypatch.setattr(code_preview, "WHOLE", {"refined": 0.0, "paper": 0.0})
    monkeypatch.setattr(code_preview, "ROWS", (2000, 2000))
    preview.clear()
    yield
    preview.clear()


def test_the_first_visit_shows_a_preview_of_the_full_fit_and_says_so(opened, figures):
    page = opened(hash_bits=256)
    cards = figures(page)
    assert not page.exception and "**Preview** after" in captions(page) and "± two standard errors" in captions(page)
    error = next(metric for metric in shown_cards(page) if metric.label == "Relative error")
    assert re.fullmatch(r"≈ [\d.e-]+", error.value) and re.fullmatch(r"± [\d.e-]+", error.delta)
    assert cards["Mean cosine"].startswith("≈ ")
    size = LightToken(bits=256).size(3000, 30)
    assert cards["Size"] == bytes_text(size) and cards["Bits a row"] == f"{8 * size / 3000:.4g}"


def test_in_a_crowd_a_preview_takes_a_quarter_of_the_work(opened, monkeypatch):
    asked = []
    monkeypatch.setattr(Queue, "crowded", True)
    monkeypatch.setattr(fits, "code_preview", lambda *given, patience: asked.append(patience) or code_preview.code_preview(*given))
    preview.clear()
    page = opened(hash_bits=256)
    assert asked == [fits.IN_CROWD] and "**Preview** after" in captions(page)


def test_a_preview_of_some_rows_is_compared_with_nothing_that_all_rows_have(opened, tmp_path, monkeypatch):
    monkeypatch.setattr(code_preview, "WHOLE", {"refined": 0.0, "paper": 0.0})
    monkeypatch.setattr(code_preview, "ROWS", (2000, 2000))
    figures = {"relative_error": 0.3, "weighted_error": 0.3, "mean_cosine": 0.8, "n_bytes": 10_000}
    trials().keep(compress.load_matrix("toy").key, Trial(ProjectiveClustering(k=2, j=2), figures))
    page = opened(hash_stages=2)
    assert "from 2,000 of 3,000 rows, 700 of them held out" in captions(page) and "among its 2,000 rows only" in captions(page)
    svd = next(metric for metric in shown_cards(page) if metric.label.startswith("SVD at the same bytes"))
    assert "error here" not in svd.delta
    assert re.match(r"32 bits: relative error ≈ [\d.]+ ± [\d.]+, mean cosine ≈ [\d.]+ ± [\d.]+", used(page))
    assert [trace["name"] for trace in drawn(page, "against_bits")] == [LENGTHS, "LightToken"]
    kept(LightToken(bits=32, stages=2))
    page.run()
    assert (
        "Full fit" in captions(page) and "≈" not in captions(page) and not any("≈" in metric.value for metric in shown_cards(page))
    )
    assert {LENGTHS, "LightToken", "k subspaces"} < {trace["name"] for trace in drawn(page, "against_bits")} and not page.exception


def answer(page, dial, value):
    """The cards, by label and value, and the sentence that the dial has for a value."""
    table = next(each for each in told(page, "answers") if each["key"] == dial)
    row, words = table["values"].index(value), table["words"]
    cards = table["figures"]["cards"][row]  # five words each, the label and the value first
    return {words[label]: words[value] for label, value in zip(cards[::5], cards[1::5], strict=True)}, words[
        table["sentences"]["bits_used"][row]
    ]


@pytest.mark.parametrize("dial, value, near", [("hash_bits", 40, (24, 48)), ("hash_rank", 2, (1, 3))])
def test_a_dial_that_is_let_go_shows_what_it_told_until_there_are_codes(opened, sampled, figures, monkeypatch, dial, value, near):
    monkeypatch.setattr(fits, "AT_ONCE", 0.0)
    page, table = opened(), {"bits": np.array([32, 32]), "rank": np.array([0, 0]), dial.removeprefix("hash_"): np.array(near)}
    table |= {name: np.array([[0.12, 0.001], [0.08, 0.001]]) for name in code_preview.FIGURES}
    monkeypatch.setattr(answers, "ahead", lambda matrix, name, **settings: table)
    page.run()
    before, (far, words) = answer(page, dial, value), answer(page, dial, 8)
    assert far["Relative error"] == far["Mean cosine"] == "…" != far["Size"] and "relative error …, mean cosine …" in words
    assert len(next(each for each in told(page, "answers") if each["key"] == dial)["values"]) > 20
    moved(page, dial, value)
    assert "**Estimate** from 3 settings" in captions(page) and (figures(page), used(page)) == before
    assert "Still of the code before: LightToken, 32 bits" in captions(page) and not page.exception
    assert before[0]["Relative error"].startswith("≈") and stands(page, dial) == value

    matrix, method = compress.load_matrix("toy"), LightToken(**{"bits": 32, dial.removeprefix("hash_"): value})
    told_now = code_preview.code_preview(matrix, method, patience=code_preview.PATIENT)
    told_now.result.save(preview_path(matrix, method))  # as the job of the full fit does
    page.run()
    error = code_preview.expected(told_now)["relative_error"]
    assert "**Preview** from 2,000" in captions(page) and "Still of" not in captions(page)
    assert figures(page)["Relative error"] == error_text(error.value, True)
    assert answer(page, dial, value)[0] == figures(page)


def test_codes_that_are_trained_otherwise_are_told_with_more_left_open(opened, sampled, figures, monkeypatch):
    monkeypatch.setattr(fits, "AT_ONCE", 0.0)
    page = opened(hash_solver="Paper", hash_epochs=2)
    before = figures(page)
    page.slider(key="hash_epochs").set_value(3).run()
    assert "**Estimate** from one setting" in captions(page) and not page.exception
    shown = next(card for card in shown_cards(page) if card.label == "Relative error")
    assert shown.value.removeprefix("≈ ") == before["Relative error"].removeprefix("≈ ")
    assert float(shown.delta.removeprefix("± ")) >= 0.15 * float(shown.value.removeprefix("≈ "))


def test_what_was_made_ahead_and_what_was_fitted_elsewhere_is_known(opened, figures, monkeypatch):
    table = {"bits": np.array([64]), "rank": np.array([1])}
    table |= {name: np.array([[value, 0.01]]) for name, value in zip(code_preview.FIGURES, (0.05, 0.05, 0.97), strict=True)}
    fit = {"relative_error": 0.07, "weighted_error": 0.07, "mean_cosine": 0.96, "n_bytes": 24_000}
    trials().keep(compress.load_matrix("toy").key, Trial(LightToken(bits=56), fit))
    asked = []
    monkeypatch.setattr(answers, "ahead", lambda matrix, name, **settings: asked.append((name, settings)) or table)
    page = opened(hash_rank=1, hash_stages=2)
    assert answer(page, "hash_bits", 64)[0]["Relative error"] == "≈ 0.0500"
    page = opened()
    assert answer(page, "hash_bits", 56)[0]["Relative error"] == "0.0700"
    assert ("codes", {"stages": 2, "loss": "euclidean", "solver": "refined"}) in asked


def test_of_a_small_matrix_the_preview_tells_what_the_full_fit_then_has(opened, jobs_within, finish, figures):
    page = opened()
    told = figures(page)
    full = figures(finish(page))
    for figure in ("Relative error", "Mean cosine", "Size", "Bits a row"):
        assert told[figure] == full[figure]


def test_the_full_fit_follows(opened, finish, figures):
    page = opened()
    method = LightToken(bits=32)
    matrix = compress.load_matrix("toy")
    page = finish(page)
    assert fit_path(matrix.digest, method).exists()
    found = compress.evaluate(matrix, method.fit(matrix))
    assert "Full fit over all rows" in captions(page) and not page.exception
    assert figures(page)["Relative error"] == error_text(found.relative_error)
    assert figures(page)["Mean cosine"] == f"{found.mean_cosine:.3f}"


@pytest.mark.parametrize(
    "address, method",
    [
        ({"hash_rank": 2, "hash_stages": 2}, LightToken(rank=2, bits=32, stages=2)),
        ({"hash_loss": "Direction"}, LightToken(bits=32, loss="direction")),
        ({"hash_temperature": 0.3, "hash_epochs": 2}, LightToken(bits=32)),
        (
            {"hash_solver": "Paper", "hash_temperature": 0.3, "hash_epochs": 2},
            LightToken(bits=32, solver="paper", temperature=0.3, epochs=2),
        ),
    ],
    ids=str,
)
def test_the_controls_make_the_setting_that_is_pinned(opened, address, method):
    page = opened(**address)
    page.button(key="pin_hash").click().run()
    assert page.session_state["pins"] == [method] and not page.exception


@pytest.mark.parametrize("ratio", [25, 103])
def test_the_buttons_take_the_most_bits_that_reach_a_ratio(opened, ratio):
    page = opened(hash_rank=3, hash_stages=4)
    button = page.button(key=f"hash_at_{ratio}")
    fitting = [bits for bits in range(8, 513, 8) if LightToken(bits=bits).size(3000, 30) * ratio <= 3000 * 30 * 4]
    if not fitting:
        assert button.disabled
        return
    button.click().run()
    assert stands(page, "hash_bits") == max(fitting) and stands(page, "hash_rank") == 0
    assert page.segmented_control(key="hash_stages").value == "1" and not page.exception


def test_every_prefix_of_stages_has_its_own_figures(opened):
    method = LightToken(bits=32, stages=4)
    matrix, result = kept(method)
    page = opened(hash_stages=4)
    for bits, part in zip([8, 16, 24, 32], prefixes(matrix, result), strict=True):
        page.select_slider(key="hash_used").set_value(bits).run()
        error = error_text(compress.evaluate(matrix, part).relative_error)
        assert used(page).startswith(f"{bits} bits: relative error {error}")
    assert not page.exception
    assert opened(hash_stages=4, hash_used=24).select_slider(key="hash_used").value == 24
    assert opened(hash_stages=4, hash_used=25).select_slider(key="hash_used").value == 32


def test_a_stopped_fit_shows_its_finished_stages_and_can_be_fitted_in_full(opened):
    method, part = LightToken(bits=32, stages=4), LightToken(bits=16, stages=2)
    matrix = compress.load_matrix("toy")
    part.fit(matrix).save(fit_path(matrix.digest, method))
    page = opened(hash_stages=4)
    assert "2 of 4 stages are finished" in captions(page) and used(page).startswith("16 bits") and not page.exception
    page.button(key="fit_hash").click().run()
    assert "Preview" in captions(page) and "fit" in page.session_state["jobs"]


def test_a_job_that_was_stopped_too_early_can_be_started_again(opened):
    page = opened(hash_bits=128)
    page.session_state["jobs"]["fit"].kill()
    page.session_state["jobs"]["fit"].wait(10)
    page.run()
    assert "stopped before its first stage" in captions(page) and not page.exception
    page.button(key="fit_hash").click().run()
    assert page.session_state["jobs"]["fit"].running


@pytest.mark.parametrize("address", [{}, {"hash_rank": 2, "hash_stages": 4}, {"hash_solver": "Paper", "hash_epochs": 2}], ids=str)
@pytest.mark.parametrize("tab", ["Bits", "Hamming distance", "One row"])
def test_every_panel_draws(opened, address, tab):
    page = see(opened(**address), tab)
    assert not page.exception and shown_cards(page)


def recall(matrix, result, count=10):
    """The share, over all rows, of the nearest by cosine that are among the nearest by Hamming distance; of equal distances each
    counts as often as chance takes it."""
    unit = matrix.values / np.linalg.norm(matrix.values, axis=1, keepdims=True)
    signs = 2.0 * np.unpackbits(result.arrays["codes"], axis=1, count=result.method.bits, bitorder="little") - 1
    cosine, apart = unit @ unit.T, (result.method.bits - signs @ signs.T) / 2
    np.fill_diagonal(cosine, -np.inf)
    np.fill_diagonal(apart, np.inf)
    last = np.sort(apart, axis=1)[:, count - 1 : count]
    closer, equal = apart < last, apart == last
    taken = closer + equal * (count - closer.sum(axis=1, keepdims=True)) / equal.sum(axis=1, keepdims=True)
    return np.take_along_axis(taken, np.argsort(-cosine, axis=1)[:, :count], axis=1).mean()


@pytest.mark.parametrize(
    "address, settings",
    [
        ({}, {}),
        ({"hash_rank": 2, "hash_stages": 4}, {"rank": 2, "stages": 4}),
        ({"hash_solver": "Paper", "hash_epochs": 2}, {"solver": "paper", "epochs": 2}),
    ],
    ids=str,
)
def test_recall_by_hamming_distance_is_that_of_the_codes(opened, figures, address, settings):
    matrix, result = kept(LightToken(bits=32, **settings))
    page = see(opened(**address), "Hamming distance")
    shown = float(figures(page)["Recall@10 by Hamming distance"].strip("%")) / 100
    assert shown == pytest.approx(recall(matrix, result), abs=0.02)  # a third of the rows is searched for


def test_neighbours_are_marked_kept_lost_and_gained(opened):
    page = see(opened(hash_token="flat 2 · 17"), "One row")
    before, after = (next(each.value for each in page.dataframe if name in each.value) for name in ("before", "after"))
    kept = set(before["row"]) & set(after["row"])
    assert set(before["row"][before["before"] == "✓ kept"]) == kept == set(after["row"][after["after"] == "✓ kept"])
    assert set(before["before"]) <= {"✓ kept", "✗ lost"} and set(after["after"]) <= {"✓ kept", "+ gained"}
    assert len(before) == len(after) == 10


def test_a_token_that_is_not_there_is_told(opened):
    page = see(opened(hash_token="no such token"), "One row")
    assert "No row here holds that text" in captions(page) and not page.exception


def test_the_settings_of_the_page_travel_in_the_link(opened):
    address = {
        "hash_rank": 3,
        "hash_bits": 40,
        "hash_stages": "2",
        "hash_loss": "Direction",
        "hash_solver": "Paper",
        "hash_temperature": 0.2,
        "hash_epochs": 1,
        "hash_cosine": True,
        "hash_token": "flat 1",
    }
    page = opened(**{key: str(value).lower() if value is True else value for key, value in address.items()})
    see(page, "One row")
    assert {key: page.session_state[key] for key in address} == address and set(address) <= {
        key for screen in SCREENS for key in screen.keys
    }


def test_junk_in_the_address_leaves_a_setting_that_can_be_had(opened):
    page = opened(
        hash_rank="-4",
        hash_bits="13",
        hash_stages="7",
        hash_loss="taste",
        hash_solver="magic",
        hash_temperature="9",
        hash_cosine="x",
    )
    assert not page.exception and shown_cards(page)


def test_odd_matrices_draw(opened, odd_matrix):
    page = opened(matrix=odd_matrix)
    assert not page.exception and shown_cards(page)
    for tab in ("Hamming distance", "One row"):
        assert not see(page, tab).exception


def test_a_setting_is_told_in_a_few_words_and_comes_back_from_the_link():
    assert describe(LightToken()) == "LightToken, 384 bits, 1 stage, rank 0, int8"
    other = LightToken(rank=3, bits=64, stages=2, loss="direction", solver="paper", temperature=0.25, epochs=5)
    assert describe(other) == "LightToken, direction, 64 bits, 2 stages, rank 3, int8, paper solver, temperature 0.25, epochs 5"
    assert from_link(to_link([LightToken(), other])) == [LightToken(), other]


@pytest.mark.parametrize("method", [LightToken(bits=16, stages=2), LightToken(bits=16, solver="paper", epochs=2)], ids=str)
def test_the_progress_of_a_fit_is_told_step_by_step(method):
    told = []
    method.fit(compress.load_matrix("toy"), told.append)
    shares = [step.share for step in told]
    assert shares == sorted(shares) and shares[-1] <= 1 and all("stage" in step.words for step in told)


def test_a_low_rank_part_that_holds_all_leaves_nothing_to_the_bits(opened, figures):
    page = opened(hash_rank=30, hash_bits=32)
    assert not page.exception and float(figures(page)["Relative error"].removeprefix("≈ ")) < 1e-3
