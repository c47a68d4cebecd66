import json
from dataclasses import replace

import numpy as np
import pytest

import compress
from compress.analysis.groupings import grouping, unpacked
from compress.answers import tables
from compress.answers.subspaces import drafted, tables_of
from compress.form.metrics import error_text
from compress.methods import ProjectiveClustering
from compress.tuning.sweep import Trials
from pages.parts.fits import fit_path
from pages.parts.subspaces import listed
from pages.parts.subspaces.found import sought
from pages.parts.subspaces.known import start_of
from pages.parts.subspaces.settings import SUBSPACES
from pages.parts.work.queue import Queue
from tests.pages.drawn import charts, drawn, moved, shown_cards, stands, told


def test_a_preview_comes_first_and_the_full_fit_follows(open_page, finish, figures):
    page = open_page("subspaces", k=4, flat_j=3)
    assert any("Preview" in caption.value for caption in page.caption) and figures(page)["Relative error"].startswith("≈ ")
    matrix = compress.load_matrix("toy")
    method = ProjectiveClustering(k=4, j=3)
    page = finish(page)
    assert fit_path(matrix.digest, method).exists()
    assert any("Full fit" in caption.value for caption in page.caption)
    assert figures(page)["Relative error"] == error_text(compress.evaluate(matrix, method.fit(matrix)).relative_error)


def test_a_stopped_fit_stays_a_preview_until_it_is_asked_for_again(open_page):
    page = open_page("subspaces", k=5, flat_j=4, restarts=32)
    page.session_state["jobs"]["fit"].stop()
    page.session_state["jobs"]["fit"].wait(30)
    page.run()
    assert any("was stopped" in caption.value for caption in page.caption)
    page.button[[button.label for button in page.button].index("Fit in full")].click().run()
    assert page.session_state["jobs"]["fit"].key
    page.session_state["jobs"]["fit"].stop()


def test_moving_a_slider_leaves_the_fit_of_the_old_setting(open_page):
    page = open_page("subspaces", k=5, flat_j=4, restarts=32)
    first = page.session_state["jobs"]["fit"]
    moved(page, "k", 6)
    first.wait(10)
    assert page.session_state["jobs"]["fit"] is not first
    page.session_state["jobs"]["fit"].stop()


def test_searching_a_token_lists_its_row(open_page):
    page = open_page("subspaces", k=2, flat_j=2)
    page.text_input(key="map_token").set_value("flat 2 · 17").run()
    assert list(page.dataframe[0].value["name"]) == ["flat 2 · 17"]


def test_a_token_that_is_not_there_is_said_to_be_missing(open_page):
    page = open_page("subspaces", k=2, flat_j=2)
    page.text_input(key="map_token").set_value("no such token").run()
    assert any("No row here holds" in caption.value for caption in page.caption)


def test_a_map_of_umap_follows_in_steps_and_pca_stands_in(open_page, finish, jobs_within, tmp_path, monkeypatch):
    monkeypatch.setattr("pages.parts.subspaces.umap_job.FIRST", 50)
    np.save(tmp_path / "rows.npy", np.random.default_rng(0).standard_normal((80, 6)))
    page = open_page("subspaces", k=2, flat_j=2, matrix=tmp_path / "rows.npy", layout=None)
    said = []
    for _ in range(3):
        said.append(next(each.value for each in page.caption if "Each point is a row" in each.value))
        if buttons := [each for each in page.button if each.label == "Lay out all rows"]:
            buttons[0].click()
            page.run()
        page = finish(page, "umap")
    assert [each.split(" Each")[0].split(";")[0] for each in said] == [
        "PCA stands in until UMAP is ready.",
        "A first map: 5,000 rows are laid out, each other one lies beside its nearest.",
        "Each point is a row",
    ]


@pytest.mark.parametrize("colour", ["subspace", "error", "norm"])
def test_every_colouring_draws(open_page, colour):
    assert not open_page("subspaces", k=3, flat_j=2, colour=colour).exception


@pytest.mark.parametrize("k, j", [(1, 1), (1, 30), (32, 1), (32, 30)])
def test_the_ends_of_the_sliders_draw(open_page, k, j):
    page = open_page("subspaces", k=k, flat_j=j)
    page.session_state["jobs"]["fit"].stop()
    assert not page.exception and shown_cards(page)


@pytest.mark.parametrize("panel", ["Typical rows", "Spectra", "Angles", "Steps", "k at equal bytes"])
def test_every_panel_draws(open_page, panel):
    page = open_page("subspaces", k=3, flat_j=2)
    page.session_state["panel"] = panel
    page.run()
    page.session_state["jobs"]["fit"].stop()
    assert not page.exception


def test_junk_in_the_address_leaves_the_defaults(open_page):
    page = open_page("subspaces", k="many", flat_j="three", seed="x", affine="perhaps", layout="globe", colour="taste")
    assert not page.exception
    assert (stands(page, "k"), stands(page, "flat_j")) == (5, 3)


