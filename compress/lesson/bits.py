"""Bits: points in the plane, the lines that give each its code, the points that codes stand for, and a second stage."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import plotly.graph_objects as go
from plotly.utils import image_array_to_data_uri

from compress.analysis.code_statistics import signs_of
from compress.charts.figure import MUTED
from compress.charts.palette import CATEGORIES
from compress.form.metrics import error_text, evaluate
from compress.matrix import EmbeddingMatrix
from compress.methods import LightToken
from compress.methods.light_token import read_decoder
from compress.solvers.binary_codes import Codes, Target, refit_decoder, total
from compress.solvers.code_losses import euclidean

BITS = 3  # of a stage, a line each
POINTS = 90
GROUPS = 7
STARTS = 8  # of the solver, of which the best is kept
GRID = 121  # places across that are asked for their code
TINT = "38"  # opacity of a cell, of ff
ROOM = 1.35  # of the plane that is shown across, to that upwards
SYMBOLS = ("circle", "square", "diamond", "cross", "triangle-up", "star", "pentagon", "bowtie")
DASHES = ("solid", "dash", "dot")
PALE, DARK = (1, 4, 5, 7), "#111111"  # codes whose colour asks for dark letters
CODES = {"left": "code of the first stage", "second": "code of the second stage", "both": "code of the first stage"}
VIEWS = ("points", "bit 1", "bit 2", "bit 3", "restored", "left", "second", "both")


@dataclass(frozen=True, eq=False)
class Stage:
    """Points (n, 2) that one stage codes, and their codes. normals: (BITS, 2) of lines through the points' mean, a bit is on where
    they point; None where the codes were learnt, when a place takes the code whose point is nearest."""

    points: np.ndarray
    codes: Codes
    normals: np.ndarray | None

    @property
    def numbers(self) -> np.ndarray:
        """(n,) the codes as whole numbers, the first bit leading."""
        return as_numbers(self.codes.signs > 0)

    @property
    def decoded(self) -> np.ndarray:
        """(n, 2) what the codes give back."""
        return self.codes.decode(slice(None))

    @property
    def left(self) -> np.ndarray:
        """(n, 2) what they miss."""
        return self.points - self.decoded

    def margins(self, places: np.ndarray) -> np.ndarray:
        """(m, BITS) of places (m, 2): above 0 where a bit is on, 0 on its line."""
        if self.normals is not None:
            return (places - self.points.mean(axis=0)) @ self.normals.T
        signs = every_code()
        stands = signs @ self.codes.decoder + self.codes.offset  # (2^BITS, 2)
        squares = ((places[:, None] - stands) ** 2).sum(axis=2)
        return np.stack(
            [squares[:, signs[:, b] < 0].min(axis=1) - squares[:, signs[:, b] > 0].min(axis=1) for b in range(BITS)], axis=1
        )


@dataclass(frozen=True, eq=False)
class Stages:
    """Both stages, the second of what the first one leaves, and the relative errors after each."""

    first: Stage
    second: Stage
    errors: tuple[float, float]


def cloud(seed: int = 0, noise: bool = False) -> np.ndarray:
    """Points (90, 2) in seven groups, or without any; mean 0, the same energy."""
    rng = np.random.default_rng(seed)
    points = rng.standard_normal((POINTS, 2))
    if not noise:
        turns = 2 * np.pi * (np.arange(GROUPS) + rng.uniform(-0.35, 0.35, GROUPS)) / GROUPS
        centres = np.stack([np.cos(turns), np.sin(turns)], axis=1) * rng.uniform(0.7, 2.4, (GROUPS, 1))
        points = centres[np.arange(POINTS) % GROUPS] + 0.2 * points
    points -= points.mean(axis=0)
    return (points / np.sqrt((points**2).sum(axis=1).mean())).astype(np.float32)


def placed(points: np.ndarray, angles: Sequence[float]) -> Stage:
    """The code of lines at angles in degrees, with the decoder that is best for it."""
    turns = np.radians(np.asarray(angles, np.float64) + 90)
    normals = np.stack([np.cos(turns), np.sin(turns)], axis=1).astype(np.float32)
    signs = np.where((points - points.mean(axis=0)) @ normals.T >= 0, 1, -1).astype(np.int8)
    return Stage(points, refit_decoder(target(points), with_signs(signs)), normals)


def learnt(points: np.ndarray) -> Stage:
    """The code that LightToken's solver finds, the best of a few starts."""
    matrix = EmbeddingMatrix(points)
    method = LightToken(bits=BITS, gain_bits=0, factor_bits=32)
    fits = [replace(method, seed=seed).fit(matrix) for seed in range(STARTS)]
    best = min(fits, key=lambda fit: evaluate(matrix, fit).relative_error)
    return Stage(points, with_signs(signs_of(best).astype(np.int8), read_decoder(best.arrays), best.arrays["offset"]), None)


