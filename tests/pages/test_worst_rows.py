"""The card of worst rows, on the pages that show a fit."""

import numpy as np
import pytest

import compress
from compress import SVD, EmbeddingMatrix, ProjectiveClustering
from compress.form.metrics import error_text
from pages.parts.dial import worst
from pages.parts.fits import fit_path
from pages.parts.pins import describe
from tests.pages.drawn import told


@pytest.fixture(autouse=True)
def stillness(monkeypatch):
    """What follows once the page is still comes with the page."""
    monkeypatch.setattr(worst, "once_still", lambda draw, key, until=None: draw())


@pytest.fixture(scope="module")
def folder_of_table(tmp_path_factory):
    """A table of pieces of words as BERT has them, of which two lose far more than the others where one direction is left out."""
    values = np.random.default_rng(0).standard_normal((300, 8)).astype(np.float32)
    values[:, 0] = 0
    values[[7, 9]] = 0
    values[[7, 9], 0] = 1.0, 0.5
    tokens = [f"##<b>{row}</b>" for row in range(290)] + [f"[unused{row}]" for row in range(10)]
    path = tmp_path_factory.mktemp("table") / "table.safetensors"
    compress.save_matrix(EmbeddingMatrix(values, tokens), path)
    return path


def test_spectrum_names_the_rows_that_lose_most_as_text_with_their_place(open_page, folder_of_table):
    (card,) = told(open_page("spectrum", j=7, matrix=folder_of_table), "worst")
    found = compress.evaluate(matrix := compress.load_matrix(folder_of_table), SVD(j=7).fit(matrix))
    assert [row[:2] for row in card["rows"]] == [[matrix.tokens[row], error_text(found.row_errors[row])] for row in found.worst(5)]
    assert ["##<b>7</b>", "1.00", "place 8"] in card["rows"]
    assert card["words"] == f"2 of 300 lose more than 8 times the mean row’s {error_text(found.mean_row_error)}"


def test_rows_that_are_weighted_are_told_with_their_weights_and_rows_without_an_order_with_nothing(open_page):
    (weighted,), (alike,) = (told(open_page("spectrum", weights=each), "worst") for each in ("order:1", "uniform"))
    assert all(row[2].startswith("weight ") for row in weighted["rows"])
    assert all(len(row) == 2 for row in alike["rows"])


def test_subspaces_names_none_until_the_full_fit_is_there(open_page, cache):
    method = ProjectiveClustering(k=2, j=4)
    (card,) = told(page := open_page("subspaces", k=2, flat_j=4), "worst")
    assert card["rows"] is None and card["words"] == worst.UNTIL
    page.session_state["jobs"]["fit"].kill()
    matrix = compress.load_matrix("toy")
    (result := method.fit(matrix)).save(fit_path(matrix.key, method))
    (card,) = told(page.run(), "worst")
    found = compress.evaluate(matrix, result)
    assert [row[0] for row in card["rows"]] == [matrix.tokens[row] for row in found.worst(5)]


@pytest.mark.parametrize("name", ["export", "model_quality"])
def test_a_finished_fit_is_shown_with_its_worst_rows(open_page, name):
    (card,) = told(open_page(name, j=7), "worst")
    matrix = compress.load_matrix("toy")
    found = compress.evaluate(matrix, SVD(j=7).fit(matrix))
    assert card["rows"][0] == [matrix.tokens[found.worst(1)[0]], error_text(found.worst_row_error)]


@pytest.mark.parametrize("name", ["robustness", "hash_codes"])
def test_a_preview_names_no_row(open_page, name):
    page = open_page(name)
    page.session_state["jobs"]["fit"].kill()
    assert [each["rows"] for each in told(page, "worst")] == [None]


def test_a_picked_point_names_them_where_it_is_fitted_here(open_page, cache):
    page = open_page("tradeoffs")
    page.session_state["picked"] = [describe(SVD(j=8, factor_bits=8))]
    (card,) = told(page.run(), "worst")
    assert len(card["rows"]) == worst.SHOWN
