"""One setting of a screen: its key, its default, what it may be, how a text says it, and the widget that a person sets it with.

A setting's value is what the code works with. Its widget may hold another one, such as the label "int8" for 8 bits: that is what
stands in the session's state, and in the address as text. What is read from either is believed only within bounds. A dial is no
widget of Streamlit's: the session holds what it stands at, and the page writes the address.
"""

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import streamlit as st

from compress.charts.figure import PRECISION_NAMES
from pages.parts.dial.dial import dial
from pages.parts.frame import came_back

KEPT = {"bind": "query-params", "persist_state": "session"}  # in the address, and from page to page
STAYING = {"persist_state": "session"}  # from page to page only

Shape = tuple[int, int]
ANY: Shape = (2**62, 2**62)  # a matrix that bounds nothing


@dataclass(frozen=True, eq=False)
class Setting:
    """key: of the widget, in the session's state and in the address."""

    key: str

    def held(self, shape: Shape = ANY):
        """What was asked for, within what a matrix of that shape allows; else the default."""
        value = self.asked()
        return self.usual(shape) if value is None else self.bounded(value, shape)

    def asked(self):
        """What the session holds, else what the address says; None for nothing that can be used."""
        held = self.key in st.session_state
        return self.parse(st.session_state[self.key]) if held else self.read(st.query_params.get_all(self.key))

    def parse(self, held):
        """The value that a widget's value, or its text, stands for; None for none."""
        return held or None

    def read(self, texts: list[str]):
        """The value that the texts of an address stand for; None for none."""
        return self.parse(texts[-1]) if texts else None

    def usual(self, shape: Shape):
        """The default."""

    def bounded(self, value, shape: Shape):
        """The value, or the nearest to it that a matrix of that shape allows."""
        return value

    def takes(self, value) -> bool:
        """Whether the widget can hold a value, for a matrix that bounds nothing."""
        return True

    def spelled(self, value):
        """The value as the widget holds it."""
        return value

    def texts(self, here: bool) -> list[str]:
        """What a link says of it: as the session holds it, else, on its own page, as the address does; empty for no value."""
        held = st.session_state.get(self.key)
        if held is not None:
            return self.written(held)
        said = st.query_params.get_all(self.key) if here else []
        return said if self.read(said) is not None else []

    def as_usual(self, shape: Shape) -> bool:
        """Whether the session holds the default, which no address names."""
        held, first = st.session_state.get(self.key), st.session_state.get(self.first)
        return held is not None and (held == first or self.parse(held) == self.usual(shape))

    @property
    def first(self) -> str:
        """Where the session has what the widget showed at first, of options that only its page knows."""
        return f"{self.key} at first"

    def standing(self, shape: Shape = ANY):
        """What a dial stands at, which the session holds from then on: what a person came back to, else what was held."""
        said = self.read(st.query_params.get_all(self.key)) if came_back() else self.held(shape)
        value = self.usual(shape) if said is None else self.bounded(said, shape)
        st.session_state[self.key] = self.spelled(value)
        return value

    def put(self, value) -> None:
        """Holds where a dial was let go, if it can be that."""
        if (taken := self.parse(value)) is not None and self.takes(taken):
            st.session_state[self.key] = self.spelled(taken)

    def written(self, held) -> list[str]:
        """What the widget holds, as the address spells it."""
        return [str(held)] if held != "" else []

    def take(self, texts: list[str]) -> None:
        """Holds what texts say, where that is a value, unless the session holds one."""
        value = self.read(texts)
        if value is not None and self.key not in st.session_state:
            st.session_state[self.key] = self.spelled(value)


