"""Pages run on their own, without a browser, on the toy matrix and a cache folder of the test's."""

import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("FLATLAND_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def open_page(cache):
    """`open_page("spectrum", j=3)` runs a page with those values in its address; "app" runs the frame with its first page."""

    def run(name, **address):
        script = ROOT / "app.py" if name == "app" else ROOT / "pages" / f"{name}.py"
        page = AppTest.from_file(str(script), default_timeout=90)
        for key, value in {"matrix": "toy", **address}.items():
            page.query_params[key] = str(value)
        return page.run()

    return run


@pytest.fixture
def figures():
    """The cards of a page, by their label."""
    return lambda page: {card.label: card.value for card in page.metric}


@pytest.fixture
def errors():
    """The errors of a page as a person reads them, Markdown's escapes taken out."""
    return lambda page: [re.sub(r"\\(.)", r"\1", error.value) for error in page.error]
