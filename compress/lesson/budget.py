"""Rank is a budget: a drawn picture and the rows of a table, each as the closest matrix of rank j."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.utils import image_array_to_data_uri

from compress.analysis.curves import Nested, nested, svd_errors
from compress.charts.figure import MUTED
from compress.charts.palette import CATEGORIES
from compress.files import bytes_text
from compress.form.metrics import error_text
from compress.matrix import EmbeddingMatrix
from compress.methods import SVD
from compress.sources.order import ranks

RANKS = (1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 128)
HIGH, WIDE = 128, 208  # points of the picture
SHOWN = 64  # rows of the table that are shown
BITS = 16  # of a stored number
SPREAD = 2.5  # standard deviations from grey to black and to white
GUESS = "your guess for the rows"
PICTURE, WORDS = CATEGORIES[0], CATEGORIES[3]


@dataclass(frozen=True, eq=False)
class Budget:
    """A matrix at every rank at once. name: of its rows, many. shown: (s, d) the rows in the picture. fits: SVD's of all ranks.
    errors: (r + 1,) relative error over all rows for j = 0, 1, … white: the value that is drawn white, its negative black."""

    name: str
    shape: tuple[int, int]
    shown: np.ndarray
    fits: Nested
    errors: np.ndarray
    white: float

    def at(self, j: int) -> np.ndarray:
        """The shown rows (s, d) of the closest matrix of rank j."""
        return self.fits.coordinates(self.shown)[:, :j] @ self.fits.directions[:j]

    def n_bytes(self, j: int) -> int:
        """Bytes of both factors."""
        return SVD(j=j, factor_bits=BITS).size(*self.shape)

    @property
    def whole(self) -> int:
        """Bytes in float32."""
        return 4 * self.shape[0] * self.shape[1]

    def words(self, j: int, told: bool = True) -> str:
        """What rank j loses and takes; `told`: whether the error may be known."""
        n_bytes = self.n_bytes(j)
        error = f"error {error_text(self.errors[j])}" if told else "error ?"
        return f"{error}<br>{bytes_text(n_bytes)} of {bytes_text(self.whole)}<br>{self.whole / n_bytes:.3g} times smaller"


def budget(matrix: EmbeddingMatrix, name: str, rows: np.ndarray, white: float) -> Budget:
    """rows: those that the picture shows."""
    most = min(RANKS[-1], *matrix.shape)
    shown = np.ascontiguousarray(matrix.rows[rows])
    return Budget(name, matrix.shape, shown, nested(matrix, BITS, most)[0], svd_errors(matrix, BITS)[0], white)


def drawn(noise: bool = False) -> Budget:
    """The picture, or grey noise of its size."""
    values = np.random.default_rng(0).uniform(-1, 1, (HIGH, WIDE)).astype(np.float32) if noise else landscape()
    return budget(EmbeddingMatrix(values, name="picture"), "lines", np.arange(HIGH), 1.0)


def table(matrix: EmbeddingMatrix) -> Budget:
    """The rows of a table, of which the most used are shown."""
    return budget(matrix, "rows", np.argsort(ranks(matrix.tokens))[:SHOWN], SPREAD * float(matrix.values.std()))


def landscape() -> np.ndarray:
    """Hills, a sun over water, a house and a tree: (128, 208) float32, the mean 0, at most 1 away from it."""
    y, x = np.mgrid[0:HIGH, 0:WIDE] / HIGH
    grey = 0.55 + 0.35 * y  # the sky
    grey[np.hypot(x - 1.2, y - 0.22) < 0.12] = 1.0
    grey[y > 0.52 - 0.30 * np.exp(-(((x - 0.38) / 0.24) ** 2)) - 0.08 * np.sin(3 * x)] = 0.45
    grey[y > 0.62 - 0.14 * np.exp(-(((x - 1.4) / 0.3) ** 2)) + 0.03 * np.sin(11 * x)] = 0.28
    waves = 0.55 + 0.25 * np.sin(90 * y + 4 * np.sin(5 * x)) * (0.4 + np.exp(-(((x - 1.2) / 0.15) ** 2)))
    grey = np.where(y > 0.76, waves, grey)
    from_house, from_tree = np.abs(x - 0.5), np.hypot(x - 0.95, y - 0.50)
    grey[(from_house < 0.13) & (y > 0.52) & (y < 0.76)] = 0.85
    grey[(y > 0.40) & (y < 0.52) & (from_house < 1.4 * (y - 0.40))] = 0.10
    grey[(np.abs(from_house - 0.075) < 0.028) & (np.abs(y - 0.60) < 0.028)] = 0.15
    grey[(from_house < 0.022) & (y > 0.65) & (y < 0.76)] = 0.20
    grey[(np.abs(x - 0.95) < 0.014) & (y > 0.55) & (y < 0.78)] = 0.05
    grey[from_tree < 0.09 + 0.014 * np.sin(9 * np.arctan2(y - 0.50, x - 0.95))] = 0.12
    grey -= grey.mean()
    return (grey / np.abs(grey).max()).astype(np.float32)


def chart(picture: Budget, words: Budget, step: int, told: bool, noise: bool = False) -> go.Figure:
    """Both, whole and at the rank of a step, over the error of this rank and those before it. told: whether the table's error is
    shown."""
    j = RANKS[step]
    titles = ("Grey noise", "Random rows") if noise else ("A picture", "Rows of words")
    names = ("grey noise", "random rows") if noise else ("picture", "rows of words")
    data, heads = [], []
    axes: dict[str, Any] = {}
    for number, (each, title, across) in enumerate(zip((picture, words), titles, ([0.0, 0.42], [0.48, 1.0]), strict=True)):
        some = f"{len(each.shown)} {each.name} shown" if len(each.shown) < each.shape[0] else "each a grey"
        says = f"<b>{title}</b><br>{each.shape[0]:,} × {each.shape[1]} numbers<br>{some}"
        then = f"<b>Rank {j}</b>, {each.words(j, told or each is picture)}"
        for values, text, top, axis in ((each.shown, says, 1.0, 2 + number), (each.at(j), then, 0.62, 4 + number)):
            data.append(greys(values / each.white, axis))
            axes |= grey_axes(across, top, axis, each is picture)
            heads.append((across[0], top, text))
    anchored = {"xref": "paper", "yref": "paper", "xanchor": "left", "yanchor": "bottom", "showarrow": False, "align": "left"}
    return go.Figure(  # at once: part by part takes plotly ten times as long
        data=[*data, *lines(picture, words, names, step, told)],
        layout={
            "template": "flatland",
            "height": 720,
            "margin": {"t": 64, "b": 48, "l": 56, "r": 12},
            "legend": {"y": 0.25},
            "showlegend": True,
            "annotations": [{**anchored, "x": x, "y": y, "text": text, "font": {"size": 12}} for x, y, text in heads],
            "xaxis": {
                "anchor": "y",
                "type": "log",
                "tickvals": RANKS,
                "ticktext": [str(each) for each in RANKS],
                "range": [-0.08, 2.25],
                "title": {"text": "rank j: how many patterns are stored (log scale)"},
            },
            "yaxis": {"anchor": "x", "domain": [0, 0.24], "range": [-0.06, 1.08], "title": {"text": "error: squares lost"}},
            **axes,
        },
    )


def greys(values: np.ndarray, axis: int) -> dict:
    """Some rows as grey points, −1 black and 1 white; as an image, which a browser draws sooner than cells."""
    grey = np.clip(np.rint(127.5 * (values + 1)), 0, 255).astype(np.uint8)
    source = image_array_to_data_uri(grey, backend="auto")
    return {"type": "image", "source": source, "hoverinfo": "skip", "xaxis": f"x{axis}", "yaxis": f"y{axis}"}


def grey_axes(across: list, top: float, axis: int, square: bool) -> dict:
    """Axes without marks in a place of the figure; a picture keeps its shape."""
    bare = {"showticklabels": False, "showgrid": False, "zeroline": False, "ticks": "", "fixedrange": True}
    across_axis = {"domain": across, "anchor": f"y{axis}", "constrain": "domain", "constraintoward": "left"}
    up_axis = {"domain": [top - 0.22, top], "anchor": f"x{axis}", "autorange": "reversed", "constraintoward": "top"}
    kept = {"scaleanchor": f"x{axis}", "constrain": "domain"} if square else {"scaleanchor": False}
    return {f"xaxis{axis}": bare | across_axis, f"yaxis{axis}": bare | up_axis | kept}


def lines(picture: Budget, words: Budget, names: tuple[str, str], step: int, told: bool) -> list[dict]:
    """What both lose up to this rank; the table's errors only once they may be told."""
    data = []
    for each, name, colour, dash, symbol, last in (
        (picture, names[0], PICTURE, "solid", "circle", step),
        (words, names[1], WORDS, "dash", "square", step if told else -1),
    ):
        js = list(RANKS[: last + 1])
        data.append(
            {
                "type": "scatter",
                "x": js,
                "y": each.errors[js],
                "name": name,
                "mode": "lines+markers",
                "line": {"color": colour, "dash": dash, "width": 2},
                "marker": {"symbol": symbol, "size": [13 if j == RANKS[step] else 7 for j in js]},
                "customdata": [bytes_text(each.n_bytes(j)) for j in js],
                "hovertemplate": f"{name}, rank %{{x}}: error %{{y:.3g}}, %{{customdata}}<extra></extra>",
            }
        )
    return data


def guessed(j: int, guess: float) -> dict:
    """What somebody takes the table's error for at a rank, on a chart that is saved."""
    marker = {"symbol": "diamond-open", "size": 15, "color": MUTED, "line": {"width": 3}}
    return {"type": "scatter", "x": [j], "y": [guess], "name": GUESS, "mode": "markers", "marker": marker}
