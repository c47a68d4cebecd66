"""A map of all rows: a scatter of up to 500,000 points that can be panned, zoomed, hovered and lassoed.

The browser gets several messages. `flatland_map_held` carries positions, names, and labels for every value of a dial, each by
itself; while one stays the same Streamlit sends a short reference in its place. `flatland_map` carries one byte of colour a point,
so that a change of colouring costs n bytes. The browser sends back one row or the corners of a polygon, and the points inside are
found here. Where the same rows get other positions, points glide there, and the rows that were chosen stay so.

Gestures: drag pans, Shift and drag or the Lasso tool draws a lasso, a click picks a row. The wheel zooms around the cursor, but a
scroll of the page that began elsewhere goes on, and so does one past the widest view. One finger scrolls the page while the whole
map is in view and pans once it is zoomed in; two fingers pan and zoom. Keys: arrows, + and -, 0 for the whole map, L for the lasso,
Enter for the row at the centre, Esc to clear.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Literal

import numpy as np
import streamlit as st

from compress.analysis.matching import names_kept
from compress.charts.palette import CATEGORIES, SEQUENTIAL

from .packing import MISSING, frame, joined_names, pack, packed_labels, quantised_positions, quantised_values, robust_limits
from .polygon import points_in_polygon

__all__ = ["Colouring", "MapSelection", "Recolouring", "points_in_polygon", "scatter_map"]

MOST_ROWS = 500_000
MOST_CORNERS = 1_000
MOST_RINGS = 2_000


def _source(*names: str) -> str:
    return "\n".join((Path(__file__).parent / name).read_text(encoding="utf-8") for name in names)


_held = st.components.v2.component("flatland_map_held", js=_source("wire.js", "held.js"))
_map = st.components.v2.component(
    "flatland_map",
    html=_source("map.html"),
    css=_source("map.css"),
    js=_source(
        *("../dial/answers.js", "wire.js", "camera.js", "nearest.js", "glide.js", "paint.js", "lasso.js", "overlay.js"),
        *("legend.js", "recolour.js", "gestures.js", "map.js"),
    ),
)


@dataclass(frozen=True, eq=False)
class Colouring:
    """How points are coloured.

    `values` (n,) are labels 0 to 254 for "categories", with `names` for the legend (the label itself where there is none), or
    numbers for "sequential", NaN where there is none. `title` heads the legend, with the unit. `limits` are the numbers at the two
    ends of the colour scale, by default the 1st and 99th percentile; `log` spreads them by their logarithm.
    """

    values: np.ndarray
    kind: Literal["categories", "sequential"]
    names: tuple[str, ...] = ()
    title: str = ""
    limits: tuple[float, float] | None = None
    log: bool = False


@dataclass(frozen=True, eq=False)
class Recolouring:
    """Labels that colour the points and count in the legend while a dial is away from `at`, the value that the map is drawn for.

    dial: the key of its setting. values: (m,) of the dial. labels: (m, n) whole numbers from 0 to 254, a row for each value;
    the nearest value's are shown. names: of the labels. The colours are those of `Colouring.values` where the same rows are meant.
    """

    dial: str
    at: float
    values: Sequence[float]
    labels: np.ndarray
    names: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class MapSelection:
    """Rows that a person chose: those inside `polygon`, a list of [x, y], or the one clicked, where `polygon` is None."""

    rows: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    polygon: list[list[float]] | None = None


def scatter_map(
    positions: np.ndarray,
    colouring: Colouring,
    tokens: Sequence[str],
    *,
    key: str,
    highlight: Sequence[int] | np.ndarray | None = None,
    recolour: Recolouring | None = None,
    height: int = 620,
    label: str = "Map of all rows",
    view: str | None = None,
) -> MapSelection:
    """Draw `positions` (n, 2), coloured and named, and return what is chosen on it.

    `highlight` holds rows to ring, and to name where there are at most 30. `height` is in pixels and takes in the tools above and
    the legend below. `label` is what a screen reader says. `view` names what a person looks at: pan and zoom
    stay while it does, by default while the positions do. Raises ValueError where the arrays do not fit together.
    """
    positions = np.asarray(positions, dtype=np.float64)
    _check(positions, colouring, tokens)
    n = len(positions)
    low, high = frame(positions)
    header, colours = _coloured(colouring)
    header |= {"n": n, "label": label, "height": height, "view": view, "highlight": _rows(highlight, n)[:MOST_RINGS].tolist()}

    shape = {"n": n, "low": low.tolist(), "high": high.tolist()}
    held = {
        "points": _message(shape, quantised_positions(positions, low, high)),
        "tokens": _message({}, joined_names(tokens)),
    }
    if recolour:
        bits, rows = packed_labels(recolour.labels)
        held["labels"] = _message({"bits": bits}, *rows)
        header["recolour"] = _recoloured(recolour, colouring) | {"labels": held["labels"][0]}
    header |= {name: held[name][0] for name in ("points", "tokens")}

    with st.container(gap=None):
        chosen, header["selection"] = _chosen(st.session_state.get(_told(key)), header["points"], header["tokens"], positions)
        _map(key=key, data=pack(header, colours), height=height, on_selection_change=lambda: _tell(key))
        for name, (_, data) in held.items():
            _held(key=f"{key}-{name}", data=data)
    return chosen


def _message(header: dict, *arrays: bytes) -> tuple[str, bytes]:
    """What the browser is given to hold, after the digest that it finds it by."""
    digest = blake2b(pack(header, *arrays), digest_size=12).hexdigest()
    return digest, pack(header | {"digest": digest}, *arrays)


def _recoloured(recolour: Recolouring, colouring: Colouring) -> dict:
    """What the browser is told of labels for every value of a dial. order: which label of the colouring shown each one is."""
    labels, values = recolour.labels, list(recolour.values)
    if labels.shape != (len(values), len(colouring.values)):
        raise ValueError(f"labels must be ({len(values)}, {len(colouring.values)}), got {labels.shape}")
    order = []
    if recolour.at in values:
        same = labels[values.index(recolour.at)]
        order = names_kept(colouring.values, same, int(max(same.max(initial=0), colouring.values.max(initial=0))) + 1).tolist()
    return {"dial": recolour.dial, "at": recolour.at, "values": values, "order": order, "names": recolour.names}


def _check(positions: np.ndarray, colouring: Colouring, tokens: Sequence[str]) -> None:
    n = len(positions)
    if positions.ndim != 2 or positions.shape[1] != 2:
        raise ValueError(f"positions must be (n, 2), got {positions.shape}")
    if n > MOST_ROWS:
        raise ValueError(f"a map holds at most {MOST_ROWS:,} rows, got {n:,}")
    if not np.isfinite(positions).all():
        raise ValueError("positions must be finite")
    if np.shape(colouring.values) != (n,) or len(tokens) != n:
        raise ValueError(
            f"{n:,} positions need as many colour values and tokens, got {len(colouring.values):,} and {len(tokens):,}"
        )


def _coloured(colouring: Colouring) -> tuple[dict, bytes]:
    """The legend's part of the header, and one byte a point."""
    header = {"kind": colouring.kind, "title": colouring.title}
    values = np.asarray(colouring.values)
    if colouring.kind == "categories":
        if len(values) and (values.min() < 0 or values.max() >= MISSING):
            raise ValueError(f"labels must be between 0 and {MISSING - 1}, got {values.min()} to {values.max()}")
        counts = np.bincount(values, minlength=len(colouring.names))
        names = [*colouring.names, *map(str, range(len(colouring.names), len(counts)))]
        header |= {"palette": CATEGORIES, "names": names, "counts": counts.tolist()}
        return header, values.astype(np.uint8).tobytes()
    low, high = colouring.limits or robust_limits(values, colouring.log)
    if not low <= high or (colouring.log and low <= 0):
        raise ValueError(f"limits must rise{' from above zero' if colouring.log else ''}, got {low} and {high}")
    header |= {"palette": SEQUENTIAL, "limits": [float(low), float(high)], "log": colouring.log}
    header["beyond"] = [bool((values < low).any()), bool((values > high).any())]
    return header, quantised_values(values, (low, high), colouring.log)


