"""Importance on Export and Model quality: a fit that spares it, and its error beside the plain one."""

import numpy as np
import pytest

import compress
from compress import SVD, Importance
from compress.form.metrics import error_text
from compress.models.facts import ModelFacts
from compress.training.importance import write_importance
from pages.parts import importance, uploads
from pages.parts.importance import Asked
from pages.parts.kept import trials
from pages.parts.model_quality.text import Text
from tests.pages.drawn import shown_cards

LINK = {"importance": "The model’s", "j": 7}


@pytest.fixture(autouse=True)
def a_model(monkeypatch):
    """The toy matrix comes as from a model."""
    monkeypatch.setattr(importance, "facts_of", lambda source: ModelFacts(tokenizer=True))


@pytest.mark.parametrize("name", ["export", "model_quality"])
def test_a_fit_spares_it_and_shows_its_error_beside_the_plain_one(open_page, figures, name):
    page = open_page(name, **LINK)
    (job,) = page.session_state["jobs"].values()
    job.kill()
    matrix, method = compress.load_matrix("toy"), SVD(j=7)
    asked = Asked("toy", matrix.digest, Text())
    told = dict(zip(job.arguments, job.arguments[1:], strict=False))
    assert told["--importance"] == "model" and told["--importance-kept"] == str(asked.path)
    assert told["--out"] == str(asked.fit_path(matrix, method))

    rng = np.random.default_rng(0)
    found = Importance(rng.uniform(0.5, 1.5, 3000), np.diag(rng.uniform(0.1, 3, 30)))
    write_importance(asked.path, found)
    result = method.fit_for(matrix, found)
    result.save(asked.fit_path(matrix, method))
    page.run()
    shown = figures(page)
    assert shown["Importance error"] == error_text(found.error(matrix, result))
    assert shown["Relative error"] == error_text(compress.evaluate(matrix, result).relative_error)
    assert "SVD at the same bytes" not in shown  # which lowers another error
    assert not [*trials().of(matrix.key)]  # nor is it held against fits that lower the plain one


def test_the_address_names_the_text_of_a_person_and_no_other_file(open_page):
    session_uploads = uploads.folder() / "0a"
    session_uploads.mkdir(exist_ok=True)
    (session_uploads / "mine.txt").write_text("one text\nanother\n")
    uploads.Uploads.users["0a"] += 1
    for named, by in (
        ("upload:0a/mine.txt", f"model:{session_uploads / 'mine.txt'}"),
        ("/etc/hostname", "model"),
        ("upload:0b/x", "model"),
    ):
        page = open_page("export", importance_by=named, **LINK)
        (job,) = page.session_state["jobs"].values()
        job.kill()
        assert job.arguments[job.arguments.index("--importance") + 1] == by and not page.exception
        assert page.session_state["importance_by"] == (named if "mine" in named else "")
        assert any("not kept here" in caption.value for caption in page.caption) == ("mine" not in named)


def test_without_it_and_with_weighted_rows_the_fit_is_the_plain_one(open_page):
    for link in ({"j": 7}, LINK | {"weights": "order:1"}):
        page = open_page("export", **link)
        assert "Importance error" not in {card.label for card in shown_cards(page)} and not page.exception
    assert any("Importance measures" in caption.value for caption in page.caption)


def test_a_matrix_without_its_model_is_not_asked_about_it(open_page, monkeypatch):
    monkeypatch.setattr(importance, "facts_of", lambda source: None)
    assert not [each for each in open_page("export", j=7).segmented_control if each.label == "Importance"]
