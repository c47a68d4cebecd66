"""The demo of documentation is made of installed packages' docstrings, once, and opened as a table."""

import numpy as np
import pytest

from compress import InputError
from compress.__main__ import main
from compress.analysis.search import found_in
from compress.sources import documentation, is_installed, load_matrix
from compress.sources.column_kinds import Categories, typed
from compress.tasks.documentation import gathered, make
from compress.tasks.search import text_query


@pytest.fixture
def few(tmp_path, monkeypatch):
    monkeypatch.setenv("FLATLAND_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("compress.tasks.documentation.PACKAGES", {"numpy": "numpy", "nothing_of_that_name": "nothing"})


def test_sentences_come_with_their_package_and_module_and_are_the_same_every_time(few):
    rows = gathered(40, lambda step: None)
    assert len({text for text, _, _ in rows}) == len(rows) == 40 and rows == gathered(40, lambda step: None)
    assert {package for _, package, _ in rows} == {"numpy", "python"}
    assert all(module.split(".")[0] == package for _, package, module in rows if package == "numpy")


def test_it_is_told_how_the_demo_is_made_made_opened_with_its_columns_and_searched_by_a_text(few, capsys):
    assert not is_installed("demo:docs")
    with pytest.raises(InputError, match="python -m compress make demo:docs"):
        load_matrix("demo:docs")
    told = []
    path = make(told.append, count=12)
    assert path == documentation.place() and is_installed("demo:docs")
    assert [step.share for step in told] == sorted(step.share for step in told) and told[-1].share == 1
    matrix = load_matrix("demo:docs")
    assert matrix.shape == (12, 384) and list(matrix.columns) == ["package", "module"]
    np.testing.assert_allclose(np.linalg.norm(matrix.values, axis=1), 1, rtol=1e-5)
    query = text_query("demo:docs", matrix, matrix.tokens[7])
    assert found_in(matrix, matrix, query, "cosine", 1).ids.tolist() == [[7]]
    assert isinstance(typed(matrix.columns["package"], "package"), Categories)
    assert main(["info", "demo:docs", "--json"]) == 0 and '"rows": 12' in capsys.readouterr().out
