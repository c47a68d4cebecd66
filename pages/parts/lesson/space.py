"""Points and flats in 3-D that can be turned: drag, or the arrow keys once it has the focus.

A canvas of our own: it needs no WebGL, and is drawn in a few milliseconds.
"""

from pathlib import Path

import numpy as np
import streamlit as st

HERE = Path(__file__)
_space = st.components.v2.component(
    "flatland_lesson_space",
    html='<div class="space"><p class="legend"></p><canvas role="img" tabindex="0"></canvas></div>',
    css=HERE.with_suffix(".css").read_text(encoding="utf-8"),
    js=HERE.with_suffix(".js").read_text(encoding="utf-8"),
)


def space(
    points: np.ndarray,
    labels: np.ndarray | None,
    feet: np.ndarray | None,
    outlines: list[np.ndarray],
    colours: tuple[str, ...],
    *,
    key: str,
    label: str,
    height: str,
) -> None:
    """Draws points (n, 3), a stick from each to its foot (n, 3), and flats by outlines, each (2, 3) for a line or (4, 3) for a
    plane. labels (n,): the flat of each point; None while there are none. label: what a screen reader says. height: of the canvas,
    as CSS says it."""
    data = {
        "points": np.round(points, 4).tolist(),
        "labels": None if labels is None else labels.tolist(),
        "feet": None if feet is None else np.round(feet, 4).tolist(),
        "outlines": [np.round(each, 4).tolist() for each in outlines],
        "colours": list(colours),
        "label": f"{label}. Drag or press the arrow keys to turn.",
        "height": height,
    }
    _space(key=key, data=data, height="content")
