"""Filters: the digits network, networks of the person's own, curves in the background, files to take away."""

import re
import threading
import time
from io import BytesIO
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from compress import pruning
from pages.parts.filters import curve as filters_curve
from pages.parts.filters import export as filters_export
from pages.parts.filters import upload as filters_upload
from pages.parts.filters import work as filters_work
from pages.parts.filters.answers import filter_answers
from pages.parts.filters.curve import Curve, losses
from pages.parts.filters.fits import study_of
from pages.parts.filters.network import digits
from pages.parts.filters.path import Path
from pages.parts.filters.settings import Pruning
from pages.parts.filters.words import comparison_words
from pages.parts.filters.work import Background, Turns
from pages.parts.work.queue import Queue, Session
from tests.pages.drawn import moved, shown_cards, stands

pytestmark = pytest.mark.usefixtures("trained_before", "operators_read_once")
PLAIN = Pruning(0.4, "parameters", "largest", "top", 0)
FIGURES = ["Parameters", "FLOPs", "Accuracy, one shot", "Relative output error", "ε"]


@pytest.fixture
def files(tmp_path):
    """`files(weights=…, **arrays)` writes a state_dict and pictures, usable ones where none are given, and gives their paths."""

    def write(weights=None, **arrays):
        if weights is None:
            torch.manual_seed(0)
            weights = pruning.NETWORKS["ResNet20"][0](3).state_dict()
        torch.save(weights, tmp_path / "weights.pt")
        rng = np.random.default_rng(0)
        np.savez(tmp_path / "pictures.npz", **(arrays or {"x": rng.integers(0, 256, (160, 32, 32, 3), np.uint8)}))
        return tmp_path / "weights.pt", tmp_path / "pictures.npz"

    return write


@pytest.fixture
def upload(open_page, files):
    """`upload(weights=…, keep=70, **arrays)` opens the page on such files."""

    def run(weights=None, keep=70, name="ResNet20", **arrays):
        paths = files(weights, **arrays)
        page = open_page("filters", filters_network="Upload", filters_architecture=name, filters_keep=keep)
        for key, path in zip(("weights", "pictures"), paths, strict=True):
            page.text_input(key=f"filters_{key}_path").set_value(str(path))
        return page.run()

    return run


def pictures(n=160):
    return np.random.default_rng(0).integers(0, 256, (n, 32, 32, 3), np.uint8)


def compared(page, limit=60.0):
    """The page once its curves are there."""
    end = time.monotonic() + limit
    while any(button.key == "stop_curves" for button in page.button) and time.monotonic() < end:
        time.sleep(0.2)
        page.run()
    return page


def number(text):
    value, _, unit = text.partition(" ")
    return float(value.replace(",", "")) * {"": 1, "k": 1e3, "M": 1e6}[unit]


def test_the_digits_network_is_pruned_to_the_budget_and_keeps_its_accuracy(open_page, figures):
    page = open_page("filters")
    assert not page.exception and not page.error and list(figures(page)) == FIGURES
    assert number(figures(page)["Parameters"]) <= 0.4 * 77_290
    assert float(figures(page)["Accuracy, one shot"].strip("%")) > 97


@pytest.mark.parametrize("keep", [5, 100])
@pytest.mark.parametrize("measure", ["Parameters", "FLOPs"])
def test_the_ends_of_the_slider_have_an_answer(open_page, figures, keep, measure):
    page = open_page("filters", filters_keep=keep, filters_measure=measure)
    assert not page.exception and not page.error
    whole = {"Parameters": 77_290, "FLOPs": 4.23e6}[measure]
    assert number(figures(page)[measure]) <= keep / 100 * whole * 1.01
    if keep == 100:
        assert any("every error is 0" in info.value for info in page.info)


