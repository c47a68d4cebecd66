"""Pages run on their own, without a browser, on the toy matrix and a cache folder of the test's."""

import re
import subprocess
import threading
from contextlib import suppress
from pathlib import Path

import numpy as np
import psutil
import pytest
import streamlit as st
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from compress import __main__
from pages.parts.filters import work
from pages.parts.work import ahead, queue
from pages.parts.work.job import Job
from pages.parts.work.queue import QUEUE
from tests.pages.drawn import shown_cards

ROOT = Path(__file__).parents[2]
ODD = {
    "one column": np.array([[1.0], [2.0]]),
    "two columns": np.random.default_rng(0).standard_normal((50, 2)),
    "equal rows": np.ones((40, 6)),
    "few rows": np.eye(4)[:3],
    "rows of zeros": np.vstack([np.zeros((30, 3)), np.eye(3)]),
}


@pytest.fixture(scope="session", autouse=True)
def components():
    """What the installed packages declare, read once: every page that is opened would read all of them again."""
    found = manifest_scanner.scan_component_manifests()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", lambda: found)
        yield


@pytest.fixture(autouse=True)
def nothing_goes_on():
    """Work that a page of the test started ends with the test and leaves the machine to the next."""
    yield
    QUEUE.end(patience=0)
    for thread in work.at_work:
        thread.stop()
    for child in psutil.Process().children():
        with suppress(psutil.Error):  # it has ended already
            if "compress" in child.cmdline():
                child.kill()


@pytest.fixture(autouse=True)
def asked_with(monkeypatch):
    """The headers that pages are asked for with, as by a browser of this machine until a test says otherwise."""
    headers, details = {"Host": "127.0.0.1:8501"}, st.get_option("client.showErrorDetails")
    monkeypatch.setattr(type(st.context), "headers", headers)
    yield headers
    st.set_option("client.showErrorDetails", details)


@pytest.fixture(autouse=True)
def nothing_is_done_ahead(monkeypatch):
    """But where a test asks for it."""
    monkeypatch.setattr(ahead, "ON", False)


@pytest.fixture
def made_ahead(monkeypatch, cache):
    """`made_ahead(page)` is the page once all that it wishes is made, here and now; no job begins."""
    monkeypatch.setattr(ahead, "ON", True)
    monkeypatch.setattr(QUEUE, "most", 0)

    def run(page):
        wishes = [wish for session in QUEUE.sessions for wish in session.wishes.values()]
        for wish in [each for each in wishes if cache in each.path.parents]:  # not of pages of other tests
            assert __main__.main(wish.arguments) == 0
        return page.run()

    return run


@pytest.fixture
def jobs_awaited(monkeypatch):
    """Jobs do not stand back, as the test waits for them."""
    monkeypatch.setattr(Job, "give_way", lambda *_: None)


@pytest.fixture
def finish(jobs_awaited):
    """`finish(page, name="fit")` is the page once its job of that name has ended."""

    def run(page, name="fit", limit=120):
        page.session_state["jobs"][name].wait(limit)
        return page.run()

    return run


class Within(Job):
    """A job that a thread of this process does, which has read the modules that it takes; `cat` stands for its process."""

    def go(self, ended):
        self.process = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        threading.Thread(target=self.do, args=[ended]).start()

    def do(self, ended):
        self.errors += ["failed"] * __main__.main(self.arguments)
        self.process.communicate()
        ended()
        self.over.set()


@pytest.fixture
def jobs_within(monkeypatch):
    """Jobs of pages are done by threads, which cannot be stopped."""
    monkeypatch.setattr(queue, "Job", Within)
    for place in ("compress.__main__", "compress.cli.model"):
        monkeypatch.setattr(f"{place}.stoppable", lambda run, tell: run(tell))  # by a signal, which no thread takes


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("FLATLAND_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def open_page(cache):
    """`open_page("spectrum", j=3)` runs a page with those values in its address; "app" runs the frame with its first page.
    Subspaces shows PCA, for which no job goes before the fit, unless another layout is asked for; None asks for none."""

    def run(name, **address):
        script = ROOT / "app.py" if name == "app" else ROOT / "pages" / f"{name}.py"
        page = AppTest.from_file(str(script), default_timeout=90)
        for key, value in {"matrix": "toy", **({"layout": "PCA"} if name == "subspaces" else {}), **address}.items():
            if value is not None:
                page.query_params[key] = str(value)
        return page.run()

    return run


@pytest.fixture
def figures():
    """The cards of a page, by their label."""
    return lambda page: {card.label: card.value for card in shown_cards(page)}


@pytest.fixture
def errors():
    """The errors of a page as a person reads them, Markdown's escapes taken out."""
    return lambda page: [re.sub(r"\\(.)", r"\1", error.value) for error in page.error]


@pytest.fixture(params=ODD)
def odd_matrix(request, tmp_path):
    """A file of a matrix that a page may not expect, each in turn."""
    path = tmp_path / "odd.npy"
    np.save(path, ODD[request.param].astype(np.float32))
    return path
