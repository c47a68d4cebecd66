"""Pages where the cache cannot be written, and work that failed."""

import errno
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from compress import cache as the_cache
from pages.parts.work.job import Job


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
