"""Pages where the cache cannot be written, and work that failed."""

import errno
import os
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from compress import cache as the_cache
from compress import load_matrix
from compress.__main__ import main
from pages.parts.subspaces import umap_job
from pages.parts.work.job import Job
from tests.killed import killed_at


@pytest.fixture
def lacking(cache, monkeypatch):
    """A cache that is a file."""
    monkeypatch.setattr(the_cache, "_stand_ins", {})
    cache.write_text("no folder")
    yield cache
    the_cache.leave()


@pytest.mark.parametrize("name", ["subspaces", "robustness", "hash_codes", "tradeoffs", "model_quality", "export"])
def test_a_page_works_from_memory(open_page, lacking, errors, name):
    page = open_page(name)
    assert not page.exception and not errors(page) and lacking not in the_cache.folder("fits").parents


def test_that_is_told_once_in_a_session(open_page, lacking):
    page = open_page("app")
    told = [warning.value for warning in page.warning if "FLATLAND" in warning.value]
    assert len(told) == 1 and "cannot be written" in told[0] and "set FLATLAND\\_CACHE to a folder with room" in told[0]
    page.switch_page("pages/lesson.py").run()
    assert not page.exception


def test_others_are_told_without_the_folder(open_page, lacking, asked_with):
    asked_with["Host"] = "evil.example"
    page = open_page("app")
    (told,) = [warning.value for warning in page.warning if "FLATLAND" in warning.value]
    assert str(lacking.parent) not in told.replace("\\", "") and "The cache cache cannot" in told


def ended(said, own=True):
    """A job whose process has said so and failed."""
    job = Job("key", ["fit", "toy"])
    job.own = own
    command = [sys.executable, "-c", f"import sys; sys.exit({said!r})"]
    pipes = {"stdin": subprocess.PIPE, "stderr": subprocess.PIPE}
    job.process = subprocess.Popen(command, text=True, **pipes)
    job._follow(job.process, lambda: None)
    return job


def test_a_page_s_own_work_that_the_cache_refused_is_asked_for_anew_and_what_a_person_asked_for_says_why(cache, monkeypatch):
    monkeypatch.setattr(the_cache, "_stand_ins", {})
    said = f"compress: {cache}/fits/x.safetensors: {os.strerror(errno.ENOSPC)}"
    assert not ended("compress: the matrix is odd").lost and the_cache.lack() is None
    assert not ended(said, own=False).lost and "is full" in the_cache.lack()
    assert ended(said).lost and ended(said).error == said.removeprefix("compress: ")
    the_cache.leave()


def test_a_full_fit_that_failed_is_said_to_have_failed_and_why(open_page, errors):
    page = open_page("subspaces", flat_k=2, flat_j=2)
    key = next(iter(page.session_state["jobs"].values())).key
    failed = {"key": key, "running": False, "lost": False, "own": True, "error": "No room on Mars.", "stopped": False}
    page.session_state["jobs"]["fit"] = SimpleNamespace(**failed, events=[], arguments=[])
    page.run()
    shown = [caption.value for caption in page.caption]
    assert any("; that failed." in text for text in shown) and not any("that was stopped" in text for text in shown)
    assert errors(page) == ["No room on Mars."]


@pytest.fixture(params=["a file", "full"])
def without(request, cache, monkeypatch):
    """A cache that cannot be made, or that lies on a full disk."""
    monkeypatch.setattr(the_cache, "_stand_ins", {})
    if request.param == "full":
        monkeypatch.setattr(the_cache, "is_full", lambda place: cache in place.parents)
    else:
        cache.write_text("no folder")
    yield cache
    the_cache.leave()


def test_a_sweep_is_kept_in_memory(open_page, without, jobs_within, finish, errors):
    page = open_page("tradeoffs")
    page.session_state["sweep_method"], page.session_state["sweep_ratios"] = "dimensions", [4]
    next(button for button in page.run().button if button.label.startswith("Fit Dimensions at ")).click().run()
    finish(page, "sweep")
    assert not page.exception and not errors(page) and page.session_state["jobs"]["sweep"].error is None
    assert any("Every setting of the sweep is fitted" in caption.value for caption in page.caption)
    assert nothing_in(without)


def nothing_in(cache):
    return cache.is_file() or not [path for path in cache.rglob("*") if path.is_file()]


def test_judging_and_healing_are_kept_in_memory(
    open_page, without, jobs_within, finish, errors, tmp_path, bert, reviews, monkeypatch, figures
):
    bert.network.save_pretrained(tmp_path / "model")
    bert.tokenizer.save_pretrained(tmp_path / "model")
    texts = [text for text, _ in reviews]
    monkeypatch.setattr("compress.training.kinds.texts_of_kinds", lambda *_: texts[16:])
    monkeypatch.setattr("compress.training.healing.texts_apart", lambda *_: {"reviews": texts[:16]})
    page = open_page("model_quality", matrix=tmp_path / "model", j=3, heal_steps=20)
    for name in ("heal", "judge"):
        page.button(key=name).click().run()
        finish(page, name)
        assert not page.exception and not errors(page) and not page.session_state["jobs"][name].errors
    assert "Healed" in figures(page) and any("figure" in table.value for table in page.dataframe)
    assert nothing_in(without)


def look_for_map(file):
    import streamlit as st

    from compress import load_matrix
    from pages.parts.subspaces import umap_job

    matrix = load_matrix(file)
    found = umap_job.on_disk(umap_job.path_of(matrix, whole=True), matrix)
    st.session_state["found"] = None if found is None else found.tolist()


def test_a_map_that_is_killed_as_it_is_written_is_whole_or_asked_for_anew(cache, tmp_path):
    file, kills = str(tmp_path / "x.npy"), 0
    np.save(file, np.eye(3))
    path = umap_job.path_of(load_matrix(file), whole=True)
    page = AppTest.from_function(look_for_map, args=(file,))
    while killed_at(kills, lambda: main(["map", file, "--out", str(path)]), naming=path.stem):
        assert path.exists() == (page.run().session_state["found"] is not None)
        path.unlink(missing_ok=True)
        kills += 1
    assert kills > 2 and np.shape(page.run().session_state["found"]) == (3, 2)
    path.write_bytes(path.read_bytes()[:-4])
    assert page.run().session_state["found"] is None and not path.exists()