def stages(points: np.ndarray, angles: Sequence[float] | None) -> Stages:
    """angles: of the lines, the same for both stages; None: both are learnt."""

    def stage(rows: np.ndarray) -> Stage:
        return learnt(rows) if angles is None else placed(rows, angles)

    first = stage(points)
    second = stage(first.left)
    errors = total(target(points), first.codes), total(target(points, first.codes), second.codes)
    return Stages(first, second, errors)


def target(points: np.ndarray, before: Codes | None = None) -> Target:
    """What codes of these points are fitted to, after those that were stored before."""

    def base(rows: slice | np.ndarray) -> np.ndarray:
        return np.zeros_like(points[rows]) if before is None else before.decode(rows)

    return Target(points, base, np.ones(len(points)), euclidean)


def with_signs(signs: np.ndarray, decoder: np.ndarray | None = None, offset: np.ndarray | None = None) -> Codes:
    """Codes (n, L) of −1 and 1 with a decoder (L, 2) and an offset (2,), zeros where not given."""
    decoder = np.zeros((signs.shape[1], 2), np.float32) if decoder is None else decoder
    offset = np.zeros(2, np.float32) if offset is None else offset
    return Codes(signs, np.zeros(len(signs), np.int64), np.ones(1, np.float32), decoder, offset)


def every_code() -> np.ndarray:
    """(2^BITS, BITS) of −1 and 1, by number."""
    return (np.arange(2**BITS)[:, None] >> np.arange(BITS)[::-1] & 1) * 2.0 - 1


def as_numbers(on: np.ndarray) -> np.ndarray:
    """(n,) bits (n, L) as whole numbers, the first bit leading."""
    return on @ (1 << np.arange(on.shape[1])[::-1])


def written(number: int, bits: int = BITS) -> str:
    """A code as 0 and 1."""
    return format(int(number), f"0{bits}b") if bits else ""


def crowd(numbers: np.ndarray) -> dict[int, int]:
    """The codes in use and how many points share each."""
    return dict(zip(*(each.tolist() for each in np.unique(numbers, return_counts=True)), strict=True))


def title(of: Stages, view: str) -> str:
    """What a view shows, in one sentence."""
    shared = crowd(of.first.numbers)
    one, two = of.errors
    if view.startswith("bit"):
        bits = int(view[-1])
        used = crowd(as_numbers(of.first.codes.signs[:, :bits] > 0))
        name = "bit" if bits == 1 else "bits"
        return f"{bits} {name} a point: {len(used)} of {2**bits} codes in use, up to {max(used.values())} points collide in one"
    return {
        "points": f"{len(of.first.points)} points of 2 numbers: 64 bits each",
        "restored": f"{BITS} bits a point: {len(of.first.points)} points move to {len(shared)} crosses, error {error_text(one)}",
        "left": f"What {BITS} bits miss, drawn larger: each stick with its cross moved to 0, error {error_text(one)}",
        "second": f"Second stage: what is left gets {BITS} bits of its own, and crosses of its own",
        "both": f"{2 * BITS} bits a point, both stages added: error {error_text(one)} → {error_text(two)}",
    }[view]


