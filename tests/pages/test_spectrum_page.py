import numpy as np
import pytest

import compress
from compress.form.metrics import error_text
from compress.methods import SVD
from pages.parts.cards import bytes_text
from tests.pages.drawn import drawn, moved, shown_cards, stands


def test_the_cards_show_what_a_fit_of_that_rank_gives(open_page, figures):
    shown = figures(open_page("spectrum", j=7))
    matrix = compress.load_matrix("toy")
    fit = SVD(j=7).fit(matrix)
    evaluation = compress.evaluate(matrix, fit)
    assert shown["Relative error"] == error_text(evaluation.relative_error)
    assert shown["Size"] == bytes_text(fit.n_bytes)
    assert shown["Ratio"] == f"{fit.ratio:.3g} ×"
    values = np.linalg.svd(matrix.values, compute_uv=False)
    shares = values / values.sum()
    assert shown["Effective rank"] == f"{np.exp(-(shares * np.log(shares)).sum()):.3g}"


def test_a_table_that_its_file_keeps_in_fewer_bits_is_compared_with_the_file_too(open_page, tmp_path):
    path = tmp_path / "half.npy"
    np.save(path, compress.load_matrix("toy").values.astype(np.float16))
    (ratio,) = (card for card in shown_cards(open_page("spectrum", j=7, matrix=path)) if card.label == "Ratio")
    against = compress.load_matrix(path).n_bytes / 2 / SVD(j=7).size(3000, 30)
    assert (ratio.value, ratio.delta) == (f"{2 * against:.3g} ×", f"{against:.3g} × against the file")


@pytest.mark.parametrize("bits, name", [(8, "int8"), (4, "int4")])
def test_the_error_of_rounded_factors_is_that_of_a_fit(open_page, figures, bits, name):
    page = open_page("spectrum", j=7, precision=name)
    matrix = compress.load_matrix("toy")
    fit = SVD(j=7, factor_bits=bits).fit(matrix)
    assert float(figures(page)["Relative error"]) == pytest.approx(compress.evaluate(matrix, fit).relative_error, abs=2e-3)
    assert figures(page)["Size"] == bytes_text(fit.n_bytes)


def test_moving_j_changes_every_figure_but_the_effective_rank(open_page, figures):
    page = open_page("spectrum", j=3)
    before = figures(page)
    moved(page, "j", 9)
    changed = {name for name, value in figures(page).items() if value != before[name]}
    assert changed == {"Kept energy", "Relative error", "Size", "Ratio"}


def test_a_second_matrix_is_laid_over_the_first(open_page):
    page = open_page("spectrum")
    page.selectbox(key="compare").set_value("random").run()
    assert not page.exception
    assert "random" in str(drawn(page)[0])


def test_a_second_matrix_that_cannot_be_opened_is_named_and_the_first_stays(open_page, figures, errors):
    page = open_page("spectrum", j=4)
    before = figures(page)
    page.selectbox(key="compare").set_value("path").run()
    page.text_input(key="compare_path").set_value("/no/such/table.npy").run()
    assert "nothing at /no/such/table.npy" in errors(page)[0]
    assert figures(page) == before


@pytest.mark.parametrize("junk, j", [("banana", 3), ("1e9", 3), ("", 3), ("<b>7</b>", 3), ("-3", 1), ("0", 1), ("999", 30)])
def test_junk_in_the_address_leaves_the_default_and_a_number_the_nearest_that_is_allowed(open_page, junk, j):
    page = open_page("spectrum", j=junk, precision=junk, log=junk)
    assert not page.exception and stands(page, "j") == j


def test_a_pin_stays_and_can_be_taken_out(open_page):
    page = open_page("app", j=5)
    page.button(key="pin_spectrum").click().run()
    assert page.session_state["pins"] == [SVD(j=5)]
    page.button(key="unpin_0").click().run()
    assert page.session_state["pins"] == []


@pytest.mark.parametrize(
    "pins, words",
    [
        ("{", "cut short or changed"),
        ('[["svd",{"j":"x"}]]', "j must be a whole number"),
        ('[["nope",{}]]', "cannot be used"),
        ('[["svd",{"nope":1}]]', "cannot be used"),
        ("7", "cannot be used"),
    ],
)
def test_pins_that_make_no_sense_are_left_out_with_a_word(open_page, pins, words):
    page = open_page("app", pins=pins)
    assert not page.exception
    assert any(words in warning.value for warning in page.warning)
    assert page.session_state["pins"] == []


def test_a_file_that_changes_while_a_page_reads_it_is_said_in_one_sentence(open_page, errors, monkeypatch):
    def changed(matrix):
        raise compress.InputError("table.npy has changed since it was opened; open it again.")

    monkeypatch.setattr("pages.parts.cached.spectrum_of", changed)
    page = open_page("app")
    assert errors(page) == ["table.npy has changed since it was opened; open it again."] and not page.exception
