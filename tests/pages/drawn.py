"""What the charts of a page that runs without a browser are drawn from."""

import json
from base64 import b64decode
from types import SimpleNamespace

import numpy as np


def charts(page) -> list[dict]:
    """What each chart was told, its figure too, in the order of the page."""
    figures = {each["digest"]: each["figure"] for each in told(page, "plot")}
    return [{**each, "figure": figures[each["digest"]]} for each in told(page, "live_chart")]


def drawn(page) -> list[dict]:
    """Their plotly figures."""
    return [json.loads(chart["figure"]) for chart in charts(page)]


def told(page, component: str) -> list[dict]:
    """What each component of that name was told, in the order of the page."""
    parts = [each.proto for each in page.get("bidi_component")]
    found = [json.loads(each.json) for each in parts if each.component_name == f"flatland_{component}"]
    return [answered_by_row(each) for each in found] if component == "answers" else found


def answered_by_row(table: dict) -> dict:
    """What a dial answers, with the words of its cards by value, where the message has them by column, and arrays of numbers."""
    count = len(table["values"])
    rows = {
        key: [
            [word for card in zip(*[iter(row)] * 5, strict=True) if card[0] for word in card]
            for row in zip(*(each if isinstance(each, list) else [each] * count for each in columns), strict=True)
        ]
        for key, columns in table["figures"].items()
    }
    traces = {
        key: {name: {path: by_value(each, table["words"]) for path, each in paths.items()} for name, paths in traces.items()}
        for key, traces in table["traces"].items()
    }
    return table | {"figures": rows, "traces": traces}


def by_value(told: dict, words: list[str]) -> list:
    """An attribute of a trace at every value."""
    rows = [[words[word] for word in row] for row in told["rows"]] if told["words"] else unpacked(told["rows"])
    return [rows[row] for row in told["at"]]


def unpacked(packed: dict) -> list:
    """The array that a message holds in bytes."""
    halves = np.frombuffer(b64decode(packed["halves"]), "<f2").astype(float)
    rows = (packed["unit"] * halves).reshape(-1, packed["points"]).tolist()
    return [[None if np.isnan(number) else number for number in row] for row in rows]


def shown_cards(page) -> list[SimpleNamespace]:
    """The cards of a page, each with its label, value, delta and help."""
    return [SimpleNamespace(**card) for row in told(page, "figures") for card in row["cards"]]


def stands(page, key: str) -> float:
    """Where the dial of a setting stands."""
    return next(each["value"] for each in told(page, "dial") if each["key"] == key)


def moved(page, key: str, value):
    """The page once a dial was let go at a value."""
    page.session_state[key] = value
    return page.run()


def numbers(values) -> np.ndarray:
    """An attribute of a trace, which plotly may have written in base64."""
    return np.frombuffer(b64decode(values["bdata"]), values["dtype"]) if isinstance(values, dict) else np.array(values)
