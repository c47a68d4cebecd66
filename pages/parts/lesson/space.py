"""Points and flats in 3-D that can be turned: drag, or the arrow keys once it has the focus.

A canvas of our own: it needs no WebGL, and is drawn in a few milliseconds.
"""

from pathlib import Path

import numpy as np
import streamlit as st

from compress.lesson import flats
from pages.parts.dial.answers import source, stands

HERE = Path(__file__)
_space = st.components.v2.component(
    "flatland_lesson_space",
    html='<div class="space"><p class="legend"></p><canvas role="img" tabindex="0"></canvas></div>',
    css=HERE.with_suffix(".css").read_text(encoding="utf-8"),
    js=source("answers.js") + "\n" + HERE.with_suffix(".js").read_text(encoding="utf-8"),
)


def space(history: flats.History, step: int, *, key: str, label: str, height: str) -> None:
    """Draws the points and the flats after a step. label: what a screen reader says. height: of the canvas, as CSS says it."""
    data = {
        "key": key,
        "at": dict(stands()),
        "points": np.round(history.matrix.values, 4).tolist(),
        "colours": list(flats.COLOURS),
        "label": f"{label}. Drag or press the arrow keys to turn.",
        "height": height,
        **picture(history, step),
    }
    _space(key=key, data=data, height="content")


def picture(history: flats.History, step: int) -> dict[str, list | None]:
    """What hangs on k and j: labels (n,), the flat of each point, and feet (n, 3), the ends of their sticks, both None while there
    are none; and outlines of the flats, each (2, 3) for a line or (4, 3) for a plane."""
    moment = history.moments[step]
    there = moment.labels is not None
    return {
        "labels": moment.labels.tolist() if there else None,
        "feet": np.round(flats.feet(history.matrix, moment), 4).tolist() if there else None,
        "outlines": [np.round(flats.outline(basis), 4).tolist() for basis in moment.flats.bases],
    }
