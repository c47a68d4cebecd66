import numpy as np
import pytest

import compress
from compress import LpLowRank, ProjectiveClustering
from compress.analysis.outliers import plant
from compress.form.metrics import error_text
from pages.parts.fits import fit_path
from pages.parts.screens import SCREENS
from pages.parts.work.queue import QUEUE, Queue
from tests.pages.drawn import moved, shown_cards, stands, told


@pytest.fixture
def opened(open_page):
    """`opened(…)` opens the page and ends its job, which the test does not wait for."""
    pages = []

    def run(**address):
        pages.append(open_page("robustness", **address))
        return pages[-1]

    yield run
    for page in pages:
        for job in page.session_state["jobs"].values() if "jobs" in page.session_state else []:
            job.stop()


@pytest.fixture
def following(monkeypatch):
    """What follows once the page is still comes with the page."""
    monkeypatch.setattr("pages.parts.dial.still.once_still", lambda draw, key: draw())


def captions(page):
    return " ".join(caption.value for caption in page.caption)


def number(text):
    return float(text.strip("≈° "))


def test_what_is_below_planted_rows_keeps_its_place(opened):
    """Elsewhere the browser would draw it anew."""
    places = [
        [at for at, each in opened(robust_j=4, robust_p=2.0, **planted).main.children.items() if "robust_log" in str(each)]
        for planted in ({}, {"planted": 5})
    ]
    assert places[0] and places[0] == places[1]


@pytest.mark.parametrize("objective", ["Rows", "Entries"])
def test_at_p_2_the_figures_are_those_of_svd(opened, figures, objective):
    page = opened(robust_p=2.0, robust_j=4, robust_objective=objective)
    cards = figures(page)
    for label in ("ℓ1 error", "Relative error", "Median row's error"):
        assert cards[label] == cards[f"{label}, SVD"]
    assert not page.exception and "p = 2 is SVD" in captions(page) and "Every row has the residual" in captions(page)


def test_below_p_2_the_l1_error_falls_and_the_squared_one_does_not(opened, figures):
    page = opened(robust_j=4, robust_objective="Entries")
    cards = figures(page)
    assert cards["ℓ1 error"].startswith("≈ ") and not cards["ℓ1 error, SVD"].startswith("≈")
    assert number(cards["ℓ1 error"]) < number(cards["ℓ1 error, SVD"])
    assert number(cards["Relative error"]) >= number(cards["Relative error, SVD"])
    assert "Preview" in captions(page)


@pytest.mark.parametrize("address", [{"robust_loss": "ℓp"}, {"robust_loss": "Tukey"}])
def test_planted_rows_swing_svd_and_leave_the_robust_fit(opened, figures, address):
    page = opened(robust_j=3, planted=20, planted_length=20, **address)
    cards = figures(page)
    found = {label.split(",")[0] + (" SVD" if label.endswith("SVD") else ""): value for label, value in cards.items()}
    assert number(found["Other rows SVD"]) > 1.15 * number(found["Other rows"])
    assert number(found["Turned SVD"]) > 40 and number(found["Turned"]) < 15
    assert not page.exception


def test_nothing_planted_shows_no_cards_of_planted_rows(opened, figures):
    assert not any(label.startswith("Turned") for label in figures(opened(robust_j=3)))


@pytest.mark.parametrize(
    "address, method",
    [
        ({"robust_p": 1.5}, LpLowRank(j=3, p=1.5, objective="rows")),
        ({"robust_objective": "Entries"}, LpLowRank(j=3)),
        ({"robust_loss": "Welsch"}, ProjectiveClustering(k=1, j=3, loss="welsch")),
        ({"robust_loss": "Huber", "robust_scale": 0.5}, ProjectiveClustering(k=1, j=3, loss="huber", scale=0.5)),
    ],
    ids=str,
)
def test_the_full_fit_of_a_planted_matrix_follows(opened, finish, figures, cache, address, method):
    page = opened(robust_j=3, planted=5, planted_length=10, **address)
    clean = compress.load_matrix("toy")
    matrix, _ = plant(clean, 5, 10.0)
    page = finish(page)
    name = f"{clean.digest}-planted-5-10"
    assert fit_path(name, method).exists()
    assert "Full fit" in captions(page) and (cache / "planted" / name).exists()
    assert figures(page)["ℓ1 error"] == error_text(compress.evaluate(matrix, method.fit(matrix)).l1_error)


