"""The address names the matrix, what rows weigh and every setting; what it names and is not there is said; nothing else is kept."""

import gc
import io
import json
from pathlib import Path

import numpy as np
import pytest

import compress
from pages.parts import uploads
from pages.parts.link import open_link
from pages.parts.matrix import chosen
from pages.parts.screens import look
from tests.pages.drawn import moved, stands


@pytest.fixture
def files(tmp_path):
    """Tables of 40 and of 20 columns."""
    random = np.random.default_rng(0)
    for dim in (40, 20):
        np.save(tmp_path / f"d{dim}.npy", random.standard_normal((60, dim)).astype(np.float32))
    return tmp_path


@pytest.fixture
def alone_on(monkeypatch):
    """`alone_on(title, **address)` is the session that a page opens with such an address, without its widgets."""

    class Address(dict):
        def get_all(self, key):
            return [self[key]] if key in self else []

    def opened(title, **address):
        state = {"page": title}
        monkeypatch.setattr("streamlit.session_state", state)
        monkeypatch.setattr("streamlit.query_params", Address(address))
        open_link()
        return state

    return opened


def said(page):
    """What the frame writes to the address: of the page's own settings, and on every page."""
    mounted = {each.proto.component_name: each.proto for each in page.get("bidi_component")}
    data = json.loads(mounted["flatland_address"].json)
    data["own"] = {name: texts for name, texts in data["own"].items() if texts}
    return data["own"], data["standing"]


def open_path(page, path):
    page.selectbox(key="matrix_kind").set_value("path").run()
    return page.text_input(key="matrix_path").set_value(str(path)).run()


def exported(page):
    """The setting that Export opens on, in the same session."""
    return page.switch_page("pages/export.py").run().selectbox(key="export").value


@pytest.mark.parametrize("said, opened", [({}, None), ({"tensor": "third"}, "third"), ({"tensor": "second"}, "second")])
def test_back_opens_the_tensor_that_its_address_names(alone_on, monkeypatch, said, opened):
    address = {"matrix": "hub:org/name", "tensor": "second"}
    state = alone_on("Spectrum", **address)
    assert chosen() == ("hub:org/name", "second")
    monkeypatch.setattr("pages.parts.link.came_back", lambda: True)
    monkeypatch.setattr("streamlit.query_params", {"matrix": "hub:org/name", **said})
    open_link()
    assert state["source"] == ("hub:org/name", opened)


def test_an_empty_matrix_in_the_address_is_the_demo(alone_on):
    alone_on("Spectrum", matrix="")
    assert chosen() == ("demo", None)


def test_what_another_matrix_does_not_allow_is_bounded_once_and_said(open_page, files):
    page = open_page("app", matrix=files / "d40.npy")
    moved(page, "j", 30)
    open_path(page, files / "d20.npy")
    assert stands(page, "j") == 20 and [info.value for info in page.info] == [
        "This matrix does not allow all that was set. Spectrum: j = 30 is now 20."
    ]
    open_path(page, files / "d40.npy")
    assert stands(page, "j") == 20 and not page.info
    assert exported(page) == "SVD, j = 20, float16"


def test_a_setting_within_bounds_stays_on_every_page_when_another_matrix_is_opened(open_page, files):
    page = open_page("app", matrix=files / "d40.npy")
    moved(page, "j", 17)
    open_path(page, files / "d20.npy")
    assert stands(page, "j") == 17 and not page.info
    assert exported(page) == "SVD, j = 17, float16"


def test_a_setting_that_nobody_touched_is_the_usual_one_of_the_matrix_on_every_page(open_page, files):
    page = open_page("app", matrix=files / "d40.npy")
    assert stands(page, "j") == 4
    open_path(page, files / "d20.npy")
    assert stands(page, "j") == 2 and not page.info
    assert exported(page) == "SVD, j = 2, float16"


def test_export_opens_on_the_screen_that_was_looked_at_last(alone_on):
    matrix = compress.load_matrix("toy")
    state = alone_on("Subspaces", k="3", flat_j="2")
    look(matrix)
    assert state["export"] == "k subspaces, k = 3, j = 2, float16"
    state["page"] = "Trade-offs"  # which shows no method of its own
    look(matrix)
    assert state["export"] == "k subspaces, k = 3, j = 2, float16"


