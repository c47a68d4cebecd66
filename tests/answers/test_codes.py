import numpy as np
import pytest

from compress import EmbeddingMatrix, LightToken
from compress.analysis import code_preview
from compress.analysis.code_preview import FIGURES
from compress.answers import codes as table
from compress.answers import tables
from compress.form.metrics import evaluate


@pytest.fixture
def matrix():
    return EmbeddingMatrix(np.random.default_rng(0).standard_normal((300, 12)) * np.linspace(2, 0.3, 12))


def test_the_table_holds_fits_that_are_quick_and_grows_until_it_is_made(matrix, monkeypatch, tmp_path):
    monkeypatch.setattr(table, "MOST", 4)
    path, seen = tmp_path / "codes.safetensors", []

    def told(step):
        seen.append((step.share, tables.read(path)))

    arrays = tables.make(matrix, "codes", path, told, {"stages": 2})
    assert [len(each.arrays["bits"]) for _, each in seen] == [1, 2, 3, 4] and not any(each.whole for _, each in seen)
    known = table.read(LightToken(stages=2), arrays)
    method = LightToken(bits=128, stages=2)
    assert len(known) == 4 and all(each.stages == 2 for each in known)
    found = evaluate(matrix, method.fit(matrix))
    assert {name: each.value for name, each in known[method].items()} == pytest.approx(
        {name: getattr(found, name) for name in FIGURES}
    )
    assert {name for each in known.values() for name in each} == set(FIGURES)


def test_where_a_fit_takes_long_the_table_holds_previews(matrix, monkeypatch, tmp_path):
    monkeypatch.setattr(table, "MOST", 1)
    monkeypatch.setattr(table, "QUICK", 0.0)
    monkeypatch.setattr(code_preview, "WHOLE", {"refined": 0.0})
    monkeypatch.setattr(code_preview, "WORK", {"refined": (0.005, 0.005)})
    arrays = tables.make(matrix, "codes", tmp_path / "codes.safetensors", lambda step: None, {})
    told = code_preview.expected(code_preview.code_preview(matrix, LightToken(bits=128), patience=code_preview.PATIENT))
    assert table.read(LightToken(), arrays) == {LightToken(bits=128): pytest.approx(told)}
    assert 0 < told["relative_error"].spread == arrays["relative_error"][0, 1]


def test_a_table_that_was_stopped_goes_on_and_one_that_is_clear_ends(matrix, monkeypatch, tmp_path):
    path = tmp_path / "codes.safetensors"
    monkeypatch.setattr(table, "MOST", 2)
    begun = tables.make(matrix, "codes", path, lambda step: None, {})
    monkeypatch.setattr(table, "MOST", 3)
    made = []
    monkeypatch.setattr(
        table, "figures_of", lambda matrix, method: made.append(method) or next(iter(table.read(method, begun).values()))
    )
    whole = tables.make(matrix, "codes", path, lambda step: None, {})
    assert len(made) == 1 and np.array_equal(whole["bits"][:2], begun["bits"])
    monkeypatch.setattr(table, "MOST", 10)
    monkeypatch.setattr(table, "CLEAR", 100.0)
    tables.make(matrix, "codes", path, lambda step: None, {})
    assert len(made) == 1