@pytest.mark.parametrize(
    "method", [LpLowRank(j=3), LpLowRank(j=3, objective="rows"), ProjectiveClustering(k=1, j=3, loss="tukey")], ids=str
)
def test_the_progress_of_a_fit_without_restarts_is_told_pass_by_pass(method):
    told = []
    method.fit(compress.load_matrix("toy"), told.append)
    shares = [step.share for step in told]
    assert shares == sorted(shares) and shares[-1] <= 1
    assert all("pass" in step.words and "cost" in step.words for step in told) and told


def test_only_the_last_planted_matrices_are_kept(opened, cache):
    page = opened(robust_j=3, planted=1)
    for count in range(2, 7):
        page = moved(page, "planted", count)
    assert len(list((cache / "planted").iterdir())) == 3


def test_an_estimated_scale_is_shown_and_a_given_one_is_used(opened, figures):
    page = opened(robust_j=3, robust_loss="Huber")
    assert "estimated from the rows" in captions(page)
    before = figures(page)["ℓ1 error"]
    page = opened(robust_j=3, robust_loss="Huber", robust_scale=0.2)
    assert page.number_input(key="robust_scale").value == 0.2
    assert "estimated from the rows" not in captions(page) and figures(page)["ℓ1 error"] != before


@pytest.mark.parametrize("loss", ["Huber", "Cauchy", "Geman–McClure", "Welsch", "Tukey"])
def test_every_loss_draws(opened, loss):
    page = opened(robust_j=2, robust_loss=loss, planted=3)
    assert not page.exception and shown_cards(page)


@pytest.mark.parametrize("objective", ["Rows", "Entries"])
def test_every_dial_answers_once_the_page_is_still(opened, following, objective):
    page = opened(robust_j=4, planted=7, robust_objective=objective)
    tables = {each["key"]: each for each in told(page, "answers")}
    assert tables.keys() == {"robust_j", "robust_p", "planted", "planted_length"}
    shown = {card["label"] for row in told(page, "figures") for card in row["cards"]}
    for each in tables.values():
        words, cards = each["words"], each["figures"]["cards"]
        assert {words[number] for number in cards[0][::5]} <= shown
        assert all(words[number].startswith("≈ ") for number in cards[0][1::5])
        assert len({tuple(row) for row in cards}) >= 20
        assert len(each["traces"]["residuals_0"]["rows"]["y"]) == len(each["values"])


def test_a_page_that_opens_waits_for_no_answers_of_its_dials(opened):
    page = opened(robust_j=4, planted=7)
    assert shown_cards(page) and not told(page, "answers") and told(page, "still")


def test_in_a_crowd_dials_have_only_the_answers_that_are_known(opened, monkeypatch):
    monkeypatch.setattr(Queue, "crowded", True)
    page = opened(robust_j=4, planted=7)
    assert shown_cards(page) and not told(page, "answers") and not told(page, "still")


def test_where_a_dial_was_let_go_the_others_answer_for_that_place(opened, following, figures, monkeypatch):
    monkeypatch.setattr("pages.parts.robustness.shown.SMALL", 0)
    monkeypatch.setattr(QUEUE, "most", 0)
    page = moved(opened(robust_j=4, robust_p=1.1, planted=3, planted_length=10), "planted", 20)
    table = next(each for each in told(page, "answers") if each["key"] == "planted_length")
    row = np.abs(np.array(table["values"]) - 30).argmin()
    cards = [table["words"][word] for word in table["figures"]["cards"][row]]
    page.session_state["planted_length"] = 30.0
    page.session_state["robust_j"] = 5
    page = moved(page.run(), "robust_j", 4)
    page.run()
    shown = figures(page)
    assert "Preview" in captions(page)
    for name in ("ℓ1 error", "Relative error"):
        assert number(cards[cards.index(name) + 1]) == pytest.approx(number(shown[name]), rel=0.05)


