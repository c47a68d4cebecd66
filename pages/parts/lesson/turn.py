"""Lines of a chart that a person turns by dragging them; the dials of their angles go along, answer, and serve the keyboard."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import streamlit as st

from pages.parts.dial.answers import source

_turn = st.components.v2.component(
    "flatland_lesson_turn", js=source("answers.js") + "\n" + Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
)


def turn(chart: str, dials: Sequence[str], centre: np.ndarray, across: float) -> None:
    """chart: the key of a plotly chart with x and y in one scale, both 0 in the middle. dials: the keys of its lines' angles, in
    degrees. centre: (2,) where the lines meet. across: how much of x is shown."""
    data = {"chart": chart, "keys": list(dials), "centre": centre.astype(float).tolist(), "across": float(across)}
    _turn(key="lesson_turn", data=data, height=1)