def test_in_a_crowd_a_preview_takes_groups_of_any_j_and_else_those_of_a_sample(flats, monkeypatch):
    matrix, labels = flats
    near, far = ProjectiveClustering(k=3, j=2), ProjectiveClustering(k=3, j=10)
    known = {3: [grouping(matrix, near, labels)]}
    assert start_of(matrix, far, known) is None
    monkeypatch.setattr(Queue, "crowded", True)
    assert start_of(matrix, far, known) is known[3][0]
    sought.clear()
    groups, history = sought(matrix, near)
    sought.clear()
    assert groups.k == 3 and history and all(step["restart"] is not None for step in history)


def test_a_matrix_of_two_rows_and_one_column_draws(open_page, tmp_path):
    np.save(tmp_path / "small.npy", np.array([[1.0], [2.0]], np.float32))
    for name in ("spectrum", "subspaces"):
        page = open_page(name, matrix=tmp_path / "small.npy")
        assert not page.exception and not page.error and shown_cards(page)


@pytest.mark.parametrize(
    "address, settings",
    [
        ({}, {}),
        ({"flat_p": 1.25}, {"p": 1.25}),
        ({"flat_loss": "Tukey"}, {"loss": "tukey"}),
        ({"flat_loss": "Geman–McClure", "flat_scale": 0.5, "flat_p": 1.25}, {"loss": "geman_mcclure", "scale": 0.5}),
    ],
)
def test_the_loss_of_the_address_is_fitted_and_pinned(open_page, finish, jobs_within, address, settings):
    page = open_page("subspaces", k=4, flat_j=3, restarts=1, **address)
    method = ProjectiveClustering(k=4, j=3, restarts=1, **settings)
    page.button(key="pin_subspaces").click().run()
    assert page.session_state["pins"] == [method]
    said = " ".join(caption.value for caption in page.caption)
    assert ("far rows pull less" in said) == bool(settings)
    assert ("estimated" in said) == (settings.get("loss") == "tukey")
    page = finish(page)
    assert fit_path(compress.load_matrix("toy").digest, method).exists()
    assert any("Full fit" in caption.value for caption in page.caption) and not page.error


@pytest.mark.parametrize("address", [{"flat_loss": "L7"}, {"flat_p": 0.5}, {"flat_p": "x"}, {"flat_scale": -1}])
def test_a_loss_that_makes_no_sense_gives_the_default(open_page, address):
    page = open_page("subspaces", k=2, flat_j=2, **address)
    page.button(key="pin_subspaces").click().run()
    assert page.session_state["pins"] == [ProjectiveClustering(k=2, j=2)]


def test_the_scale_is_estimated_anew_when_it_is_cleared(open_page):
    page = open_page("subspaces", k=2, flat_j=2, flat_loss="Huber", flat_scale=0.5)
    page.number_input(key="flat_scale").set_value(None).run()
    page.button(key="pin_subspaces").click().run()
    assert page.session_state["pins"] == [ProjectiveClustering(k=2, j=2, loss="huber")]


@pytest.mark.parametrize("address, settings", [({"flat_p": 1.5}, {"p": 1.5}), ({"flat_loss": "Huber"}, {"loss": "huber"})])
def test_k_at_equal_bytes_is_fitted_under_the_loss_of_the_page(open_page, finish, jobs_within, cache, tmp_path, address, settings):
    np.save(tmp_path / "small.npy", compress.load_matrix("toy").values[::5])
    page = open_page("subspaces", matrix=tmp_path / "small.npy", k=2, flat_j=2, restarts=1, **address)
    page.session_state["panel"] = "k at equal bytes"
    page.run()
    next(button for button in page.button if button.label.startswith("Fit k =")).click().run()
    page = finish(page, "k")
    assert page.session_state["jobs"]["k"].error is None
    found = list(Trials(cache / "trials" / "trials.sqlite").of(compress.load_matrix(tmp_path / "small.npy").digest))
    assert len(found) > 5
    assert {trial.method.rho for trial in found} == {ProjectiveClustering(**settings).rho}
    page.session_state["panel"] = "k at equal bytes"
    page.run()
    assert not any(button.label.startswith("Fit k =") for button in page.button)


def test_steps_of_another_loss_show_its_cost(open_page):
    page = open_page("subspaces", k=3, flat_j=2, flat_loss="Cauchy")
    page.session_state["panel"] = "Steps"
    page.run()
    assert "cost" in str(drawn(page)[0]) and not page.exception


