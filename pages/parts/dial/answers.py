"""What a page shows for every value of a slider, told to the browser before a hand asks for it."""

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

STANDS = "dials"  # in the session's state: what each dial stood at when it was last drawn, by its key


def source(*names: str) -> str:
    return "\n".join((Path(__file__).parent / name).read_text(encoding="utf-8") for name in names)


@dataclass(frozen=True)
class Figure:
    """A figure in a card, in words. delta, delta_color: below it, as `st.metric` takes them. about: how the delta goes on, in grey.
    help: what the sign beside the label tells."""

    label: str
    value: str
    delta: str | None = None
    delta_color: str = "normal"
    about: str | None = None
    help: str | None = None


@dataclass(frozen=True)
class Line:
    """An upright line over a chart, at x of its axis x, x2 or another. name: of the mark, which a dial moves."""

    name: str
    x: float
    text: str = ""
    axis: str = "x"


@dataclass(frozen=True)
class Ring:
    """A ring around a point of a chart."""

    name: str
    x: float
    y: float
    text: str = ""
    axis: str = "x"


Mark = Line | Ring


def cut(j: int) -> Line:
    """The line at the chosen j."""
    return Line("cut", j, f"j = {j}")


@dataclass(frozen=True, eq=False)
class Answers:
    """The answers at m values of a slider.

    values: (m,) of the slider, rising; what lies between two has the answer of the nearer. figures: the cards of a row, by its
    key, for each value. marks: those of a chart, by its key, for each value, in place of its own of the same names. traces: arrays
    (m, points), of numbers or of words, that stand for an attribute of a chart's trace, "x" or "marker.color", by the chart's key
    and the trace's name. sentences: by their keys, one for each value. pictures: by their keys, what a drawing of a page's own
    takes in place of what it was told, for each value.
    """

    values: Sequence[float] | np.ndarray
    figures: Mapping[str, Sequence[Sequence[Figure]]] = field(default_factory=dict)
    marks: Mapping[str, Sequence[Sequence[Mark]]] = field(default_factory=dict)
    traces: Mapping[str, Mapping[str, Mapping[str, np.ndarray]]] = field(default_factory=dict)
    sentences: Mapping[str, Sequence[str]] = field(default_factory=dict)
    pictures: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)

    @cached_property
    def message(self) -> dict[str, Any]:
        """As it is sent."""
        return message(self)


_answers = st.components.v2.component("flatland_answers", js=source("answers.js", "table.js"))


def stands() -> dict[str, float]:
    """What the dials of the page stand at, which is what the page now tells."""
    return st.session_state.setdefault(STANDS, {})


def tell(key: str, answers: Answers) -> None:
    """Sends the answers of the dial of that key, which shows nothing by itself. Equal answers are not sent again."""
    _answers(key=f"{key} answers", data={"key": key} | answers.message, height=1)


def tell_all(answers: Mapping[str, Answers]) -> None:
    """Sends those of several dials, by their keys."""
    for key, each in answers.items():
        tell(key, each)


def message(answers: Answers) -> dict[str, Any]:
    """Answers as JSON, in which every word stands once, and what shows words is their numbers in the list of all: of a row of cards
    five columns a card, each one number where it stays the same. What a trace has at several values stands once too."""
    numbers: dict[str | None, int] = {None: 0}

    def number(word: str | None) -> int:
        return numbers.setdefault(word, len(numbers))

    figures = {key: [once([number(word) for word in column]) for column in columns(rows)] for key, rows in answers.figures.items()}
    sentences = {key: [number(sentence) for sentence in each] for key, each in answers.sentences.items()}
    marks = {key: [[number_mark(mark, number) for mark in row] for row in rows] for key, rows in answers.marks.items()}
    return {
        "values": np.asarray(answers.values, float).tolist(),
        "figures": figures,
        "sentences": sentences,
        "marks": marks,
        "traces": {
            key: {name: {path: rows_once(values, number) for path, values in each.items()} for name, each in traces.items()}
            for key, traces in answers.traces.items()
        },
        "pictures": answers.pictures,
        "words": list(numbers),
    }


def columns(rows: Sequence[Sequence[Figure]]) -> Iterator[list[str | None]]:
    """The words of cards, one place of one card after another, at every value; a card that is not there has no words."""
    for at in range(max(map(len, rows), default=0)):
        for name in ("label", "value", "delta", "delta_color", "about"):
            yield [getattr(row[at], name) if at < len(row) else None for row in rows]


def once(column: list[int]) -> int | list[int]:
    return column[0] if len(set(column)) == 1 else column


def stacked(every: Sequence[Mapping[str, Mapping[str, np.ndarray]]]) -> dict[str, dict[str, np.ndarray]]:
    """What traces are at every value, by names and attributes, as Answers takes it."""
    return {
        name: {path: np.stack([each[name][path] for each in every]) for path in attributes} for name, attributes in every[0].items()
    }


def rows_once(values: np.ndarray, number) -> dict[str, Any]:
    """An array (m, points) by those of its rows that differ, and which of them each is; words as their numbers."""
    rows: dict[bytes, int] = {}
    at = [rows.setdefault(np.ascontiguousarray(row).tobytes(), len(rows)) for row in values]
    differ = values[[at.index(row) for row in rows.values()]]
    words = differ.dtype.kind == "U"
    return {
        "at": at,
        "rows": [[number(word) for word in row] for row in differ.tolist()] if words else packed(differ),
        "words": words,
    }


def number_mark(mark: Mark, number) -> list:
    """name, axis, text, x and, for a ring, y."""
    place = [short(mark.x)] + ([short(mark.y)] if isinstance(mark, Ring) else [])
    return [number(mark.name), number(mark.axis), number(mark.text), *place]


def short(value: float, digits: int = 6) -> float | None:
    """With so many digits; None for what is no number."""
    return float(f"{value:.{digits}g}") if np.isfinite(value) else None


def packed(values: np.ndarray) -> dict[str, Any]:
    """An array (m, points) with the digits that a screen can tell apart: as text the bytes of float16, of the largest number as
    near to 2¹⁵ as a power of two brings it."""
    values = np.asarray(values, float)
    largest = np.abs(values, where=np.isfinite(values), out=np.zeros_like(values)).max(initial=0)
    unit = 2.0 ** (np.ceil(np.log2(largest)) - 15) if largest > 0 else 1.0
    halves = np.where(np.isfinite(values), values / unit, np.nan).astype("<f2")
    return {"points": values.shape[1], "unit": unit, "halves": b64encode(halves.tobytes()).decode()}
