"""Who may name paths on the machine that runs the app."""

import numpy as np
import pytest
import streamlit as st

from compress import InputError
from pages.parts import paths

HERE = ("localhost:8501", "127.0.0.1", "127.1.2.3:80", "[::1]:8501", "LOCALHOST")
ELSEWHERE = ("evil.example:8501", "127.0.0.1.evil.example", "10.0.0.7:8501", "localhost.evil.example", "0.0.0.0:8501", "", "[::1")


@pytest.mark.parametrize("host", HERE)
def test_a_browser_that_names_this_machine_is_at_home(host):
    assert paths.asked_at_home({"Host": host}) and paths.asked_at_home({"Host": host, "Origin": f"http://{host}"})


@pytest.mark.parametrize("host", ELSEWHERE)
def test_a_host_that_only_resolves_to_this_machine_is_not(host):
    assert not paths.asked_at_home({"Host": host})
    assert not paths.asked_at_home({"Host": "127.0.0.1:8501", "Origin": f"http://{host}" if host else "null"})


@pytest.mark.parametrize("header", paths.PROXIES)
def test_what_a_proxy_passes_on_is_not_from_home_whatever_host_it_names(header):
    assert not paths.asked_at_home({"Host": "127.0.0.1:8501", header: "198.51.100.7"})


@pytest.fixture
def elsewhere(asked_with):
    asked_with["Host"] = "evil.example:8501"


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A folder that is open to others, with a matrix in it and one beside it, and links to that."""
    folder = tmp_path / "our data" / "open"
    (folder / "in").mkdir(parents=True)
    (folder / "led").mkdir()
    for path in (folder / "in" / "a.npy", tmp_path / "secret.npy"):
        np.save(path, np.random.default_rng(0).standard_normal((40, 5)))
    (folder / "link.npy").symlink_to(tmp_path / "secret.npy")
    (folder / "led" / "deep.npy").symlink_to("../../../secret.npy")
    (folder / "back.npy").symlink_to(folder / "in" / "a.npy")
    monkeypatch.setenv("FLATLAND_PATHS", str(folder))
    return folder


@pytest.mark.parametrize("text", ["in/a.npy", "./in/../in/a.npy", "back.npy", "in"])
def test_what_lies_in_the_open_folder_may_be_named_from_elsewhere(open_page, elsewhere, home, text):
    page = open_page("app", matrix=text)
    assert page.session_state["source"][0] == str((home / text).resolve())
    assert any("40 rows × 5 columns" in caption.value for caption in page.caption)
    assert page.text_input(key="matrix_path").value == str((home / text).resolve().relative_to(home))


@pytest.mark.parametrize(
    "text",
    ["link.npy", "led", "led/deep.npy", "../../secret.npy", "/etc/hostname", "~/x.npy", "none.npy", "in\0.npy", "in/" * 5000],
)
def test_what_lies_or_leads_elsewhere_and_what_is_not_there_is_refused_in_the_same_words(open_page, elsewhere, home, errors, text):
    page = open_page("app", matrix=text)
    assert page.session_state["source"] == ("demo", None) and not page.exception
    (told,) = errors(page)
    assert told.startswith("There is no ") and "in the folder that is open here" in told and str(home) not in told


def test_a_link_from_elsewhere_names_files_of_the_open_folder_without_it(open_page, elsewhere, home):
    np.save(home / "use.npy", np.ones(40))
    page = open_page("app", matrix="in/a.npy", weights="column:use.npy")
    assert page.session_state["weights"][0] == f"column:{home / 'use.npy'}"
    page.session_state["link"] = True
    shown = page.run().code[0].value
    assert "matrix=in%2Fa.npy" in shown and "weights=column%3Ause.npy" in shown and "our+data" not in shown


def test_a_session_that_was_once_from_elsewhere_stays_so_and_one_whose_browser_left_learns_nothing(open_page, asked_with):
    page = open_page("app")
    assert page.session_state[paths.AT_HOME]
    asked_with.clear()
    assert page.run().session_state[paths.AT_HOME]
    asked_with["Host"] = "evil.example"
    assert not page.run().session_state[paths.AT_HOME]
    asked_with["Host"] = "localhost"
    assert not page.run().session_state[paths.AT_HOME]
    asked_with.clear()
    assert not open_page("app").session_state[paths.AT_HOME]


def test_a_traceback_is_shown_to_nobody_once_somebody_came_from_elsewhere(open_page, elsewhere):
    assert st.get_option("client.showErrorDetails") != "none"
    open_page("app")
    assert st.get_option("client.showErrorDetails") == "none"


@pytest.mark.parametrize(
    "said, told",
    [
        ("There is nothing at /data/of/x y.npy; check it.", "There is nothing at x y.npy; check it."),
        ("/all of us/cache/fits/a-b.safetensors: No space left", "a-b.safetensors: No space left"),
        ("/root/.cache/flatland/fits/a-b.safetensors: No space left", "a-b.safetensors: No space left"),
        ("~/me/x is a file, '/a/b' and (/c/d/e.txt) too", "x is a file, 'b' and (e.txt) too"),
        ("fetch https://host/path/x of org/name, 3 / 4", "fetch https://host/path/x of org/name, 3 / 4"),
    ],
)
def test_others_are_told_the_names_of_files_and_not_where_they_lie(said, told, monkeypatch):
    monkeypatch.setenv("FLATLAND_CACHE", "/all of us/cache")
    monkeypatch.setattr(paths, "is_local", lambda: False)
    assert paths.told(said) == told
    monkeypatch.setattr(paths, "is_local", lambda: True)
    assert paths.told(said) == said


def test_without_an_open_folder_nothing_is_named_from_elsewhere(monkeypatch):
    monkeypatch.setattr(paths, "is_local", lambda: False)
    with pytest.raises(InputError, match="cannot be opened from here"):
        paths.named("/etc/hostname")
