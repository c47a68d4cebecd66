"""Arrays in, plotly figures out: one look for every chart, and no streamlit.

Backgrounds, text and grid are left to the page's theme, so that a figure is right in light and dark; everything else is set here.
"""

from html import escape
from typing import Any

import numpy as np
import plotly.graph_objects as go
import plotly.io as pio

from compress.charts.palette import CATEGORIES
from compress.methods import METHODS

METHOD_COLOURS = {
    "svd": CATEGORIES[0],
    "projective": CATEGORIES[3],
    "lp": CATEGORIES[1],
    "light_token": CATEGORIES[6],
    "trellis": "#AA33FF",  # the colour furthest from all the others by the measure of palette.py
    "pq": CATEGORIES[5],
    "opq": CATEGORIES[7],
    "rq": CATEGORIES[9],
    "int8": CATEGORIES[2],
    "int4": CATEGORIES[4],
    "dimensions": "#99BB88",  # by the same measure, of those with a hue
    "groups": "#8888EE",
    "blocks": "#CC11BB",
}
FREE_COLOURS = [colour for colour in CATEGORIES if colour not in METHOD_COLOURS.values()]
METHOD_COLOURS |= dict(zip([name for name in METHODS if name not in METHOD_COLOURS], FREE_COLOURS, strict=False))
METHOD_SYMBOLS = {"trellis": "star", "light_token": "pentagon", "pq": "cross", "opq": "x", "rq": "hexagon", "trimmed": "bowtie"}
METHOD_SYMBOLS |= {"groups": "hourglass", "blocks": "star-square"}
PRECISION_SYMBOLS = {32: "circle", 16: "square", 8: "diamond", 4: "triangle-up"}
PRECISION_NAMES = {32: "float32", 16: "float16", 8: "int8", 4: "int4"}
MUTED = "rgba(128, 128, 128, 0.8)"
FLOOR = 1e-6  # of an error on a log axis

AXIS = {"automargin": True, "title": {"standoff": 8, "font": {"size": 13}}, "tickfont": {"size": 12}}

pio.templates["flatland"] = go.layout.Template(
    layout={
        "colorway": CATEGORIES,
        "font": {"size": 13},
        "margin": {"l": 48, "r": 16, "t": 36, "b": 48},
        "height": 380,
        "hoverlabel": {"namelength": -1},
        "legend": {"orientation": "h", "yanchor": "bottom", "y": 1.0, "xanchor": "left", "x": 0},
        "xaxis": AXIS,
        "yaxis": AXIS,
        "uirevision": "kept",
    }
)


def figure(x: str, y: str, **layout: Any) -> go.Figure:
    """An empty figure in the house's look, with its axis titles."""
    return go.Figure(layout={"template": "flatland", "xaxis": {"title": {"text": x}}, "yaxis": {"title": {"text": y}}, **layout})


def plain(text: str) -> str:
    """Text as plotly shows it: what reads as a tag is escaped."""
    return escape(str(text), quote=False)


def log_range(values: np.ndarray, decades: float = 4) -> list[float]:
    """The range of a log axis that shows the positive values, at most so many decades."""
    positive = values[values > 0]
    high = np.log10(positive.max()) if len(positive) else 0.0
    low = max(np.log10(positive.min()), high - decades) if len(positive) else -1.0
    return [low - 0.05, high + 0.1]