def test_every_setting_is_taken_from_the_address_and_nonsense_is_not(open_page):
    page = open_page(
        "filters", filters_keep=55, filters_over="Mean share", filters_variant="Drawn", filters_seed=3, filters_space="wide.0"
    )
    assert not page.exception
    assert stands(page, "filters_keep") == 55 and page.slider(key="filters_seed").value == 3
    assert page.selectbox(key="filters_space").value == "wide.0"
    page = open_page(
        "filters", filters_keep=-7, filters_over="x", filters_space="nowhere", filters_picture=10**6, filters_network="?"
    )
    assert not page.exception and len(shown_cards(page)) == len(FIGURES)


def test_curves_come_by_themselves_and_are_judged_in_words(open_page):
    page = compared(open_page("filters"))
    assert any("at any of these budgets" in text.value or "against" in text.value for text in page.markdown)
    again = open_page("filters", filters_keep=70)
    assert not any(button.key == "stop_curves" for button in again.button)  # what is known is not computed again


def test_while_the_budget_is_moved_the_page_tells_what_it_then_shows(open_page, figures):
    subject = digits()
    path = Path(subject, study_of(subject, "largest"), PLAIN)
    for keep in (20, 30, 60):
        path.judged(path.reports[keep])
    assert path.about(90) == (path.at(60), True) and len(path.losses) == 3  # nothing else is kept from 60 on
    between, judged = path.about(25)
    assert not judged and path.at(20).error > between.error > path.at(30).error
    assert path.about(10) == (None, False)  # nothing was judged below
    space = path.known.channels.prunable[0]
    table = filter_answers(subject, path, space.name)
    rows = [{card.label: card.value for card in row} for row in table.figures["cards"]]
    assert list(table.values) == list(range(5, 101)) and rows[25] == figures(open_page("filters", filters_keep=30))
    assert rows[20]["Relative output error"].startswith("≈ ") and rows[20]["Accuracy, one shot"].startswith("≈ ")
    assert rows[5]["Relative output error"] == "–" and number(rows[5]["Parameters"]) <= 7_729
    kept = table.traces["kept_by_layer"]["kept"]["x"]
    assert kept[25].tolist() == [n for n, _ in path.reports[30].kept.values()]
    assert table.marks["sensitivities"][25][0].x == kept[25, 0] + 0.5
    bounds = table.traces["bounds"]
    assert np.isnan(bounds["measured, mean"]["x"][5]).all() and not np.isnan(bounds["bound"]["x"]).any()


def test_where_another_way_is_ahead_the_words_say_by_how_much():
    table = pd.DataFrame(
        [("sensitivity", 0.1, 0.9), ("norm", 0.1, 0.9), ("sensitivity", 0.4, 0.47), ("norm", 0.4, 0.52), ("random", 0.4, 0.2)],
        columns=["by", "removed", "value"],
    )
    lost = losses(table, True)
    assert list(lost["removed"]) == [0.4] and list(lost["by"]) == ["norm"]
    subject = digits()
    curve = SimpleNamespace(retrained=False, other={40: 0.61}, known=study_of(subject, "largest"), setting=PLAIN)
    curve.instead = Pruning(1, "parameters", "mean", "top", 0)
    words = comparison_words(lost, curve, True)
    assert "at 40 % removed filter norm keeps more: .520 against .470" in words
    assert "as the mean share gets .610" in words and "above .9 for" in words
    assert losses(table, False)["by"].tolist() == ["random"]  # of an error, less is better
    assert "no other way" in comparison_words(lost[:0], curve, True)


def test_a_stopped_curve_goes_on_where_it_was(monkeypatch):
    monkeypatch.setattr(filters_curve, "SHARES", (20, 50))
    subject = digits()
    curve = Curve(subject, Path(subject, study_of(subject, "largest"), PLAIN), PLAIN, False)
    with pytest.raises(filters_curve.Stopped):
        curve.run(stopping_after(3))
    held = dict(curve.points)
    assert len(held) == 3
    curve.run(lambda event: None)
    assert curve.done == 1 and all(curve.points[each] == held[each] for each in held)
    table = curve.table
    assert (table["really"] >= table["removed"] - 1e-9).all() and table["value"].between(0, 1).all()


