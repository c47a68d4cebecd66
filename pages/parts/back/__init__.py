"""The browser's *Back* goes one deliberate step: to the page before, as it was left, or to the lesson's step before.

Streamlit writes an entry of history for every setting that it puts into the address of a page that is opened, and some for the page
that is left, so that *Back* would walk through addresses that nobody has seen. Here a page is one entry, and moved settings change
its address in place.
"""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

_back = st.components.v2.component("flatland_back", js=(Path(__file__).parent / "back.js").read_text(encoding="utf-8"))


def one_step_back(steps: Sequence[str]) -> None:
    """steps: names in the address whose change is a step of its own."""
    _back(key="one_step_back", data={"steps": list(steps)}, height=1)
