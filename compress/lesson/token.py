"""One token through the whole pipeline: its row, the low rank, the hash stages, and its neighbours after each."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import plotly.graph_objects as go

from compress.analysis.code_statistics import signs_of
from compress.analysis.neighbours import Neighbours, neighbours
from compress.charts.codes import DIVERGING, OFF_ON
from compress.charts.figure import plain
from compress.charts.palette import CATEGORIES
from compress.form.compressed import Compressed
from compress.form.metrics import error_text, evaluate
from compress.linalg.blocks import unit_rows
from compress.matrix import EmbeddingMatrix
from compress.methods import LightToken
from compress.methods.light_token import prefixes
from compress.sources.order import ranks
from compress.tuning.opponents import Opponent, best_svd

METHOD = LightToken(rank=7, bits=192, stages=4, gain_bits=0, factor_bits=8, passes=1)
STEPS = ("original row", "low rank", "stage 1", "stage 2", "stage 3", "stage 4")
ACROSS = 48  # cells in a line of the picture; the bits of a stage
COUNT = 5  # neighbours that are shown
CROWD = 4000  # words that neighbours are sought among
SPREAD = 2.5  # standard deviations to the ends of the colours
DASHED = 0.3  # of those ends, from where a number below zero has its dash
INK = "#222222"
KEPT, LOST, NEW = "✓", "✗", "+"
BARE = {"showticklabels": False, "showgrid": False, "zeroline": False, "ticks": "", "fixedrange": True}
COLOURS = {KEPT: CATEGORIES[0], LOST: CATEGORIES[1], NEW: CATEGORIES[3]}


@dataclass(frozen=True, eq=False)
class Pipeline:
    """A table before compression and after each step of it. parts: the compressed forms, the low rank first. crowd: (c,) rows, of
    common words. tables: (c, d) of the crowd, as it was and after every step. error: over all rows, after the last. svd: at its
    best in as many bytes."""

    matrix: EmbeddingMatrix
    parts: tuple[Compressed, ...]
    crowd: np.ndarray
    tables: tuple[np.ndarray, ...]
    error: float
    svd: Opponent | None

    @property
    def method(self) -> LightToken:
        method = self.parts[-1].method
        assert isinstance(method, LightToken)
        return method

    @cached_property
    def words(self) -> list[str]:
        """The tokens of the crowd."""
        return [self.matrix.tokens[row] for row in self.crowd]

    @cached_property
    def unit(self) -> np.ndarray:
        """(c, d) the crowd before compression, each row of length 1."""
        return unit_rows(self.tables[0])

    @property
    def before(self) -> int:
        """Bytes of a row in float32."""
        return 4 * self.matrix.shape[1]

    def own(self, step: int) -> float:
        """Bytes that a row itself takes after a step: its coefficients and its bits."""
        if step == 0:
            return self.before
        return sum(self.parts[step - 1].arrays[name].nbytes / self.matrix.shape[0] for name in self.kept(step))

    def shared(self, step: int) -> float:
        """A row's share in bytes of what all rows share after a step: basis, decoder, offset and scales."""
        return self.parts[step - 1].n_bytes / self.matrix.shape[0] - self.own(step) if step else 0.0

    def kept(self, step: int) -> list[str]:
        return [name for name in ("coefficients", "codes") if name in self.parts[step - 1].arrays]


@dataclass(frozen=True, eq=False)
class Token:
    """One token at every step. rows: (d,) each. errors: ‖a − b‖² / ‖a‖² of each, cosines: of a with b. coefficients: (r,) whole
    numbers. signs: (L,). neighbours: before and after each step, as places of the crowd. nearest: whose row before compression has
    the largest cosine with what each step gives back."""

    name: str
    rows: tuple[np.ndarray, ...]
    errors: tuple[float, ...]
    cosines: tuple[float, ...]
    coefficients: np.ndarray
    signs: np.ndarray
    neighbours: tuple[Neighbours, ...]
    nearest: tuple[str, ...]


def pipeline(matrix: EmbeddingMatrix, method: LightToken = METHOD) -> Pipeline:
    """The method's low-rank part, and its code after every stage, each with the decoder that is best for it."""
    result = method.fit(matrix)
    low = {name: result.arrays[name] for name in method.svd.layout(*matrix.shape)}
    parts = (replace(result, method=method.svd, arrays=low), *prefixes(matrix, result))
    crowd = common_words(matrix)
    tables = (np.ascontiguousarray(matrix.rows[crowd]), *(part.rows(crowd) for part in parts))
    return Pipeline(matrix, parts, crowd, tables, evaluate(matrix, result).relative_error, best_svd(matrix, result.n_bytes))


