"""A part of a page that is drawn behind the rest: where a hand has just been answered, once it was still for a moment."""

import time
from collections.abc import Callable
from contextlib import nullcontext

import streamlit as st

from pages.parts.dial.answers import source
from pages.parts.frame import let_go
from pages.parts.work.turns import in_turn

SECONDS = 0.5  # without a change, in which a hand that has let go of a dial does not come to another

_still = st.components.v2.component("flatland_still", js=source("still.js"))


def once_still(draw: Callable[[], None], key: str, until: Callable[[], None] = lambda: None) -> None:
    """Draws a part of the page by itself, after all that is drawn before it. until: what is drawn there before."""
    with st.container(gap=None, key=key):
        drawn_later(draw, key, until, time.monotonic(), SECONDS if let_go() else 0.0)


@st.fragment
def drawn_later(draw: Callable[[], None], key: str, until: Callable[[], None], run: float, seconds: float) -> None:
    """run: of the page, by its time. seconds: that it was still."""
    place = st.container(gap=None)
    still = _still(key=f"{key} still", data={"run": run, "seconds": seconds}, on_still_change=lambda: None, height=1).still
    with place, in_turn(behind=True) if still else nullcontext():
        (draw if still else until)()