@dataclass(frozen=True, eq=False)
class Whole(Setting):
    """A whole number. default: a number, or what follows from the most that the matrix allows. limit: the most for n rows and d
    columns. step: it is a multiple of that."""

    low: int
    high: int | None
    default: int | Callable[[int], int]
    limit: Callable[[int, int], int] | None = None
    step: int = 1

    def parse(self, held):
        try:
            return int(held)
        except (TypeError, ValueError):
            return None

    def bounds(self, shape: Shape) -> tuple[int, int]:
        mosts = ([] if self.high is None else [self.high]) + ([self.limit(*shape)] if self.limit else [])
        most = min(mosts)
        return (self.low, most - most % self.step) if most >= self.low else (most, most)

    def usual(self, shape):
        return self.bounded(self.default(self.bounds(shape)[1]) if callable(self.default) else self.default, shape)

    def bounded(self, value, shape):
        low, high = self.bounds(shape)
        return min(max(value - value % self.step, low), high)

    def takes(self, value):
        return self.low <= value and (self.high is None or value <= self.high)

    def spelled(self, value):
        return value - value % self.step

    def dial(self, label: str, shape: Shape = ANY, help: str | None = None) -> int:
        """Answered while it moves."""
        low, high = self.bounds(shape)
        if low >= high:  # a matrix with one column, say
            st.caption(f"{label}: {low}, the only choice for this matrix.")
            return low
        value = self.standing(shape)
        dial(self.key, label, value, (low, high), self.step, self.put, usual=self.usual(shape), help=help)
        return value

    def draw(self, label: str, shape: Shape = ANY, help: str | None = None, disabled: bool = False) -> int:
        low, high = self.bounds(shape)
        if low >= high:
            st.caption(f"{label}: {low}, the only choice for this matrix.")
            return low
        held = st.session_state.get(self.key)
        if isinstance(held, int) and held != self.bounded(held, shape):  # another matrix was opened
            st.session_state[self.key] = self.bounded(held, shape)
        drawn = st.slider(label, low, high, self.usual(shape), self.step, key=self.key, help=help, disabled=disabled, **KEPT)
        return self.bounded(drawn, shape)

    def field(self, label: str, help: str | None = None, **how) -> int:
        """A box to type it into."""
        low, high = self.bounds(ANY)
        st.number_input(label, low, high, self.usual(ANY), self.step, key=self.key, help=help, **how, **KEPT)
        return self.held()


@dataclass(frozen=True, eq=False)
class Real(Setting):
    """A number. default: None where there may be none. digits: behind the point."""

    low: float
    high: float
    default: float | None
    digits: int | None = None

    def parse(self, held):
        try:
            value = float(held)
        except (TypeError, ValueError):
            return None
        if not self.low <= value <= self.high:
            return None
        return value if self.digits is None else round(value, self.digits)

    def usual(self, shape):
        return self.default

    def takes(self, value):
        return self.default is None if value is None else self.low <= value <= self.high

    def spelled(self, value):
        return None if value is None else float(value)

    def dial(self, label: str, step: float, help: str | None = None) -> float:
        """Answered while it moves."""
        value = self.standing()
        digits = max(0, -math.floor(math.log10(step)))
        steps = round((self.high - self.low) / step)
        values = [round(self.low + at * step, digits) for at in range(steps + 1)]
        says = {"written": [*map(str, values)], "texts": [f"{each:.{digits}f}" for each in values]}
        dial(self.key, label, value, (self.low, self.high), step, self.put, usual=self.usual(ANY), help=help, **says)
        return value

    def draw(self, label: str, step: float, format: str | None = None, help: str | None = None, **how) -> float:
        st.slider(label, self.low, self.high, self.default, step, format, key=self.key, help=help, **how, **KEPT)
        return self.held()

    def field(self, label: str, step: float, format: str, placeholder: str, help: str | None = None) -> float | None:
        """A box to type it into, which may stay empty."""
        st.number_input(
            label, self.low, self.high, self.default, step, format, key=self.key, help=help, placeholder=placeholder, **KEPT
        )
        return self.held()


@dataclass(frozen=True, eq=False)
class Switch(Setting):
    """On or off; off at first."""

    def parse(self, held):
        return {"true": True, "false": False}.get(str(held).lower())

    def usual(self, shape):
        return False

    def written(self, held):
        return [str(held).lower()]

    def draw(self, label: str, help: str | None = None) -> bool:
        return st.toggle(label, key=self.key, help=help, **KEPT)


