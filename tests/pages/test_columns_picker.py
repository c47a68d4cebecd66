"""Which column colours the map and which stand on hover is chosen in the sidebar."""

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

LINES = ["term,topic,price,note,d0,d1,d2,d3"]
for at, row in enumerate(np.random.default_rng(0).standard_normal((30, 4)).tolist()):
    LINES.append(f"term{at},topic {at % 3},{900.5 + 7 * at**2},<b>a note</b> of row {at},{','.join(map(str, row))}")


@pytest.fixture
def docs(tmp_path):
    (tmp_path / "docs.csv").write_text("\n".join(LINES))
    return tmp_path / "docs.csv"


def box(page, label):
    return next((each for each in [*page.selectbox, *page.multiselect] if each.label == label), None)


def chosen():
    """A page that writes what other parts are told of the columns."""
    import streamlit as st

    from pages.parts.columns import chosen_colour, chosen_hover, column
    from pages.parts.matrix import current_matrix

    matrix = current_matrix()
    colour = chosen_colour(matrix)
    st.text(f"{type(colour).__name__} {getattr(colour, 'name', '')} {chosen_hover(matrix)} {type(column(matrix, 'term')).__name__}")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({}, "NoneType  ['note'] Texts"),
        ({"colour_by": "price", "hover": "topic,gone"}, "Numbers price ['topic'] Texts"),
        ({"colour_by": "topic", "names": "topic", "hover": ""}, "Categories topic [] Texts"),
        ({"colour_by": "note"}, "NoneType  ['note'] Texts"),
    ],
)
def test_pages_are_told_the_columns_that_the_link_says(docs, cache, asked_with, said, told):
    page = AppTest.from_function(chosen, default_timeout=60)
    for name, text in {"matrix": str(docs), **said}.items():
        page.query_params[name] = text
    page.run()
    assert not page.exception and page.text[0].value == told


def test_columns_that_can_colour_are_offered_and_the_text_stands_on_hover(open_page, docs):
    page = open_page("app", matrix=docs)
    assert not page.exception
    assert box(page, "Colour").options == ["topic", "price"] and box(page, "Colour").value is None
    assert box(page, "Hover").options == ["term", "topic", "price", "note"] and box(page, "Hover").value == ["note"]


def test_what_was_chosen_stays_when_pages_change_and_goes_with_the_matrix(open_page, docs):
    page = open_page("app", matrix=docs)
    box(page, "Colour").set_value("topic").run()
    box(page, "Hover").set_value(["price", "note"]).run()
    page.switch_page("pages/lesson.py").run()
    page.switch_page("pages/spectrum.py").run()
    assert box(page, "Colour").value == "topic" and box(page, "Hover").value == ["price", "note"]
    page.selectbox(key="matrix_kind").set_value("toy").run()
    assert not page.exception and box(page, "Colour") is None and box(page, "Hover") is None


def test_the_link_says_what_was_chosen_and_opens_it(open_page, docs):
    page = open_page("app", matrix=docs, colour_by="topic", hover="price,note")
    assert box(page, "Colour").value == "topic" and box(page, "Hover").value == ["price", "note"]
    assert not any("nothing here goes by" in warning.value for warning in page.warning)
    page = open_page("app", matrix=docs, colour_by="nothing", hover="")
    assert not page.exception and box(page, "Colour").value is None and box(page, "Hover").value == []


def test_a_matrix_without_columns_has_no_block(open_page):
    page = open_page("app")
    assert box(page, "Colour") is None and box(page, "Hover") is None


def test_columns_of_a_second_file_are_the_matrix_s_and_in_the_link(open_page, errors, tmp_path):
    (tmp_path / "labels.csv").write_text("topic,price\n" + "".join(f"topic {at % 3},{at}.5\n" for at in range(3000)))
    page = open_page("app", columns=tmp_path / "labels.csv", colour_by="topic")
    assert not page.exception and not page.warning and not errors(page)
    assert box(page, "Colour").value == "topic" and box(page, "Names").options == ["topic", "price"]
    box(page, "Names").set_value("price").run()
    assert page.session_state["columns"][0].names == "price" and not page.exception


@pytest.mark.parametrize(
    ("name", "told"),
    [("short.csv", "short.csv has 3 rows"), ("gone.csv", "The file of columns that this link names is not here")],
)
def test_a_file_of_columns_that_cannot_be_used_is_told_and_the_matrix_stays(open_page, errors, tmp_path, name, told):
    (tmp_path / "short.csv").write_text("topic\na\nb\n")
    page = open_page("app", columns=tmp_path / name)
    assert not page.exception and box(page, "Colour") is None
    assert any(told in each for each in [*errors(page), *(warning.value for warning in page.warning)])


def test_a_file_of_columns_is_given_refused_and_left_out_in_the_sidebar(docs, cache, asked_with, tmp_path):
    (tmp_path / "labels.csv").write_text("mood\n" + "good\nbad\n" * 15)
    (tmp_path / "short.csv").write_text("mood\ngood\n")
    page = AppTest.from_function(picker, default_timeout=60)
    page.query_params["matrix"] = str(docs)
    page.session_state["columns_file"] = True
    page.run()
    page.text_input[0].set_value(str(tmp_path / "short.csv")).run()
    assert "has 2 rows" in page.error[0].value and "and the matrix 30" in page.error[0].value and "mood" not in page.text[0].value
    page.text_input[0].set_value(str(tmp_path / "labels.csv")).run()
    assert not page.exception and not page.error and "mood" in page.text[0].value
    page.button[0].click().run()
    assert not page.exception and "mood" not in page.text[0].value


def picker():
    """A page with the picker of a file alone, and the columns that there then are."""
    import streamlit as st

    from pages.parts.columns import file_picker, offered
    from pages.parts.matrix import current_matrix

    matrix = current_matrix()
    st.text(" ".join(offered(matrix)))
    file_picker(matrix)


def test_the_demo_that_is_not_there_yet_is_made_by_a_button_and_then_opened(open_page, errors, monkeypatch):
    import pyarrow as pa
    from pyarrow.parquet import write_table

    from compress.sources import documentation

    asked = []
    monkeypatch.setattr("pages.parts.made.QUEUE", type("Queue", (), {"ask": lambda self, *given: asked.append(given[-1])})())
    page = open_page("app")
    page.selectbox(key="matrix_kind").set_value("demo:docs").run()
    assert not page.exception and any("python -m compress make demo:docs" in error for error in errors(page))
    page.button(key="make_demo").click().run()
    assert not page.exception and asked == [["make", "demo:docs"]]
    documentation.place().parent.mkdir(parents=True)
    rows = np.random.default_rng(0).standard_normal((30, 4)).tolist()
    table = {"vector": rows, "text": [f"a text {at}" for at in range(30)], "package": ["numpy", "torch"] * 15}
    write_table(pa.table(table), documentation.place())
    page.run()
    assert not page.exception and page.session_state["source"] == ("demo:docs", None)
    assert box(page, "Colour").options == ["package"]
