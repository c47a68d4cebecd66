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
MOST_SHARED = 0.7  # of the points, in one code of lines through their middle
DOTS, BADGES, MISSED, CROSSES, BARS = "points", "codes", "what is missed", "crosses", "points of a code"  # in the picture
CELL, LINE = "cell ", "line of bit "  # with a code or a number behind
Attributes = dict[str, np.ndarray]  # of a trace; "marker.color" for one within another


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


def written_codes(bits: int) -> list[str]:
    """All codes of so many bits, by number."""
    return [written(number, bits) for number in range(2**bits)]


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
    larger = ", drawn larger" if of.first.normals is None else ""
    return {
        "points": f"{len(of.first.points)} points of 2 numbers: 64 bits each",
        "restored": f"{BITS} bits a point: {len(of.first.points)} points move to {len(shared)} crosses, error {error_text(one)}",
        "left": f"What {BITS} bits miss{larger}: each stick with its cross moved to 0, error {error_text(one)}",
        "second": f"Second stage: what is left gets {BITS} bits of its own, and crosses of its own",
        "both": f"{2 * BITS} bits a point, both stages added: error {error_text(one)} → {error_text(two)}",
    }[view]


def chart(of: Stages, view: str) -> go.Figure:
    """The plane as a step shows it, over the number of points that share each code."""
    stage, bits = drawn(of, view)
    name = "{} number left" if stage is of.second else "{} number"
    reach, still = reached(of, view), {"zeroline": False, "fixedrange": True}
    learnt = stage.normals is None and bits and view != "left"
    looks, parts = looks_of(bits), moving(of, view)
    return go.Figure(  # at once: part by part takes plotly ten times as long
        data=[
            *(learnt_cells(stage, bits, reach) if learnt else []),
            *(trace(name, looks[name], parts[name]) for name in looks if name in parts),
        ],
        layout={
            "template": "flatland",
            "height": 620,
            "margin": {"t": 60, "b": 48},
            "dragmode": False,
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
                "range": [0, 1.35 * len(stage.points) * (MOST_SHARED if bits else 1)],
            },
        },
    )


def moving(of: Stages, view: str) -> dict[str, Attributes]:
    """What of a view hangs on its codes: attributes of traces, by their names. Wherever lines are placed, all have one shape."""
    stage, bits = drawn(of, view)
    coded = of.first if view == "left" else stage  # what is left keeps its colour until it has a code of its own
    numbers = as_numbers(coded.codes.signs[:, :bits] > 0) if bits else np.zeros(len(stage.points), int)
    counts = np.bincount(numbers, minlength=2**bits)
    restored = {
        "restored": of.first.decoded,
        "left": np.zeros_like(stage.points),
        "second": of.second.decoded,
        "both": of.first.decoded + of.second.decoded,
    }.get(view)
    parts = {DOTS: places(stage.points), BARS: {"y": counts, "text": counts.astype(str)}}
    if bits:
        kinds = {"text": written_codes(bits), "marker.color": CATEGORIES, "marker.symbol": SYMBOLS}
        parts[DOTS] |= {name: np.array(kind)[numbers] for name, kind in kinds.items()}
    if restored is not None:
        _, first, shared = np.unique((restored @ [1, 1j]).round(5), return_index=True, return_counts=True)
        where = np.full((2 ** (2 * bits if view == "both" else bits), 2), np.nan)
        where[: len(first)] = restored[first]
        parts[MISSED] = places(sticks(stage.points, restored))
        parts[CROSSES] = {**places(where), "customdata": np.pad(shared, (0, len(where) - len(shared)))}
    if bits and view != "left":
        placed = stage.normals is not None
        parts |= placed_cells(stage, bits, reached(of, view)) if placed else learnt_badges(stage, bits, reached(of, view))
        if restored is not None:
            del parts[BADGES]
    return parts


def at_every_angle(points: np.ndarray, angles: Sequence[float], line: int) -> list[Stages]:
    """The stages with one of the lines at each whole degree."""
    return [stages(points, [*angles[:line], angle, *angles[line + 1 :]]) for angle in range(180)]


def clearance(of: Stages, view: str) -> np.ndarray:
    """How far each line of a view is from the nearest point, (bits,)."""
    stage, bits = drawn(of, view)
    return np.abs(stage.margins(stage.points)[:, :bits]).min(axis=0)