def common_words(matrix: EmbeddingMatrix) -> np.ndarray:
    """The rows of the words in most use, of three letters or more; where few tokens are words, of all."""
    order = np.argsort(ranks(matrix.tokens))
    words = [row for row in order if len(name := matrix.tokens[row]) > 2 and name.isascii() and name.isalpha()]
    return np.array(words[:CROWD] if len(words) > COUNT else order[:CROWD])


def token(of: Pipeline, place: int) -> Token:
    """The token at a place of the crowd."""
    rows = tuple(table[place] for table in of.tables)
    own = rows[0].astype(np.float64)
    result, row = of.parts[-1], of.crowd[place : place + 1]
    return Token(
        name=of.words[place],
        rows=rows,
        errors=tuple(float(((own - each) ** 2).sum() / (own @ own)) for each in rows),
        cosines=tuple(float(own @ each / max(np.sqrt((own @ own) * (each @ each)), 1e-30)) for each in rows),
        coefficients=result.arrays["coefficients"][row[0]].astype(int),
        signs=signs_of(result, row)[0],
        neighbours=tuple(neighbours(of.tables[0], table, place, COUNT) for table in of.tables),
        nearest=tuple(of.words[int(np.argmax(of.unit @ each))] for each in rows),
    )


def stored(of: Pipeline, one: Token, step: int) -> str:
    """What is kept of a row after a step, in bytes and in words."""
    if step == 0:
        return f"all {of.matrix.shape[1]} numbers, {of.before:,} bytes"
    codes = f" + {sum(of.method.widths[: step - 1])} bits" if step > 1 else ""
    told = ", filled is 1" if codes else ""
    return f"{of.own(step):.3g} of {of.before:,} bytes so far<br>{len(one.coefficients)} small whole numbers{codes}{told}"


def chart(of: Pipeline, one: Token, step: int) -> go.Figure:
    """The row, what is stored of it, what comes back, and its neighbours before and after."""
    scale = SPREAD * float(one.rows[0].std())
    near = one.neighbours[step]
    kept = len(near.before) - len(near.lost)
    back = f"<b>Given back</b>: error of this row {error_text(one.errors[step])}, cosine with it {one.cosines[step]:.3f}"
    widths = of.method.widths
    wide, lines = max(*widths, len(one.coefficients)), 1 + len(widths)
    heads = [
        (0, 1, f"<b>{plain(one.name)}</b>, its row of {len(one.rows[0])} numbers<br>orange above 0, blue below, − where strong"),
        (0, 0.755, f"<b>Stored</b>: {stored(of, one, step)}"),
        (0, 0.545, back),
        (0, 0.30, f"<b>Nearest before</b><br>{KEPT} kept, {LOST} lost"),
        (0.54, 0.30, f"<b>And after</b>: {kept} of {len(near.before)}<br>{KEPT} kept, {NEW} new, in any order"),
    ]
    anchored = {"xref": "paper", "yref": "paper", "xanchor": "left", "yanchor": "bottom", "showarrow": False, "align": "left"}
    return go.Figure(  # at once: part by part takes plotly ten times as long
        data=[
            *near_words(of, near.before, near.before_cosines, np.isin(near.before, near.after), LOST, "1"),
            *near_words(of, near.after, near.after_cosines, np.isin(near.after, near.before), NEW, "2"),
            *cells(one.rows[0], scale, "3"),
            *stored_cells(of, one, step, wide),
            *cells(one.rows[step], scale, "5"),
        ],
        layout={
            "template": "flatland",
            "height": 740,
            "margin": {"t": 44, "b": 44, "l": 12, "r": 12},
            "showlegend": False,
            "annotations": [{**anchored, "x": x, "y": y, "text": text, "font": {"size": 13}} for x, y, text in heads],
            **near_axes("1", [0, 0.46], len(near.before)),
            **near_axes("2", [0.54, 1], len(near.after)),
            **bare_axes("3", [0.87, 1], len(one.rows[0])),
            **bare_axes("5", [0.41, 0.54], len(one.rows[0])),
            "xaxis4": {**BARE, "anchor": "y4", "domain": [0.16, 1], "range": [-0.5, wide - 0.5]},
            "yaxis4": {
                **BARE,
                "anchor": "x4",
                "domain": [0.6, 0.75],
                "range": [lines - 0.5, -0.5],
                "showticklabels": True,
                "tickvals": list(range(lines)),
                "ticktext": ["numbers", *(f"stage {t}" for t in range(1, lines))],
                "tickfont": {"size": 12},
            },
        },
    )