def test_the_address_names_matrix_weights_pins_and_other_screens(open_page, files):
    page = open_page("app", matrix=files / "d40.npy", weights="order:0.7", j=9, k=3, hash_bits=16)
    page.button(key="pin_spectrum").click().run()
    own, standing = said(page)
    assert own == {"j": ["9"]}
    assert standing["matrix"] == [str(files / "d40.npy")] and standing["weights"] == ["order:0.7"]
    assert json.loads(standing["pins"][0]) == [["svd", {"j": 9, "factor_bits": 16}]]
    assert standing["k"] == ["3"] and standing["hash_bits"] == ["16"] and not {"j", "flat_j", "seed"} & {*standing}
    assert any("d40\\.npy" in caption.value and "60 × 40" in caption.value for caption in page.caption)


def test_a_short_name_is_taken_by_the_page_that_has_such_a_setting(alone_on):
    state = alone_on("Subspaces", matrix="toy", j="4", p="1.5")
    assert state["flat_j"] == 4 and state["flat_p"] == 1.5 and "j" not in state


def test_a_name_from_another_page_is_that_pages(alone_on):
    state = alone_on("Subspaces", matrix="toy", j="4", spectrum_j="7", flat_j="5")
    assert state["j"] == 7 and "flat_j" not in state  # which the widget reads by itself


def test_what_nothing_goes_by_is_said(open_page):
    page = open_page("app", banana=3, k=4)
    assert [warning.value for warning in page.warning] == ["The address names banana, which nothing here goes by; it was left out."]


def test_a_matrix_that_is_not_there_is_named_kept_in_the_address_and_opened_once_it_is(open_page, errors, files):
    page = open_page("app", matrix=files / "late.npy")
    assert len(errors(page)) == 1 and "late.npy" in errors(page)[0] and errors(page)[0].endswith("This is the demo.")
    assert said(page)[1]["matrix"] == [str(files / "late.npy")]
    page.run()
    assert len(errors(page)) == 1
    np.save(files / "late.npy", np.eye(7, 5, dtype=np.float32))
    page.button(key="unopened_again").click().run()
    assert not page.error and any("7 × 5" in caption.value for caption in page.caption)


def test_a_matrix_that_is_not_there_may_be_left(open_page, files):
    page = open_page("app", matrix=files / "late.npy")
    page.button(key="unopened_stay").click().run()
    assert not page.error and said(page)[1]["matrix"] == ["demo"]


def test_an_upload_that_is_kept_no_longer_is_named_and_asked_for(open_page, errors):
    page = open_page("app", matrix="upload:0123abcd/mine.npy")
    assert errors(page) == ["The uploaded file mine.npy is no longer kept here. This is the demo."]
    page.button(key="unopened_again").click().run()
    assert page.selectbox(key="matrix_kind").value == "upload"


class Given(io.BytesIO):
    """What Streamlit's uploader gives."""

    def __init__(self, name, content):
        super().__init__(content)
        self.name = name


@pytest.fixture
def session(monkeypatch):
    """`session()` begins a session; the one before goes on."""
    begun = []

    def begin():
        begun.append({})
        monkeypatch.setattr("streamlit.session_state", begun[-1])
        return begun[-1]

    return begin


def test_an_upload_lives_as_long_as_a_session_that_uses_it(session):
    first = session()
    path = Path(uploads.kept_upload(Given("mine.npy", b"one")))
    word = uploads.spelled(str(path))
    assert path.read_bytes() == b"one" and word.endswith("/mine.npy") and str(uploads.folder()) not in word
    second = session()
    assert uploads.found(word) == str(path)
    first.clear()
    gc.collect()
    assert path.exists()
    second.clear()
    gc.collect()
    assert not path.exists() and uploads.found(word) is None


@pytest.mark.parametrize("name", ["my table (1).npy", "тест <b>$x$.npy", "a" * 300 + ".npy", "..\\x:y.npy", ".npy"])
def test_an_upload_is_named_as_the_person_named_it(session, name):
    session()
    path = Path(uploads.kept_upload(Given(name, b"one")))
    assert path.read_bytes() == b"one" and uploads.found(uploads.spelled(str(path))) == str(path)
    if not {*"\\:"} & {*name} and 4 < len(name) < 60:
        assert path.name == name


def test_the_upload_in_use_stays_while_others_are_tried(session):
    session()
    good = uploads.kept_upload(Given("good.npy", b"good"))
    tried = [Path(uploads.kept_upload(Given("bad.npy", content), in_use=good)) for content in (b"1", b"2", b"3")]
    assert Path(good).exists() and [path.exists() for path in tried] == [False, False, True]


@pytest.mark.parametrize("word", ["upload:../../etc/passwd", "upload:/etc/passwd", "upload:", "upload:x/../../y", "upload:00/.x"])
def test_an_address_names_no_file_but_an_upload(session, word):
    session()
    assert uploads.found(word) is None