def drawn(of: Stages, view: str) -> tuple[Stage, int]:
    """The stage whose points a view shows, and how many of its bits."""
    return (of.second if view in ("left", "second") else of.first), bits_of(view)


def bits_of(view: str) -> int:
    """How many of a stage's bits a view shows."""
    return {"points": 0, "bit 1": 1, "bit 2": 2}.get(view, BITS)


def reached(of: Stages, view: str) -> float:
    """How far from 0 the plane is shown upwards: as far as the points go; what learnt codes leave is drawn larger."""
    stage = drawn(of, view)[0]
    return 1.12 * float(np.abs((of.first if stage.normals is not None else stage).points).max())


def places(points: np.ndarray) -> Attributes:
    """Where points (m, 2) of a trace are."""
    return {"x": points[:, 0], "y": points[:, 1]}


def sticks(points: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Lines from points (n, 2) to where each ends, one after another, (3 n, 2)."""
    return np.stack([points, ends, np.full(points.shape, np.nan)], axis=1).reshape(-1, 2)


def placed_cells(stage: Stage, bits: int, reach: float) -> dict[str, Attributes]:
    """The cells that the first lines cut the plane into, each a wedge from where they meet, with a badge on its middle; and the
    lines."""
    assert stage.normals is not None
    middle, far, normals = stage.points.mean(axis=0), 4 * reach, stage.normals[:bits]
    turns = np.arctan2(-normals[:, 0], normals[:, 1])  # of the lines
    rays = np.sort(np.concatenate([turns, turns + np.pi]) % (2 * np.pi))
    wide = np.diff(rays, append=rays[0] + 2 * np.pi)
    wedges = middle + far * ray(rays[:, None] + wide[:, None] * np.array([0, 0.5, 1]))  # (2 bits, 3, 2)
    sides = ray(rays + wide / 2)
    numbers = as_numbers(sides @ normals.T > 0)
    room = (reach * np.array([ROOM, 1]) - middle * np.sign(sides)) / np.maximum(np.abs(sides), 1e-9)
    corners, badges = np.full((2**bits, 4, 2), np.nan), np.full((2**bits, 2), np.nan)
    order = np.argsort(wide)  # lines at one angle have wedges without width between them, which the others then replace
    corners[numbers[order], 0], corners[numbers[order], 1:] = middle, wedges[order]
    badges[numbers[order]] = middle + 0.6 * (room.min(axis=1, keepdims=True) * sides)[order]
    lines = middle + far * ray(turns[:, None] + np.array([0, np.pi]))  # (bits, 2, 2)
    return {
        **{CELL + code: places(each) for code, each in zip(written_codes(bits), corners, strict=True)},
        **{LINE + str(number): places(each) for number, each in enumerate(lines, start=1)},
        BADGES: places(badges),
    }


def ray(turns: np.ndarray) -> np.ndarray:
    """(…, 2) at distance 1 from 0, in directions in radians."""
    return np.stack([np.cos(turns), np.sin(turns)], axis=-1)


def trace(name: str, look: dict, part: Attributes) -> dict:
    """A trace as plotly takes it."""
    made = {"name": name, **look}
    for path, values in part.items():
        outer, _, inner = path.partition(".")
        made[outer] = {**made.get(outer, {}), inner: values} if inner else values
    return made


def looks_of(bits: int) -> dict[str, dict]:
    """How the traces of a view look wherever they are, by their names, from the lowest up."""
    every, colours = written_codes(bits), CATEGORIES[: 2**bits]
    cell = {"type": "scatter", "mode": "none", "fill": "toself", "hoverinfo": "skip", "showlegend": False}
    line = {"type": "scatter", "mode": "lines", "hoverinfo": "skip"}
    return {
        **{CELL + code: {**cell, "fillcolor": colour + TINT} for code, colour in zip(every, colours, strict=True)},
        **{LINE + str(bit + 1): {**line, "line": {"color": MUTED, "width": 3, "dash": DASHES[bit]}} for bit in range(bits)},
        DOTS: {
            "type": "scatter",
            "mode": "markers",
            "showlegend": False,
            "marker": {"size": 8, "color": CATEGORIES[0], "symbol": "circle"},
            "hovertemplate": "%{x:.2f}, %{y:.2f}" + ("<br>code %{text}" if bits else "") + "<extra></extra>",
        },
        BADGES: {
            "type": "scatter",
            "mode": "markers+text",
            "hoverinfo": "skip",
            "showlegend": False,
            "text": [f"<b>{code}</b>" for code in every],
            "textfont": {"color": [DARK if number in PALE else "white" for number in range(2**bits)]},
            "marker": {"symbol": "square", "size": 10 + 8 * bits, "color": colours, "opacity": 0.9},
        },
        MISSED: {"type": "scatter", "mode": "lines", "hoverinfo": "skip", "line": {"color": MUTED, "width": 1}},
        CROSSES: {
            "type": "scatter",
            "mode": "markers",
            "marker": {"symbol": "x-thin", "size": 12, "line": {"width": 3, "color": "#808080"}},
            "hovertemplate": "%{customdata} points are restored here<extra></extra>",
        },
        BARS: {
            "type": "bar",
            "x": [code or "no code yet" for code in every],
            "textposition": "outside",
            "textangle": 0,
            "cliponaxis": False,
            "showlegend": False,
            "xaxis": "x2",
            "yaxis": "y2",
            "marker": {"color": list(colours) if bits else MUTED},
            "hovertemplate": "code %{x}: %{y} points<extra></extra>",
        },
    }


def grid(reach: float) -> np.ndarray:
    """The plane's places across and up, at which learnt codes are asked for."""
    return np.linspace(-ROOM * reach, ROOM * reach, GRID)


def margins_at(stage: Stage, bits: int, reach: float) -> np.ndarray:
    """(GRID, GRID, bits) of those places, lines of them upwards."""
    every = np.stack(np.meshgrid(grid(reach), grid(reach)), axis=2).reshape(-1, 2).astype(np.float32)
    return stage.margins(every)[:, :bits].reshape(GRID, GRID, bits)


def learnt_cells(stage: Stage, bits: int, reach: float) -> list[dict]:
    """The plane tinted by the code that a place would get, and the bends where a bit turns over."""
    at, margins = grid(reach), margins_at(stage, bits, reach)
    colours = np.array([list(bytes.fromhex(colour[1:] + TINT)) for colour in CATEGORIES[: 2**bits]], np.uint8)
    tints = colours[as_numbers(margins.reshape(-1, bits) > 0)].reshape(GRID, GRID, 4)
    tint = {  # as an image, which a browser draws sooner than cells
        "type": "image",
        "source": image_array_to_data_uri(tints, backend="auto"),
        "x0": at[0],
        "dx": at[1] - at[0],
        "y0": at[0],
        "dy": at[1] - at[0],
        "hoverinfo": "skip",
    }
    return [tint, *(each for bit in range(bits) for each in bend(bit, at, margins[:, :, bit]))]


def bend(bit: int, at: np.ndarray, margins: np.ndarray) -> list[dict]:
    """Where margins (GRID, GRID) of a bit are 0, and its place in the legend."""
    line = {"color": MUTED, "width": 3, "dash": DASHES[bit]}
    bends = {
        "type": "contour",
        "x": at[::2],
        "y": at[::2],
        "z": margins[::2, ::2].astype(np.float32),
        "showscale": False,
        "contours": {"start": 0, "end": 0, "size": 1, "coloring": "none"},
        "line": line,
        "hoverinfo": "skip",
        "showlegend": False,
    }
    return [bends, {"type": "scatter", "x": [None], "y": [None], "name": LINE + str(bit + 1), "mode": "lines", "line": line}]


def learnt_badges(stage: Stage, bits: int, reach: float) -> dict[str, Attributes]:
    """Every code that the plane has a cell for, in the middle of it."""
    at = grid(reach)
    seen = np.abs(at) < reach
    numbers = as_numbers(margins_at(stage, bits, reach)[seen].reshape(-1, bits) > 0).reshape(-1, GRID)
    found = np.full((2**bits, 2), np.nan)
    for number in crowd(numbers):
        line, column = middle(numbers == number)
        found[number] = at[column], at[seen][line]
    return {BADGES: places(found)}


def middle(cell: np.ndarray) -> tuple[int, int]:
    """The place of a cell (a mask) that lies nearest to its mean."""
    found = np.argwhere(cell)
    return tuple(found[((found - found.mean(axis=0)) ** 2).sum(axis=1).argmin()])
