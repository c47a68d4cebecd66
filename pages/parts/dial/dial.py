"""A slider that is answered while it is dragged: its answers are in the browser, and the server hears of it when it is let go."""

import math
from collections.abc import Callable, Sequence

import streamlit as st

from pages.parts.dial.answers import source, stands
from pages.parts.frame import MOVED

_dial = st.components.v2.component(
    "flatland_dial",
    html=source("dial.html"),
    css=source("shared.css", "dial.css"),
    js=source("answers.js", "help.js", "dial.js"),
)


def dial(
    key: str,
    label: str,
    value: float,
    bounds: tuple[float, float],
    step: float,
    take: Callable[[float], None],
    *,
    usual: float,
    written: Sequence[str] | None = None,
    texts: Sequence[str] | None = None,
    help: str | None = None,
) -> None:
    """Draws a range input that stands at a value.

    take: is told where it was let go, before the page runs again. The address hears of it at once, also where a person leaves the
    page before it has run. usual: what no address names. written, texts: how the address spells each step, and what the dial says
    there; the number itself unless given.
    """
    low, high = bounds
    stands()[key] = value
    data = {
        "key": key,
        "label": label,
        "value": value,
        "low": low,
        "high": high,
        "step": step,
        "usual": usual,
        "written": written,
        "texts": texts,
        "help": help,
        "move": st.session_state.get(heard(key), 0),
    }
    _dial(key=f"{key} dial", data=data, on_moved_change=lambda: hear(key, take))


def heard(key: str) -> str:
    """Where the session has the number of the last move that it was told of: an older one is not answered by going back there."""
    return f"{key} heard"


def hear(key: str, take: Callable[[float], None]) -> None:
    """Takes what the browser says, which can be anything."""
    try:
        told = st.session_state[f"{key} dial"].moved  # which is not there where the page was just left
        move, value = int(told["move"]), float(told["value"])
    except (TypeError, ValueError, KeyError, OverflowError):
        return
    if not math.isfinite(value):
        return
    st.session_state[heard(key)] = move
    st.session_state[MOVED] = True
    take(value)
