"""The answers of a dial say what the page says once it is let go."""

import json

import numpy as np
import pytest

from pages.parts.controls import Choice, Real, Whole
from pages.parts.dial.answers import Answers, Figure, Line, Ring, message
from tests.pages.drawn import charts, moved, shown_cards, told


def answered(page, key, value):
    """The answers of a dial at a value, in words: figures and marks."""
    table = next(each for each in told(page, "answers") if each["key"] == key)
    row, words = table["values"].index(value), table["words"]
    figures = {key: [words[word] for word in rows[row]] for key, rows in table["figures"].items()}
    marks = {key: [[words[mark[0]], words[mark[2]], *mark[3:]] for mark in rows[row]] for key, rows in table["marks"].items()}
    return figures, marks


def test_while_j_moves_spectrum_tells_what_it_tells_when_j_stands_there(open_page):
    page = open_page("spectrum", j=3, precision="int8", weights="order:0.5")
    figures, marks = answered(page, "j", 9)
    moved(page, "j", 9)
    shown = [[card.label, card.value, card.delta, card.delta_color, card.about] for card in shown_cards(page)]
    assert [figures["cards"][at : at + 5] for at in range(0, len(figures["cards"]), 5)] == shown
    for chart in charts(page):
        there = [[mark["name"], mark["text"], mark["x"], *([mark["y"]] if "y" in mark else [])] for mark in chart["marks"]]
        assert [mark[:3] for mark in marks[chart["key"]]] == [mark[:3] for mark in there]
        assert np.allclose([mark[-1] for mark in marks[chart["key"]]], [mark[-1] for mark in there], rtol=1e-5)


def test_answers_do_not_hang_on_where_the_dial_stands(open_page):
    page = open_page("spectrum", j=3)
    before = told(page, "answers")
    assert told(moved(page, "j", 9), "answers") == before


def test_a_message_of_answers_is_json_and_writes_a_word_once():
    cards = [Figure("Size", "1 MB", help="not sent"), Figure("Error", "0.5", "1 MB", "off")]
    table = Answers([1, 2], {"cards": [cards, cards]}, {"chart": [[Line("cut", 1, "j"), Ring("at", 1, np.nan)]] * 2})
    said = json.loads(json.dumps(message(table)))
    assert len(said["words"]) == len(set(said["words"])) and "not sent" not in said["words"]
    assert said["marks"]["chart"][0][1][-1] is None and said["values"] == [1, 2]


@pytest.mark.parametrize(
    "setting, said, held",
    [
        (Whole("w", 1, 9, 4), 7.0, 7),
        (Whole("w", 1, 9, 4), 70, None),
        (Real("r", 1.0, 2.0, 1.5, 2), 1.25, 1.25),
        (Real("r", 1.0, 2.0, 1.5, 2), float("nan"), None),
        (Choice("c", (10, 20, 40), 20), 2.0, 40),
        (Choice("c", (10, 20, 40), 20), 3, None),
        (Choice("c", (10, 20, 40), 20), -1, None),
    ],
)
def test_what_a_browser_says_of_a_dial_is_believed_within_its_bounds_only(monkeypatch, setting, said, held):
    session = {}
    monkeypatch.setattr("streamlit.session_state", session)
    setting.put_at(list(setting.labels), said) if isinstance(setting, Choice) else setting.put(said)
    assert session == ({} if held is None else {setting.key: held})