@pytest.mark.parametrize("address", [{}, {"weights": "order:0.5", "flat_precision": "int4"}], ids=["plain", "weighted, rounded"])
def test_while_k_or_j_moves_the_page_tells_what_the_preview_there_then_says(open_page, made_ahead, figures, address):
    page = open_page("subspaces", k=4, flat_j=3, **address)
    early = next(each for each in told(page, "answers") if each["key"] == "k")  # before any draft was made
    assert len({tuple(row) for row in early["figures"]["cards"]}) >= 20
    page = made_ahead(page)
    for key, value in (("k", 7), ("flat_j", 4), ("k", 2)):
        table = next(each for each in told(page, "answers") if each["key"] == key)
        words, row = table["words"], table["values"].index(value)
        cards = [words[word] for word in table["figures"]["cards"][row]]
        moved(page, key, value)
        shown = figures(page)
        assert not page.exception and shown["Relative error"].startswith("≈ ")
        for label, said in zip(cards[::5], cards[1::5], strict=True):
            if label.endswith("error"):
                assert float(said[2:]) == pytest.approx(float(shown[label][2:]), rel=0.06 if address else 0.006)
            else:
                assert said == shown[label]
        sizes = next(chart for chart in charts(page) if chart["key"] == "sizes")
        rows, errors = json.loads(sizes["figure"])["data"]
        told_sizes = table["traces"]["sizes"]
        if key == "k":
            assert [each for each in told_sizes["rows"]["y"][row] if each is not None] == rows["y"]
        told_errors = [each for each in told_sizes["relative error"]["y"][row] if each is not None]
        assert told_errors == pytest.approx(errors["y"], rel=0.15 if address else 0.01)


def test_where_groups_are_known_a_preview_is_told_without_a_fit(open_page, made_ahead, figures, monkeypatch):
    page = made_ahead(open_page("subspaces", k=4, flat_j=3))
    monkeypatch.setattr("pages.parts.subspaces.found.by_groups", None)
    moved(page, "k", 7)
    assert not page.exception and figures(page)["Relative error"].startswith("≈ ")


def untold(page, key):
    """The values of a dial of which no error is told."""
    table = next(each for each in told(page, "answers") if each["key"] == key)
    return [value for value, row in enumerate(table["figures"]["cards"], 1) if table["words"][row[1]] == "…"]


def test_of_a_k_of_which_nothing_is_known_no_error_is_told(open_page, made_ahead):
    page = open_page("subspaces", k=4, flat_j=3)
    assert untold(page, "k") == [k for k in range(1, 33) if k != 4]
    assert untold(made_ahead(page), "k") == []


def test_of_a_j_far_from_those_that_groups_are_known_for_no_error_is_told(open_page, made_ahead):
    page = open_page("subspaces", k=4, flat_j=6)
    assert untold(page, "flat_j") == [j for j in range(1, 31) if not 4 <= j <= 9]
    assert untold(made_ahead(page), "flat_j") == []


def test_in_a_large_matrix_a_preview_of_more_subspaces_splits_those_that_are_known(open_page, monkeypatch):
    page = open_page("subspaces", k=4, flat_j=3)
    monkeypatch.setattr("compress.answers.subspaces.SMALL", 0)
    monkeypatch.setattr("pages.parts.subspaces.found.sought", None)
    moved(page, "k", 7)
    sizes = next(chart for chart in charts(page) if chart["key"] == "sizes")
    assert not page.exception and len(json.loads(sizes["figure"])["data"][0]["y"]) == 7


def test_what_the_page_tells_of_every_k_and_j_as_it_opens_ships_for_the_demo():
    matrix = compress.load_matrix("demo")
    now = ProjectiveClustering(k=SUBSPACES.k.usual(matrix.shape), j=SUBSPACES.j.usual(matrix.shape))
    wanted = {tables.shipped_path(tables.file_name(matrix.key, *each)) for each in tables_of(now, matrix.shape).items()}
    assert {*tables.SHIPPED.iterdir()} == wanted
    of_k, of_j = (unpacked(tables.shipped(tables.file_name(matrix.key, *each))) for each in tables_of(now, matrix.shape).items())
    assert sorted(each.k for each in of_k) == [*range(1, 33)] and {each.k for each in of_j} == {5} and of_j[0].j == 64
    (two,) = (each for each in of_k if each.k == 2)
    made = drafted(matrix, replace(now, k=2, j=two.j))
    assert np.mean(made.labels == two.labels) > 0.99
    np.testing.assert_allclose(two.errors, made.errors, atol=1e-4)
    np.testing.assert_allclose(two.errors, grouping(matrix, replace(now, k=2), two.labels).errors, rtol=1e-4, atol=1e-6)


def test_a_file_of_the_rows_has_all_of_them_where_the_list_has_the_first(open_page, monkeypatch):
    taken = {}
    monkeypatch.setattr(listed, "MOST_LISTED", 3)
    monkeypatch.setattr(listed.st, "download_button", lambda label, data, *_, **how: taken.update({how.get("key"): (label, data)}))
    page = open_page("subspaces", k=2, flat_j=2)
    page.text_input(key="map_token").set_value("1").run()
    label, content = taken["rows_CSV"]
    count = len(content().splitlines()) - 1
    assert count > 3 and label == f"Download {count:,} as CSV" and len(taken["rows_Parquet"][1]()) > 0
    assert any(f"{count:,} rows found; the first 3 are listed." in caption.value for caption in page.caption)
