from dataclasses import replace

import numpy as np
import pytest

from compress.sources import glove
from pages.parts.say import bold
from tests.pages.drawn import stands


def test_a_file_that_cannot_be_opened_is_named_and_the_matrix_stays(open_page, figures, errors, tmp_path):
    page = open_page("app", j=5)
    before = figures(page)
    (tmp_path / "broken.npy").write_bytes(b"not an array")
    page.selectbox(key="matrix_kind").set_value("path").run()
    page.text_input(key="matrix_path").set_value(str(tmp_path / "broken.npy")).run()
    assert not page.exception
    assert any("broken.npy" in error for error in errors(page))
    assert figures(page) == before


def test_a_local_file_is_opened_and_its_settings_kept(open_page, tmp_path):
    np.save(tmp_path / "mine.npy", np.random.default_rng(0).standard_normal((50, 12)))
    page = open_page("app", j=5)
    page.selectbox(key="matrix_kind").set_value("path").run()
    page.text_input(key="matrix_path").set_value(str(tmp_path / "mine.npy")).run()
    assert page.session_state["source"] == (str(tmp_path / "mine.npy"), None)
    page.run()
    assert stands(page, "j") == 5
    assert any("50 rows × 12 columns" in caption.value for caption in page.caption)


def test_a_file_with_several_tensors_offers_them(open_page, tmp_path):
    random = np.random.default_rng(0)
    np.savez(tmp_path / "two.npz", small=random.standard_normal((8, 4)), embedding=random.standard_normal((40, 6)))
    page = open_page("app", matrix=tmp_path / "two.npz")
    picker = next(box for box in page.selectbox if box.label == "Tensor")
    assert picker.options[0].startswith("embedding")
    picker.set_value("small").run()
    page.run()
    assert any("8 rows × 4 columns" in caption.value for caption in page.caption)


def test_columns_that_were_left_out_are_named_and_put_back(open_page, tmp_path):
    rows = np.random.default_rng(0).standard_normal((30, 6))
    lines = [f"term{at},{900 + 7 * at},{','.join(map(str, row))}" for at, row in enumerate(rows.tolist())]
    (tmp_path / "words.csv").write_text("\n".join(["term,count,d0,d1,d2,d3,d4,d5", *lines]))
    page = open_page("app", matrix=tmp_path / "words.csv")
    assert any("6 columns are the matrix; left out" in caption.value and "count" in caption.value for caption in page.caption)
    picker = next(box for box in page.multiselect if box.label == "Left out")
    assert picker.value == ["count"] and picker.options == ["count", *(f"d{at}" for at in range(6))]
    picker.set_value([]).run()
    assert any("30 rows × 7 columns" in caption.value for caption in page.caption)
    page = open_page("app", matrix=tmp_path / "words.csv", left_out="count,d5")
    assert any("30 rows × 5 columns" in caption.value for caption in page.caption)
    page = open_page("app", matrix=tmp_path / "words.csv", left_out="other")
    assert any("30 rows × 6 columns" in caption.value for caption in page.caption)


def test_a_person_says_which_column_names_the_rows(open_page, tmp_path):
    rows = np.random.default_rng(0).standard_normal((30, 4))
    lines = [f"term{at},title {at},{','.join(map(str, row))}" for at, row in enumerate(rows.tolist())]
    (tmp_path / "words.csv").write_text("\n".join(["term,title,d0,d1,d2,d3", *lines]))
    page = open_page("app", matrix=tmp_path / "words.csv")
    picker = next(box for box in page.selectbox if box.label == "Names")
    assert picker.value == "term" and picker.options == ["term", "title"]
    picker.set_value("title").run()
    assert not page.exception and any("left out" in caption.value and "term" in caption.value for caption in page.caption)
    page = open_page("app", matrix=tmp_path / "words.csv", names="title")
    assert next(box for box in page.selectbox if box.label == "Names").value == "title"


@pytest.mark.parametrize("address", ["0.0.0.0", "example.org"])
def test_paths_are_not_read_for_others_than_this_machine(open_page, errors, tmp_path, monkeypatch, address):
    import streamlit as st

    real = st.get_option
    monkeypatch.setattr(st, "get_option", lambda name: address if name == "server.address" else real(name))
    np.save(tmp_path / "secret.npy", np.ones((4, 3)))
    page = open_page("app", matrix=tmp_path / "secret.npy")
    assert page.session_state["source"] == ("demo", None)
    assert "path" not in page.selectbox(key="matrix_kind").options
    assert any("another machine" in error for error in errors(page))


def test_a_model_that_is_not_there_is_named_and_the_demo_opens(open_page, errors, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    page = open_page("app", matrix="hub:nobody/nothing")
    assert not page.exception
    assert any("nobody/nothing" in error for error in errors(page))


def test_a_demo_that_is_not_installed_is_offered_with_the_command(open_page, errors, figures, monkeypatch):
    monkeypatch.setattr(glove, "PACKAGE", replace(glove.PACKAGE, name="no_such_package_here"))
    page = open_page("app", j=5)
    before = figures(page)
    assert "Demo: GloVe 6B 50d (make demos)" in page.selectbox(key="matrix_kind").options
    page.selectbox(key="matrix_kind").set_value("demo:glove").run()
    assert any("make demos installs them" in error for error in errors(page))
    assert not page.exception and figures(page) == before
    page = open_page("app", matrix="demo:glove")
    assert any("make demos installs them. This is the demo." in error for error in errors(page))


def test_what_a_link_says_is_shown_as_text_and_nothing_else(open_page):
    page = open_page("app", matrix="/![picture](http://127.0.0.1:9/x.png) :red[x] $y$.npy")
    shown = page.error[0].value
    assert "\\!\\[picture\\]" in shown and "![picture]" not in shown and "\\$y\\$" in shown


@pytest.mark.parametrize("text, shown", [("they", "**they**"), (" they", "**they**"), ("  ", "**␣**"), ("a*b", "**a\\*b**")])
def test_a_token_is_bold_whatever_spaces_it_has(text, shown):
    assert bold(text) == shown