@pytest.mark.parametrize("dial, value", [("robust_j", 5), ("robust_p", 1.4), ("planted", 9), ("planted_length", 12.0)])
def test_a_dial_that_is_let_go_is_answered_by_its_table_and_then_by_a_fit(opened, following, figures, monkeypatch, dial, value):
    monkeypatch.setattr("pages.parts.robustness.shown.SMALL", 0)
    monkeypatch.setattr(QUEUE, "most", 0)  # the full fit does not come between
    page = opened(robust_j=4, robust_p=1.1, planted=7, planted_length=10)
    table = next(each for each in told(page, "answers") if each["key"] == dial)
    page = moved(page, dial, value)
    assert "Estimate" in captions(page) and "Still of the setting before" in captions(page) and not page.exception
    told_then = figures(page)
    words, row = table["words"], np.abs(np.array(table["values"]) - value).argmin()
    cards = [words[word] for word in table["figures"]["cards"][row]]
    assert {cards[at]: cards[at + 1] for at in range(0, len(cards), 5)}.items() <= told_then.items()
    after = next(each for each in told(page, "answers") if each["key"] == dial)
    assert after | {"traces": None} == table | {"traces": None}  # bins may be others
    page.run()
    assert "Preview" in captions(page) and "Still of" not in captions(page)
    for name in ("ℓ1 error", "Relative error"):
        assert number(figures(page)[name]) == pytest.approx(number(told_then[name]), rel=0.03)


def test_the_settings_of_the_page_travel_in_the_link(opened):
    address = {
        "robust_j": 4,
        "robust_p": 1.25,
        "robust_objective": "Entries",
        "planted": 7,
        "planted_length": 9,
        "robust_log": True,
    }
    page = opened(**{key: str(value).lower() if value is True else value for key, value in address.items()})
    assert {key: page.session_state[key] for key in address} == address
    assert set(address) | {"robust_loss", "robust_scale"} <= {key for screen in SCREENS for key in screen.keys}


def test_the_shown_setting_is_pinned(opened):
    page = opened(robust_j=4, robust_p=1.25)
    page.button(key="pin_robust").click().run()
    assert page.session_state["pins"] == [LpLowRank(j=4, p=1.25, objective="rows")]
    page.segmented_control(key="robust_loss").set_value("Cauchy").run()
    page.button(key="pin_robust").click().run()
    assert page.session_state["pins"][1] == ProjectiveClustering(k=1, j=4, loss="cauchy")


def test_rows_that_gain_and_lose_are_listed_by_token(opened):
    page = opened(robust_j=3, planted=20, planted_length=20)
    table = next(each.value for each in page.dataframe if "change" in each.value)
    assert np.allclose(table["change"], table["residual"] - table["by SVD"]) and table["change"].is_monotonic_increasing
    assert table["planted"].iloc[-1] and not table["planted"].iloc[0]


def test_leaving_out_the_worst_rows_is_computed_when_it_is_asked_for(opened):
    page = opened(robust_j=3, robust_p=1.0)
    assert "Each fit is made again" not in captions(page)
    page.session_state["influence"] = True
    page.run()
    assert not page.exception and "Each fit is made again" in captions(page)


def test_the_ellipsoid_is_found_on_a_button(opened):
    page = opened(robust_j=3, robust_p=1.9)
    page.button(key="find_ellipsoid").click().run()
    table = next(each.value for each in page.dataframe if "proved factor" in each.value)
    assert float(table["measured factor"][0]) <= table["proved factor"][0]
    assert table["proved factor"][1] == pytest.approx(30 ** (1 / 1.9 - 1 / 2))


@pytest.mark.parametrize("j", [1, 30])
def test_the_ends_of_j_draw(opened, j):
    page = opened(robust_j=j, planted=150, planted_length=50)
    page.session_state["influence"] = True
    page.run()
    assert not page.exception and shown_cards(page)


@pytest.mark.parametrize(
    "setting", [{}, {"robust_objective": "Entries"}, {"robust_loss": "Tukey"}], ids=["rows", "entries", "tukey"]
)
@pytest.mark.parametrize("count", [0, 1])
def test_odd_matrices_draw(opened, odd_matrix, setting, count):
    page = opened(matrix=odd_matrix, planted=count, **setting)
    page.session_state["influence"] = True
    page.run()
    assert not page.exception and shown_cards(page)


def test_rows_too_long_for_float32_are_refused_in_a_sentence(opened, tmp_path, errors, figures):
    np.save(tmp_path / "large.npy", np.random.default_rng(0).standard_normal((50, 4)).astype(np.float32) * 1e16)
    page = opened(matrix=tmp_path / "large.npy", planted=2, planted_length=50)
    assert not page.exception and "overflows float32" in errors(page)[0] and "ℓ1 error" in figures(page)


def test_junk_in_the_address_leaves_the_defaults(opened):
    page = opened(robust_j="many", robust_p="7", robust_loss="taste", robust_objective="x", planted="-3", robust_scale="wide")
    assert not page.exception and stands(page, "robust_p") == 1.0