@dataclass(frozen=True, eq=False)
class Choice(Setting):
    """One of a few. options: the value of each by its label, or values that are their own labels. default: a value."""

    options: Mapping[object, object] | Collection
    default: object

    @property
    def labels(self) -> dict:
        return dict(self.options) if isinstance(self.options, Mapping) else {each: each for each in self.options}

    def parse(self, held):
        return next((value for label, value in self.labels.items() if str(label) == str(held)), None)

    def usual(self, shape):
        return self.default

    def takes(self, value):
        return value in self.labels.values()

    def spelled(self, value):
        return next(label for label, each in self.labels.items() if each == value)

    def draw(self, label: str, help: str | None = None):
        """Options side by side, in several lines where they are too wide for one."""
        usual = self.spelled(self.default)
        st.segmented_control(label, list(self.labels), default=usual, required=True, key=self.key, help=help, wrap=True, **KEPT)
        return self.held()

    def select(self, label: str, help: str | None = None):
        """Options in a list."""
        st.selectbox(label, list(self.labels), key=self.key, help=help, **KEPT)
        return self.held()

    def dial(self, label: str, help: str | None = None):
        """Options along a line, answered while it moves; its answers are by the places of the options, from 0."""
        labels = list(self.labels)
        value = self.standing()
        place = labels.index(self.spelled(value))
        texts, usual = [str(each) for each in labels], labels.index(self.spelled(self.default))
        says = {"written": texts, "texts": texts}
        dial(self.key, label, place, (0, len(labels) - 1), 1, lambda at: self.put_at(labels, at), usual=usual, help=help, **says)
        return value

    def put_at(self, labels: list, place: float) -> None:
        if 0 <= place < len(labels):
            st.session_state[self.key] = labels[int(place)]

    def slide(self, label: str, **how):
        """Options along a line."""
        st.select_slider(label, list(self.labels), self.spelled(self.default), key=self.key, **how, **KEPT)
        return self.held()


@dataclass(frozen=True, eq=False)
class Several(Setting):
    """Some of a few, or none of them. options: the value of each by its label. default: the values at first, in that order."""

    options: Mapping[str, object]
    default: Collection

    def parse(self, held):
        return [value for label, value in self.options.items() if label in held]

    def read(self, texts):
        return self.parse(texts) or ([] if texts == [""] else None)

    def usual(self, shape):
        return [*self.default]

    def spelled(self, value):
        return [label for label, each in self.options.items() if each in value]

    def written(self, held):
        return [*held] or [""]

    def draw(self, label: str) -> list:
        """Options side by side."""
        usual = self.spelled(self.default)
        st.pills(label, list(self.options), selection_mode="multi", default=usual, key=self.key, **KEPT)
        return self.held()


@dataclass(frozen=True, eq=False)
class Words(Setting):
    """What a person types, or takes from a list that only the screen knows and checks."""

    def draw(self, label: str, placeholder: str, **how) -> str:
        return st.text_input(label, key=self.key, placeholder=placeholder, **how, **KEPT) or ""

    def select(self, label: str, options: list[str], **how) -> str:
        """One of the options; the first, or that of `index`, where another was held."""
        if st.session_state.get(self.key) not in (None, *options):
            del st.session_state[self.key]  # of another matrix or network
        st.session_state[self.first] = options[how.get("index", 0)]
        return st.selectbox(label, options, key=self.key, **how, **KEPT)


def rank(key: str) -> Whole:
    """The dimension of a subspace: at first 60, or a tenth of what a smaller matrix allows."""
    return Whole(key, 1, None, usual_rank, min)


def usual_rank(most: int) -> int:
    return 60 if most > 120 else max(1, most // 10)


def precision(key: str) -> Choice:
    """The stored precision of factors, in bits."""
    return Choice(key, {name: bits for bits, name in PRECISION_NAMES.items()}, 16)


STORED_AS = "Factors stored as"
ABOUT_PRECISION = "int8 and int4 carry their scales; the basis, which every row shares, keeps at least 8 bits."
