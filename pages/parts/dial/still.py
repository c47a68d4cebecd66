"""A part of a page that is drawn once a hand, which has just been answered, was still for a moment."""

import time
from collections.abc import Callable

import streamlit as st

from pages.parts.dial.answers import source

SECONDS = 0.55  # without a change, in which a hand does not come to another dial

_still = st.components.v2.component("flatland_still", js=source("still.js"))


def once_still(draw: Callable[[], None], key: str) -> None:
    """Draws a part of the page by itself, a moment after all that is drawn before it."""
    with st.container(gap=None, key=key):
        drawn_later(draw, key, time.monotonic())


@st.fragment
def drawn_later(draw: Callable[[], None], key: str, run: float) -> None:
    """run: of the page, by its time."""
    if _still(key=f"{key} still", data={"run": run, "seconds": SECONDS}, on_still_change=lambda: None, height=1).still:
        draw()
