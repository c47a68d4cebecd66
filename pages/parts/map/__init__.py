"""A map of all rows: a scatter of up to a million points that can be panned, zoomed, hovered, filtered and lassoed.

The browser gets several messages. `flatland_map_held` carries arrays, each by itself: positions (4 bytes a point), colours (1),
names, other columns, labels for every value of a dial, which rows a search leaves; while one stays the same Streamlit sends a short
reference in its place. `flatland_map` carries what is said of them. The browser sends back one row or the corners of a polygon, and
what the legend filters; the rows are found here. Where the same rows get other positions, points glide there, and the rows that
were chosen stay so.

Points are painted by WebGL 2, or, where that is missing or done by the processor, by hand. Of more than 300,000 some stand for all
while the map moves. What the legend filters is shown at once, by the palette of 256 colour values.

Gestures: drag pans, Shift and drag or the Lasso tool draws a lasso, a click picks a row. The wheel zooms around the cursor, but a
scroll of the page that began elsewhere goes on, and so does one past the widest view. One finger scrolls the page while the whole
map is in view and pans once it is zoomed in; two fingers pan and zoom. A press on the legend hides a category or shows it, two
show it alone. Keys: arrows, + and -, 0 for the whole map, L for the lasso, N for names of groups, Enter for the row at the centre,
Esc to clear.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np
import streamlit as st

from compress.matrix import RowNames
from compress.sources.column_kinds import Typed

from .chosen import MapSelection, filter_of, selection, shown_by
from .colouring import Colouring, Recolouring, by_column, coloured, recoloured
from .packing import frame, joined_names, pack, packed_columns, packed_labels, quantised_positions

__all__ = ["Colouring", "GroupName", "MapSelection", "Recolouring", "by_column", "name_groups", "scatter_map"]

MOST_ROWS = 1_000_000
MOST_RINGS = 2_000
LONGEST_GROUP = 40  # letters of a group's name


def _source(*names: str) -> str:
    return "\n".join((Path(__file__).parent / name).read_text(encoding="utf-8") for name in names)


_held = st.components.v2.component("flatland_map_held", js=_source("wire.js", "held.js"))
_map = st.components.v2.component(
    "flatland_map",
    html=_source("map.html"),
    css=_source("map.css"),
    js=_source(
        *("../dial/answers.js", "wire.js", "camera.js", "nearest.js", "glide.js", "filter.js", "paint.js", "by_hand.js"),
        *("lasso.js", "legend.js", "columns.js", "names.js", "overlay.js", "recolour.js", "gestures.js", "map.js"),
    ),
)


@dataclass(frozen=True, eq=False)
class GroupName:
    """What stands on the map for a group of rows: `text` at the place `at` (2,), from that `zoom` on where it has room. value: the
    label of its colour, with which it is hidden."""

    at: np.ndarray
    text: str
    zoom: float = 1.0
    value: int | None = None


def scatter_map(
    positions: np.ndarray,
    colouring: Colouring,
    tokens: Sequence[str],
    *,
    key: str,
    highlight: Sequence[int] | np.ndarray | None = None,
    recolour: Recolouring | None = None,
    among: np.ndarray | None = None,
    columns: Sequence[Typed] = (),
    groups: str | None = None,
    height: int = 620,
    label: str = "Map of all rows",
    view: str | None = None,
) -> MapSelection:
    """Draw `positions` (n, 2), coloured and named, and return what is chosen on it, of the rows that are shown.

    `highlight` holds rows to ring, and to name where there are at most 30. `among` (n,) says which rows are shown at all.
    `columns` tell more of a row that is hovered. `groups` is the id by which `name_groups` then names groups of rows. `height` is
    in pixels and takes in the tools above and the legend below. `label` is what a screen reader says. `view` names what a person
    looks at: pan and zoom stay while it does, by default while the positions do. Raises ValueError where the arrays do not fit
    together.
    """
    _check(positions, colouring, tokens)
    n = len(positions)
    header, colours = coloured(colouring)
    header |= {"n": n, "label": label, "height": height, "view": view, "highlight": _rows(highlight, n)[:MOST_RINGS].tolist()}
    held = {
        "points": _once(key, "points", positions, lambda: _points(positions)),
        "colours": _message({}, colours.tobytes()),
        "tokens": _once(key, "tokens", tokens, lambda: _names(tokens)),
    }
    if among is not None:
        held["among"] = _message({}, np.packbits(among, bitorder="little").tobytes())
    if columns:
        held["columns"] = _once(key, "columns", tuple(columns), lambda: _columns(columns))
    if recolour:
        bits, rows = packed_labels(recolour.labels)
        held["labels"] = _message({"bits": bits}, *rows)
        header["recolour"] = recoloured(recolour, colouring) | {"labels": held["labels"][0]}
    header |= {name: held[name][0] for name in held if name != "labels"} | {"groups": groups}

    filtered = filter_of(st.session_state.get(_filter_told(key)), header["legend"])
    shown = shown_by(filtered, colours)
    shown = among if shown is None else shown if among is None else shown & among
    with st.container(gap=None):
        told = st.session_state.get(_told(key))
        chosen, header["selection"] = _chosen(told, header["points"], header["tokens"], positions)
        header["filter"] = filtered
        for name in ("points", "colours"):  # what is drawn first is sent first
            _held(key=f"{key}-{name}", data=held.pop(name)[1])
        _map(
            key=key,
            data=pack(header),
            height=height,
            on_selection_change=lambda: _tell(key),
            on_filter_change=lambda: _tell_filter(key),
        )
        for name, (_, data) in held.items():
            _held(key=f"{key}-{name}", data=data)
    return chosen.among(shown)


def name_groups(key: str, groups: str, positions: np.ndarray, names: Sequence[GroupName]) -> None:
    """Puts names on the map of this key, which was drawn with these `groups`, the weightiest first."""
    low, high = frame(positions)
    told = [
        {
            "at": ((each.at - low) / (high - low)).round(5).tolist(),
            "text": each.text if len(each.text) <= LONGEST_GROUP else each.text[: LONGEST_GROUP - 1] + "…",
            "from": each.zoom,
            "value": each.value,
        }
        for each in names
    ]
    _held(key=f"{key}-groups", data=pack({"names": told, "digest": groups}))


def _once(key: str, name: str, of: object, make: Callable[[], tuple[str, bytes]]) -> tuple[str, bytes]:
    """A message that is kept in the session while it is of the same objects, for many rows make it slow."""
    place = f"{key} {name} packed"
    same, message = st.session_state.get(place, (None, None))
    if not (same is of or (isinstance(of, tuple) and isinstance(same, tuple) and _same(same, of))) or message is None:
        message = make()
        st.session_state[place] = of, message
    return message


def _same(some: tuple, others: tuple) -> bool:
    return len(some) == len(others) and all(a is b for a, b in zip(some, others, strict=True))


def _points(positions: np.ndarray) -> tuple[str, bytes]:
    if not np.isfinite(positions).all():
        raise ValueError("positions must be finite")
    positions = np.asarray(positions, dtype=np.float64)
    low, high = frame(positions)
    shape = {"n": len(positions), "low": low.tolist(), "high": high.tolist()}
    return _message(shape, quantised_positions(positions, low, high))


def _names(tokens: Sequence[str]) -> tuple[str, bytes]:
    if isinstance(tokens, RowNames):
        return _message({"numbered": len(tokens)})
    return _message({}, joined_names(tokens))


def _columns(columns: Sequence[Typed]) -> tuple[str, bytes]:
    headers, arrays = packed_columns(columns)
    return _message({"columns": headers}, *arrays)


def _message(header: dict, *arrays: bytes) -> tuple[str, bytes]:
    """What the browser is given to hold, after the digest that it finds it by."""
    digest = blake2b(pack(header, *arrays), digest_size=12).hexdigest()
    return digest, pack(header | {"digest": digest}, *arrays)


def _check(positions: np.ndarray, colouring: Colouring, tokens: Sequence[str]) -> None:
    n = len(positions)
    if positions.ndim != 2 or positions.shape[1] != 2:
        raise ValueError(f"positions must be (n, 2), got {positions.shape}")
    if n > MOST_ROWS:
        raise ValueError(f"a map holds at most {MOST_ROWS:,} rows, got {n:,}")
    if np.shape(colouring.values) != (n,) or len(tokens) != n:
        raise ValueError(
            f"{n:,} positions need as many colour values and tokens, got {len(colouring.values):,} and {len(tokens):,}"
        )


def _rows(rows, n: int) -> np.ndarray:
    """`rows` as whole numbers, those outside 0 to n - 1 left out."""
    rows = np.asarray([] if rows is None else rows, dtype=np.int64).ravel()
    return rows[(rows >= 0) & (rows < n)]


def _told(key: str) -> str:
    """Where the session keeps what was last chosen on a map, for when a person comes back to its page."""
    return f"{key} chosen"


def _filter_told(key: str) -> str:
    return f"{key} filter"


def _tell(key: str) -> None:
    told = st.session_state[key].get("selection")
    st.session_state[_told(key)] = (
        {name: told.get(name) for name in ("points", "row", "polygon")} if isinstance(told, dict) else None
    )


def _tell_filter(key: str) -> None:
    st.session_state[_filter_told(key)] = st.session_state[key].get("filter")


def _chosen(told: dict | None, points: str, tokens: str, positions: np.ndarray) -> tuple[MapSelection, dict | None]:
    """What is chosen on the points and tokens of these digests, and how the browser is told. Rows that were chosen while the same
    tokens lay elsewhere stay chosen; `told` keeps them."""
    if told and told["points"] == points:
        chosen = selection(told, positions)
        told |= {"tokens": tokens, "rows": chosen.rows}
        return chosen, {name: told[name] for name in ("row", "polygon") if told[name] is not None}
    if told and told.get("tokens") == tokens and len(told["rows"]):
        return MapSelection(told["rows"]), {"rows": told["rows"][:MOST_RINGS].tolist()}
    return MapSelection(), None