def _rows(rows, n: int) -> np.ndarray:
    """`rows` as whole numbers, those outside 0 to n - 1 left out."""
    rows = np.asarray([] if rows is None else rows, dtype=np.int64).ravel()
    return rows[(rows >= 0) & (rows < n)]


def _told(key: str) -> str:
    """Where the session keeps what was last chosen on a map, for when a person comes back to its page."""
    return f"{key} chosen"


def _tell(key: str) -> None:
    told = st.session_state[key].get("selection")
    st.session_state[_told(key)] = (
        {name: told.get(name) for name in ("points", "row", "polygon")} if isinstance(told, dict) else None
    )


def _chosen(told: dict | None, points: str, tokens: str, positions: np.ndarray) -> tuple[MapSelection, dict | None]:
    """What is chosen on the points and tokens of these digests, and how the browser is told. Rows that were chosen while the same
    tokens lay elsewhere stay chosen; `told` keeps them."""
    if told and told["points"] == points:
        chosen = _selection(told, positions)
        told |= {"tokens": tokens, "rows": chosen.rows}
        return chosen, {name: told[name] for name in ("row", "polygon") if told[name] is not None}
    if told and told.get("tokens") == tokens and len(told["rows"]):
        return MapSelection(told["rows"]), {"rows": told["rows"][:MOST_RINGS].tolist()}
    return MapSelection(), None


def _selection(told: dict, positions: np.ndarray) -> MapSelection:
    """The rows that `told` stands for; a browser can send anything, so what does not fit selects nothing."""
    row, polygon = told.get("row"), told.get("polygon")
    if isinstance(row, int) and 0 <= row < len(positions):
        return MapSelection(np.array([row]))
    if not isinstance(polygon, list) or not 3 <= len(polygon) <= MOST_CORNERS:
        return MapSelection()
    try:
        corners = np.array(polygon, dtype=np.float64)
    except (TypeError, ValueError):
        return MapSelection()
    if corners.shape != (len(polygon), 2) or not np.isfinite(corners).all():
        return MapSelection()
    return MapSelection(np.flatnonzero(points_in_polygon(positions, corners)), polygon)
