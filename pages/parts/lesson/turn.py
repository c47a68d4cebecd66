"""Lines of a chart that a person turns by dragging them; the sliders of their angles follow, and serve the keyboard."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import streamlit as st

_turn = st.components.v2.component("flatland_lesson_turn", js=Path(__file__).with_suffix(".js").read_text(encoding="utf-8"))
KEY = "lesson_turn"


def turn(chart: str, angles: Sequence[int], sliders: Sequence[str], centre: np.ndarray, across: float) -> None:
    """chart: the key of a plotly chart with x and y in one scale, both 0 in the middle. angles: of its lines, in degrees; sliders:
    the keys of those. centre: (2,) where the lines meet. across: how much of x is shown."""
    data = {"chart": chart, "angles": list(angles), "centre": centre.astype(float).tolist(), "across": float(across)}
    _turn(key=KEY, data=data, height=1, on_turned_change=lambda: turned(sliders))


def turned(sliders: Sequence[str]) -> None:
    """Sets the slider of the line that was turned."""
    told = st.session_state[KEY].turned
    line, angle = told["line"], told["angle"]
    if line in range(1, len(sliders) + 1) and angle in range(180):
        st.session_state[sliders[line - 1]] = angle
