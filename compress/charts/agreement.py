"""The chart of groups of rows against the categories of a column."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from compress.charts.figure import figure, plain
from compress.charts.palette import SEQUENTIAL

MOST_LETTERS = 28  # of a category's name on its axis
MOST_WRITTEN = 12  # subspaces up to which counts stand in the cells
LINE, AROUND = 30, 130  # pixels of a category, and of what stands over and under all


def counts_by_category(counts: np.ndarray, names: Sequence[str]) -> go.Figure:
    """Rows of each category (c, k) in each of k subspaces, as text; as colour the share of the category's rows. names: of the c."""
    c, k = counts.shape
    shares = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    chart = figure("subspace", "", height=AROUND + LINE * c)
    chart.add_heatmap(
        x=[str(z + 1) for z in range(k)],
        y=[f"{at + 1}. {plain(shortened(name))}" for at, name in enumerate(names)],  # numbered: two may be shortened to one text
        z=shares,
        zmin=0,
        zmax=100,
        colorscale=[[i / (len(SEQUENTIAL) - 1), colour] for i, colour in enumerate(SEQUENTIAL)],
        colorbar={"title": {"text": "%"}, "thickness": 14},
        text=[[f"{count:,}" for count in row] for row in counts],
        texttemplate="%{text}" if k <= MOST_WRITTEN else None,
        hovertemplate="%{y}<br>subspace %{x}: %{text} rows, %{z:.0f} %<extra></extra>",
    )
    chart.update_xaxes(type="category")
    return chart.update_yaxes(type="category", autorange="reversed")


def shortened(name: str) -> str:
    """A name as its axis has room for."""
    return name if len(name) <= MOST_LETTERS else f"{name[: MOST_LETTERS - 1]}…"
