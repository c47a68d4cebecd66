"""Recall as the measure of Trade-offs: nothing is shown that is not counted, one button counts it, other codes beside."""

import json

import pytest

import compress
from compress import METHODS, SVD
from compress.__main__ import main
from compress.analysis.search import held_out, search, truth_of
from compress.tuning.counting import PeersKept
from compress.tuning.recalls import RECALL, key_of
from compress.tuning.sweep import Trials
from tests.pages.drawn import drawn, shown_cards


@pytest.fixture
def counted(cache, capsys):
    """The recall of the toy's SVD and rounding, counted into the cache by the command line."""
    assert main(["recall", "toy", "--out", str(cache / "trials"), "--json"]) == 0
    return {row["setting"]: row for row in map(json.loads, capsys.readouterr().out.splitlines())}


def test_without_a_count_there_is_a_button_and_no_chart(open_page):
    page = open_page("tradeoffs", error_measure=RECALL)
    assert not page.exception and not drawn(page)
    assert page.button(key="count_recall").label.startswith("Count recall of ")


def test_what_is_counted_is_drawn_and_its_cards_say_recall(open_page, cache, counted):
    page = open_page("tradeoffs", error_measure=RECALL, budget_ratio=4)
    assert not page.exception and "count_recall" not in {button.key for button in page.button}
    matrix, store = compress.load_matrix("toy"), Trials(cache / "trials" / "trials.sqlite")
    known = {trial.method: trial.figures for trial in store.of(key_of(matrix))}
    (chart,) = drawn(page)
    names = {trace.get("name") for trace in chart["data"]}
    assert {"vector databases", "the same, rescored"} <= names and chart["layout"]["yaxis"]["title"]["text"] == "1 − recall@10"
    others = [name for name in counted if name.split("(")[0] not in METHODS]
    assert sorted(others) == sorted(name for name, *_ in PeersKept(store.path).of(matrix.digest)) and len(others) > 8
    method = next(each for each in known if isinstance(each, SVD))
    wanted = search(matrix, method.fit(matrix), truth_of(matrix, held_out(matrix), "cosine")).recall()
    assert known[method][RECALL] == pytest.approx(wanted, abs=1e-4) == counted[str(method)][RECALL]
    best = max(figures[RECALL] for figures in known.values() if figures["ratio"] >= 4)
    assert f"{best:.3f}" in {card.value for card in shown_cards(page)}