def chart(of: Stages, view: str) -> go.Figure:
    """The plane as a step shows it, over the number of points that share each code."""
    stage, bits = drawn(of, view)
    name = "{} number left" if stage is of.second else "{} number"
    reach, still = reached(stage), {"zeroline": False, "fixedrange": True}
    coded = of.first if view == "left" else stage  # what is left keeps its colour until it has a code of its own
    numbers = as_numbers(coded.codes.signs[:, :bits] > 0) if bits else np.zeros(len(stage.points), int)
    tinted = bits if coded is stage else 0
    cross = "all crosses" if view == "left" else "cross of a code"
    restored = {
        "restored": of.first.decoded,
        "left": np.zeros_like(stage.points),
        "second": of.second.decoded,
        "both": of.first.decoded + of.second.decoded,
    }.get(view)
    return go.Figure(  # at once: part by part takes plotly ten times as long
        data=[
            *(cells(stage, tinted, reach) if tinted else []),
            dots(stage.points, numbers, bits),
            *(sticks(stage.points, restored, cross) if restored is not None else []),
            bars(numbers, bits),
        ],
        layout={
            "template": "flatland",
            "height": 620,
            "margin": {"t": 60, "b": 48},
            "dragmode": False,
            "annotations": badges(stage, tinted, reach) if tinted and restored is None else [],
            "xaxis": {
                "anchor": "y",
                **still,
                "range": [-ROOM * reach, ROOM * reach],
                "constrain": "domain",
                "title": {"text": name.format("first")},
            },
            "yaxis": {
                "anchor": "x",
                **still,
                "range": [-reach, reach],
                "scaleanchor": "x",
                "domain": [0.36, 1],
                "title": {"text": name.format("second")},
            },
            "xaxis2": {"anchor": "y2", "type": "category", "title": {"text": CODES.get(view, "code")}},
            "yaxis2": {
                "anchor": "x2",
                "domain": [0, 0.13],
                "title": {"text": "points"},
                "nticks": 3,
                "range": [0, 1.35 * max(crowd(numbers).values())],
            },
        },
    )


def drawn(of: Stages, view: str) -> tuple[Stage, int]:
    """The stage whose points a view shows, and how many of its bits."""
    return (of.second if view in ("left", "second") else of.first), {"points": 0, "bit 1": 1, "bit 2": 2}.get(view, BITS)


def reached(stage: Stage) -> float:
    """How far from 0 the plane is shown upwards."""
    return 1.12 * float(np.abs(stage.points).max())


def places(reach: float) -> tuple[np.ndarray, np.ndarray]:
    """The plane's places across and up that are asked for their code."""
    return np.linspace(-ROOM * reach, ROOM * reach, GRID), np.linspace(-ROOM * reach, ROOM * reach, GRID)


def margins_at(stage: Stage, reach: float) -> np.ndarray:
    """(GRID, GRID, BITS) of those places, lines of them upwards."""
    across, up = places(reach)
    every = np.stack(np.meshgrid(across, up), axis=2).reshape(-1, 2).astype(np.float32)
    return stage.margins(every).reshape(GRID, GRID, BITS)


def cells(stage: Stage, bits: int, reach: float) -> list[dict]:
    """The plane tinted by the first bits of the code that a place would get, and the lines between."""
    across, up = places(reach)
    margins = margins_at(stage, reach)[:, :, :bits]
    colours = np.array([list(bytes.fromhex(colour[1:] + TINT)) for colour in CATEGORIES[: 2**bits]], np.uint8)
    tints = colours[as_numbers(margins.reshape(-1, bits) > 0)].reshape(GRID, GRID, 4)
    tint = {  # as an image, which a browser draws sooner than cells
        "type": "image",
        "source": image_array_to_data_uri(tints, backend="auto"),
        "x0": across[0],
        "dx": across[1] - across[0],
        "y0": up[0],
        "dy": up[1] - up[0],
        "hoverinfo": "skip",
    }
    return [tint, *(each for bit in range(bits) for each in edge(stage, bit, reach, margins[:, :, bit]))]