def bare_axes(number: str, up: list, count: int) -> dict:
    """Axes without marks for the cells of so many numbers, at a height of the figure."""
    return {
        f"xaxis{number}": {**BARE, "anchor": f"y{number}", "range": [-0.5, ACROSS - 0.5]},
        f"yaxis{number}": {**BARE, "anchor": f"x{number}", "domain": up, "range": [-(-count // ACROSS) - 0.5, -0.5]},
    }


def cells(row: np.ndarray, scale: float, axis: str) -> list[dict]:
    """Numbers as coloured cells, line after line, orange above zero and blue with a dash below; what is near zero has no dash."""
    axes = {"xaxis": f"x{axis}", "yaxis": f"y{axis}"}
    lines = np.pad(row.astype(np.float32), (0, -len(row) % ACROSS), constant_values=np.nan).reshape(-1, ACROSS)
    below = np.argwhere(lines < -DASHED * scale)
    return [
        {
            "type": "heatmap",
            "z": lines,
            "zmin": -scale,
            "zmax": scale,
            "colorscale": DIVERGING,
            "showscale": False,
            "xgap": 1,
            "ygap": 1,
            "hoverongaps": False,
            "hovertemplate": "%{z:.3f}<extra></extra>",
            **axes,
        },
        {
            "type": "scatter",
            "x": below[:, 1],
            "y": below[:, 0],
            "mode": "markers",
            "hoverinfo": "skip",
            "marker": {"symbol": "line-ew", "size": 4, "line": {"width": 1.5, "color": INK}},
            **axes,
        },
    ]


def stored_cells(of: Pipeline, one: Token, step: int, wide: int) -> list[dict]:
    """What is stored of the row so far: a line of whole numbers, and a line of bits for every stage; what is to come is told."""
    widths, count = of.method.widths, len(one.coefficients)
    lit = np.full((1 + len(widths), wide), np.nan, np.float32)
    for stage, bits in enumerate(np.split(one.signs > 0, np.cumsum(widths)[:-1])[: max(step - 1, 0)], start=1):
        lit[stage, : len(bits)] = bits
    numbers = [((at + 0.5) * wide / count - 0.5, 0, str(number)) for at, number in enumerate(one.coefficients)]
    numbers = numbers if step else [(wide / 2, 0, f"{count} numbers of a byte to come")]
    coming = [(wide / 2, line, f"{widths[line - 1]} bits to come") for line in range(max(step, 1), 1 + len(widths))]
    x, y, text = zip(*numbers, *coming, strict=True)
    axes = {"xaxis": "x4", "yaxis": "y4"}
    return [
        {
            "type": "heatmap",
            "z": lit,
            "zmin": 0,
            "zmax": 1,
            "colorscale": OFF_ON,
            "showscale": False,
            "xgap": 1,
            "ygap": 3,
            "hoverongaps": False,
            "hovertemplate": "place %{x}: %{z}<extra></extra>",
            **axes,
        },
        {"type": "scatter", "x": x, "y": y, "text": text, "mode": "text", "hoverinfo": "skip", "textfont": {"size": 12}, **axes},
    ]


def near_words(of: Pipeline, rows: np.ndarray, cosines: np.ndarray, kept: np.ndarray, sign: str, axis: str) -> list[dict]:
    """Neighbours as words, each with a mark, over bars of their cosines."""
    marks = [KEPT if each else sign for each in kept]
    words = [f"<b>{mark}</b> {plain(of.words[row])} {cosine:.2f}" for mark, row, cosine in zip(marks, rows, cosines, strict=True)]
    lines, axes = np.arange(len(rows)), {"xaxis": f"x{axis}", "yaxis": f"y{axis}"}
    return [
        {
            "type": "bar",
            "x": cosines,
            "y": lines + 0.32,
            "orientation": "h",
            "width": 0.22,
            "marker": {"color": [COLOURS[mark] for mark in marks]},
            "hovertemplate": "cosine %{x:.3f}<extra></extra>",
            **axes,
        },
        {
            "type": "scatter",
            "x": np.zeros(len(rows)),
            "y": lines - 0.1,
            "mode": "text",
            "textposition": "middle right",
            "text": words,
            "hoverinfo": "skip",
            **axes,
        },
    ]


def near_axes(axis: str, across: list, count: int) -> dict:
    """Axes for so many neighbours, at a place across the foot of the figure."""
    number = "" if axis == "1" else axis
    return {
        f"xaxis{number}": {"domain": across, "anchor": f"y{number}", "range": [0, 1.02], "title": {"text": "cosine"}, "nticks": 4},
        f"yaxis{number}": {**BARE, "anchor": f"x{number}", "domain": [0, 0.29], "range": [count - 0.5, -0.5]},
    }