def stopping_after(n):
    told = []

    def tell(event):
        told.append(event)
        if len(told) == n:
            raise filters_curve.Stopped

    return tell


def test_work_stops_when_asked_or_when_nobody_looks():
    def endless(tell):
        while True:
            tell({})
            time.sleep(0.01)

    asked, unseen = Background(endless), Background(endless, patience=0.05)
    asked.stop()
    for work in (asked, unseen):
        work.thread.join(10)
        assert not work.running and work.error is None and work.result is None


def test_a_pages_own_work_rests_while_it_answers_a_dial_unless_that_waits_for_it(monkeypatch):
    hand, held = Session(rests=float("inf")), Queue(1)
    held.enter(hand)
    monkeypatch.setattr(filters_work, "QUEUE", held)

    def steps(tell):
        for _ in range(3):
            tell({})

    for go_on in (lambda: setattr(hand, "rests", 0.0), lambda: monkeypatch.setattr(filters_work.TURNS, "waiting", 1)):
        hand.rests = float("inf")
        own, asked = Background(steps, own=True), Background(steps)
        asked.thread.join(10)
        own.thread.join(0.2)
        assert len(asked.told) == 3 and len(own.told) == 1 and own.running
        go_on()
        own.thread.join(10)
        assert len(own.told) == 3


def test_who_works_alone_waits_for_the_others_and_keeps_them_out():
    turns, order = Turns(), []

    def alone():
        with turns.alone():
            order.append("alone")

    def together():
        with turns.together():
            order.append("together")

    with turns.together():
        first = threading.Thread(target=alone)
        first.start()
        while not turns.waiting:
            time.sleep(0.001)
        second = threading.Thread(target=together)
        second.start()
        order.append("before")
    first.join(10), second.join(10)
    assert order == ["before", "alone", "together"]


def test_without_files_the_page_says_what_to_give(open_page):
    page = open_page("filters", filters_network="Upload")
    assert not page.exception and not shown_cards(page)
    assert "Give the weights and pictures" in page.info[0].value


def test_without_classes_only_the_output_error_is_shown(upload, figures):
    page = upload()
    assert not page.exception and not page.error
    assert list(figures(page)) == [name for name in FIGURES if "Accuracy" not in name]
    assert any("11 others" in caption.value for caption in page.caption)  # of 160, 149 measure sensitivities
    assert page.button(key="start_curves")  # nothing long starts by itself


def test_the_scaling_that_makes_no_sense_is_refused_and_the_usual_one_used(upload, errors):
    page = upload()
    page.text_input(key="filters_std").set_value("0, 1, 1").run()
    assert "three numbers" in errors(page)[0] and shown_cards(page)


def test_with_classes_accuracy_is_shown(upload, figures):
    page = upload(x=pictures(), y=np.arange(160) % 10)
    assert not page.exception and not page.error and list(figures(page)) == FIGURES


def test_float_pictures_are_taken_as_they_are(files):
    x = np.random.default_rng(0).standard_normal((3, 3, 32, 32))
    images, labels, shown = filters_upload.read_pictures(str(files(x=x)[1]), (0.5,) * 3, (0.2,) * 3)
    np.testing.assert_allclose(images, x, rtol=1e-6)
    assert labels is None and shown.shape == (3, 32, 32, 3) and shown.min() == 0 and shown.max() == 1


def test_uint8_pictures_are_scaled_by_colour(files):
    images, labels, _ = filters_upload.read_pictures(
        str(files(x=np.full((2, 32, 32, 3), 255, np.uint8), y=[1, 2])[1]), (0.5, 0, 0), (0.2, 1, 2)
    )
    np.testing.assert_allclose(images[0, :, 0, 0], [2.5, 1, 0.5], rtol=1e-6)
    assert labels.tolist() == [1, 2]