def edge(stage: Stage, bit: int, reach: float, margins: np.ndarray) -> list[dict]:
    """Where a bit turns over: a line through the points' mean or, of learnt codes, bends where margins (GRID, GRID) are 0."""
    line, name = {"color": MUTED, "width": 3, "dash": DASHES[bit]}, f"line of bit {bit + 1}"
    if stage.normals is not None:
        middle, (a, b) = stage.points.mean(axis=0), stage.normals[bit]
        x, y = np.stack([middle + far * 4 * reach * np.array([b, -a]) for far in (-1, 1)], axis=1)
        return [{"type": "scatter", "x": x, "y": y, "name": name, "mode": "lines", "line": line, "hoverinfo": "skip"}]
    across, up = places(reach)
    bends = {
        "type": "contour",
        "x": across[::2],
        "y": up[::2],
        "z": margins[::2, ::2].astype(np.float32),
        "showscale": False,
        "contours": {"start": 0, "end": 0, "size": 1, "coloring": "none"},
        "line": line,
        "hoverinfo": "skip",
        "showlegend": False,
    }
    return [bends, {"type": "scatter", "x": [None], "y": [None], "name": name, "mode": "lines", "line": line}]


def dots(points: np.ndarray, numbers: np.ndarray, bits: int) -> dict:
    """The points in the colour and the sign of their code."""
    return {
        "type": "scatter",
        "x": points[:, 0],
        "y": points[:, 1],
        "mode": "markers",
        "showlegend": False,
        "text": [written(number, bits) for number in numbers],
        "marker": {
            "color": [CATEGORIES[number] for number in numbers] if bits else CATEGORIES[0],
            "symbol": [SYMBOLS[number] for number in numbers] if bits else "circle",
            "size": 8,
        },
        "hovertemplate": "%{x:.2f}, %{y:.2f}" + ("<br>code %{text}" if bits else "") + "<extra></extra>",
    }


def badges(stage: Stage, bits: int, reach: float) -> list[dict]:
    """Every code that the plane has a cell for, in the middle of it."""
    across, up = places(reach)
    seen = np.abs(up) < reach
    up, margins = up[seen], margins_at(stage, reach)[seen, :, :bits]
    numbers = as_numbers(margins.reshape(-1, bits) > 0).reshape(margins.shape[:2])
    return [
        {
            "x": float(across[column]),
            "y": float(up[line]),
            "text": f"<b>{written(number, bits)}</b>",
            "showarrow": False,
            "font": {"size": 14, "color": DARK if number in PALE else "white"},
            "bgcolor": CATEGORIES[number],
            "opacity": 0.9,
        }
        for number in crowd(numbers)
        for line, column in [middle(numbers == number)]
    ]


def middle(cell: np.ndarray) -> tuple[int, int]:
    """The place of a cell (a mask) that lies nearest to its mean."""
    found = np.argwhere(cell)
    return tuple(found[((found - found.mean(axis=0)) ** 2).sum(axis=1).argmin()])


def sticks(points: np.ndarray, restored: np.ndarray, name: str) -> list[dict]:
    """Where the codes put the points, and a stick from each to there."""
    ends = np.stack([points, restored, np.full(points.shape, np.nan)], axis=1).reshape(-1, 2)
    where, count = np.unique(restored.round(5), axis=0, return_counts=True)
    return [
        {
            "type": "scatter",
            "x": ends[:, 0],
            "y": ends[:, 1],
            "mode": "lines",
            "name": "what is missed",
            "hoverinfo": "skip",
            "line": {"color": MUTED, "width": 1},
        },
        {
            "type": "scatter",
            "x": where[:, 0],
            "y": where[:, 1],
            "mode": "markers",
            "name": name,
            "marker": {"symbol": "x-thin", "size": 12, "line": {"width": 3, "color": "#808080"}},
            "customdata": count,
            "hovertemplate": "%{customdata} points are restored here<extra></extra>",
        },
    ]


def bars(numbers: np.ndarray, bits: int) -> dict:
    """How many points share each code."""
    shared, every = crowd(numbers), range(2**bits)
    counts = [shared.get(number, 0) for number in every]
    return {
        "type": "bar",
        "x": [written(number, bits) or "no code yet" for number in every],
        "y": counts,
        "text": counts,
        "textposition": "outside",
        "textangle": 0,
        "cliponaxis": False,
        "showlegend": False,
        "xaxis": "x2",
        "yaxis": "y2",
        "marker": {"color": [CATEGORIES[number] if bits else MUTED for number in every]},
        "hovertemplate": "code %{x}: %{y} points<extra></extra>",
    }
