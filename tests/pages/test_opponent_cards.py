"""What pages hold a setting against: SVD at its best in as many bytes, and the best that is known there."""

import pytest
from cases import svd_by_fits
from streamlit.testing.v1 import AppTest

import compress
from compress import SVD, EmbeddingMatrix, Int8, LightToken, ProjectiveClustering
from compress.form.metrics import error_text
from compress.tuning.opponents import best_svd
from compress.tuning.sweep import Trial, Trials, run
from pages.parts.cards import change_text
from pages.parts.fits import fit_path
from pages.parts.pins import describe, to_link
from tests.pages.drawn import shown_cards

SVD_CARD, KNOWN_CARD = "SVD at the same bytes", "Best known in these bytes"
PLACES = {
    "subspaces": (ProjectiveClustering(k=4, j=3), {"k": 4, "flat_j": 3}),
    "hash_codes": (LightToken(bits=32), {"hash_bits": 32}),
    "export": (Int8(), {"pins": to_link([Int8()])}),
}


@pytest.fixture
def opened(open_page):
    """`opened(name, …)` opens a page and ends its job, which the test does not wait for."""
    pages = []

    def opened(name, **address):
        pages.append(open_page(name, **address))
        assert not pages[-1].exception
        return {metric.label: metric for metric in shown_cards(pages[-1])}, " ".join(each.value for each in pages[-1].caption)

    yield opened
    for page in pages:
        for job in page.session_state["jobs"].values() if "jobs" in page.session_state else []:
            job.kill()


def said(card):
    """A card's words below its figure."""
    return f"{card.delta} {card.about}"


def kept(matrix, method):
    """Leaves a fit on disk where a job would; its figures."""
    result = method.fit(matrix)
    result.save(fit_path(matrix.key, method))
    return compress.evaluate(matrix, result)


@pytest.mark.parametrize("weights", ["uniform", "order:1"])
@pytest.mark.parametrize("name", PLACES)
def test_svd_is_at_its_best_precision_and_said_to_be(opened, name, weights):
    method, address = PLACES[name]
    matrix = compress.load_matrix("toy", weights=weights)
    figures = kept(matrix, method)
    cards, _ = opened(name, **address, weights=weights)
    best, error = svd_by_fits(matrix, figures.n_bytes)
    assert describe(best) in said(cards[SVD_CARD]) and best.factor_bits < 16
    assert float(cards[SVD_CARD].value) == pytest.approx(error, rel=0.02, abs=1e-5)
    change = 100 * (figures.weighted_error / error - 1)
    assert float(cards[SVD_CARD].delta.split("%")[0]) == pytest.approx(change, abs=2 + 0.02 * abs(change))
    assert ("weighted" in cards[SVD_CARD].delta) == (weights != "uniform")


def test_robustness_compares_with_svd_of_the_same_j_and_precision_and_says_so(opened):
    cards, captions = opened("robustness", robust_j=4)
    matrix = compress.load_matrix("toy")
    error = compress.evaluate(matrix, SVD(j=4).fit(matrix)).relative_error
    assert "SVD, float16**, the same j and precision" in captions
    assert cards["Relative error, SVD"].value == error_text(error)


def test_against_svd_without_an_error_a_setting_has_more_of_it(opened):
    matrix = compress.load_matrix("toy")
    figures = kept(matrix, LightToken(bits=512))
    cards, _ = opened("hash_codes", hash_bits=512)
    assert best_svd(matrix, figures.n_bytes).error == 0 < figures.relative_error
    assert said(cards[SVD_CARD]).startswith("more error here")


def test_where_nothing_is_fitted_the_best_known_is_svd_or_this_one(opened):
    cards, _ = opened("subspaces", k=4, flat_j=3)
    assert cards[KNOWN_CARD].value == "SVD" and said(cards[KNOWN_CARD]).startswith("no other method is fitted")
    kept(compress.load_matrix("toy"), LightToken(bits=32))
    cards, _ = opened("hash_codes", hash_bits=32)
    assert cards[KNOWN_CARD].value == "This one"


def test_the_best_known_is_of_this_matrix_these_weights_and_no_more_bytes(opened, cache):
    matrix, weighted = (compress.load_matrix("toy", weights=weights) for weights in ("uniform", "order:1"))
    shown, rival = ProjectiveClustering(k=3, j=2), LightToken(bits=24, seed=1)
    n_bytes = shown.size(*matrix.shape)
    store = Trials(cache / "trials" / "trials.sqlite")
    (found,) = run(matrix, [rival], store)
    assert found.figures["n_bytes"] <= n_bytes < LightToken(bits=64).size(*matrix.shape)
    for other, method in (
        (weighted, LightToken(bits=8)),
        (EmbeddingMatrix(matrix.values[::-1]), LightToken(bits=8)),
        (matrix, LightToken(bits=64)),
    ):
        store.keep(other.key, Trial(method, found.figures | {"weighted_error": 1e-6, "n_bytes": method.size(*matrix.shape)}))
    store.keep(f"{matrix.key} drafts", Trial(LightToken(bits=16), found.figures | {"weighted_error": 1e-6}))
    cards, _ = opened("subspaces", k=3, flat_j=2)
    assert cards[KNOWN_CARD].value == error_text(found.figures["relative_error"])
    assert "24 bits" in said(cards[KNOWN_CARD]) and "seed 1" in said(cards[KNOWN_CARD])
    assert cards[KNOWN_CARD].delta.startswith("+")


def test_a_full_fit_that_a_page_has_shown_is_known_on_the_others(opened):
    matrix = compress.load_matrix("toy")
    code = kept(matrix, LightToken(bits=24))
    opened("hash_codes", hash_bits=24)
    cards, _ = opened("subspaces", k=3, flat_j=2)
    assert cards[KNOWN_CARD].value == error_text(code.relative_error) and "LightToken" in said(cards[KNOWN_CARD])


def test_a_preview_is_compared_with_nothing(opened):
    cards, _ = opened("hash_codes", hash_bits=256)
    assert cards["Relative error"].value.startswith("≈")
    assert all(" here" not in said(cards[label]) for label in (SVD_CARD, KNOWN_CARD))
    best, _ = svd_by_fits(compress.load_matrix("toy"), LightToken(bits=256).size(3000, 30))
    assert describe(best) in said(cards[SVD_CARD])


def test_where_no_direction_fits_that_is_said():
    def page():
        import numpy as np

        from compress import EmbeddingMatrix, Int8
        from pages.parts.cards import opponent_figures
        from pages.parts.dial.figures import figures
        from pages.parts.opponents import Rivals

        matrix = EmbeddingMatrix(np.eye(4))
        figures(opponent_figures(matrix, Int8(), 5, None, Rivals(matrix)))

    cards = {metric.label: metric for metric in shown_cards(AppTest.from_function(page).run())}
    assert (cards[SVD_CARD].value, cards[SVD_CARD].delta) == ("–", "no direction fits") and cards[KNOWN_CARD].value == "–"


@pytest.mark.parametrize("error, other, text", [(3, 2, "+50.0%"), (1, 2, "-50.0%"), (30, 1, "30 × the"), (1, 0, "more")])
def test_a_change_is_in_percent_and_from_ten_times_on_in_times(error, other, text):
    assert change_text(error, other) == text