REFUSED = {
    "grey pictures": (
        {"x": np.zeros((160, 32, 32, 1), np.uint8)},
        r"x must be uint8 \(n, 32, 32, 3\).*got uint8 \(160, 32, 32, 1\)",
    ),
    "large pictures": ({"x": np.zeros((2, 3, 64, 64), np.float32)}, "x must be"),
    "whole numbers": ({"x": np.zeros((160, 32, 32, 3), np.int64)}, "got int64"),
    "no x": ({"images": np.zeros(3)}, "an array named x, this file holds images"),
    "objects": ({"x": np.array([None, 1], dtype=object)}, "Python objects"),
    "too few": ({"x": pictures(20)}, "at least 150 are needed, got 20"),
    "NaN": ({"x": np.full((160, 3, 32, 32), np.nan, np.float32)}, "NaN or infinity"),
    "a class too many": ({"x": pictures(), "y": np.full(160, 10)}, "labels must be from 0 to 9"),
    "too few classes": ({"x": pictures(), "y": np.zeros(3, int)}, r"whole numbers \(160,\), got int64 \(3,\)"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_pictures_that_do_not_fit_are_refused_in_a_sentence(upload, errors, case):
    arrays, words = REFUSED[case]
    page = upload(**arrays)
    assert not page.exception and not shown_cards(page) and len(errors(page)) == 1
    assert re.search(words, errors(page)[0])


def test_weights_of_another_network_are_refused(upload, errors):
    assert "not of a ResNet56" in errors(upload(name="ResNet56"))[0]


def test_what_is_no_state_dict_is_refused(upload, errors):
    assert "holds no state_dict" in errors(upload(weights={"epoch": 3}))[0]


def test_nan_weights_are_refused_naming_the_layer(upload, errors):
    torch.manual_seed(0)
    weights = pruning.NETWORKS["ResNet20"][0](3).state_dict()
    weights["conv1.weight"][0] = torch.nan
    page = upload(weights=weights)
    assert not page.exception and not shown_cards(page) and "not finite" in errors(page)[0]


def test_a_budget_that_is_refused_leaves_the_controls(open_page, errors, monkeypatch):
    def refuse(*given):
        raise ValueError("keep must be at least 0.048 of the flops, which is one filter a layer, got 0.01")

    with monkeypatch.context() as patch:
        patch.setattr("pages.parts.filters.fits.prune", refuse)
        page = open_page("filters", filters_keep=33)
        assert not page.exception and "one filter a layer" in errors(page)[0] and not shown_cards(page)
    page = moved(page, "filters_keep", 34)
    assert not page.error and shown_cards(page)


@pytest.fixture(scope="module")
def smaller():
    subject = digits()
    return pruning.prune(subject.network, subject.batch, keep=0.3, studied=study_of(subject, "largest"))[0]


def test_the_code_on_the_page_opens_the_weights(smaller, tmp_path):
    path = tmp_path / "weights.pt"
    path.write_bytes(filters_export.weights_of(smaller))
    names = {}
    exec(filters_export.CODE.format(make="pruning.Digits()", file=path), names)
    images = pruning.digits().judge[0][:7]
    with torch.no_grad():
        assert torch.equal(names["network"](images), smaller(images))
    assert torch.load(BytesIO(path.read_bytes()), weights_only=True).keys() == smaller.state_dict().keys()


def test_the_maker_of_an_uploaded_network_makes_it():
    network = eval(filters_export.maker("ResNet56", 7), {"pruning": pruning})
    assert network.linear.out_features == 7 and len(network.layer1) == 9


def test_onnx_gives_the_same_scores_for_any_number_of_pictures(smaller):
    pytest.importorskip("onnxruntime")
    images = pruning.digits().judge[0]
    content = filters_export.onnx_of(smaller, images[:2])
    assert filters_export.differs(content, smaller, images[:1]) < 1e-5
    assert filters_export.differs(content, smaller, images[:33]) < 1e-5


def test_onnx_comes_on_a_button(open_page):
    page = open_page("filters")
    page.button(key="write_onnx").click().run()
    assert not page.exception and not page.error
    assert not any(button.key == "write_onnx" for button in page.button)
