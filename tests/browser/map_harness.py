"""A page with one map on planted clusters. Query: n rows, `kind` of colouring, k categories, `ring` rows highlighted,
`dial` a slider of the browser's own, key "groups", that recolours in as many groups, `among` shows every so many rows only,
`groups` two names that are near, `columns` one of each kind on hover."""

import numpy as np
import streamlit as st

from compress.sources.column_kinds import Categories, Dates, Numbers, Texts
from pages.parts.map import Colouring, GroupName, Recolouring, name_groups, scatter_map

HOSTILE = '<img src=x onerror="window.stolen=1"><b>bold</b> **md** $x$ \u202eright to left'
CORNERS = np.array([(0.0, 0.0), (10.0, 0.0), (0.0, 8.0), (10.0, 8.0)])


@st.cache_data(max_entries=2)
def planted(n):
    """`n` rows, row i near corner i % 4 of a rectangle but for row 0, alone in its middle; their tokens."""
    random = np.random.default_rng(0)
    positions = CORNERS[np.arange(n) % 4] + random.standard_normal((n, 2)).clip(-3, 3) * 0.5
    positions[0] = 5, 4
    return positions, [HOSTILE, *(f"token {i}" for i in range(1, n))]


@st.cache_data(max_entries=2)
def columns(n):
    """Row 0 has one of each kind."""
    codes, numbers = np.arange(n, dtype=np.int32) % 3 - 1, np.full(n, 12.5)
    codes[0] = 0
    return [
        Categories("kind", codes, ("<b>one</b>", "two"), np.bincount(codes[codes >= 0])),
        Numbers("size", numbers),
        Dates("when", np.full(n, np.datetime64("2020-02-29", "s"))),
        Texts("text", ["<img src=x onerror=alert(1)>"] * n, False),
    ]


st.set_page_config(layout="wide")
asked = st.query_params
n, k = int(asked.get("n", 4000)), int(asked.get("k", 4))
positions, tokens = planted(n)
turn = st.slider("turn", 0, 50, 0)
mirrored, away = st.checkbox("mirrored"), st.checkbox("away")
if asked.get("kind") == "sequential":
    values = positions[:, 0] ** 2 + turn
    colouring = Colouring(values, "sequential", title="squared x", log="log" in asked)
else:
    names = tuple(f"flat {i}" for i in range(k))
    colouring = Colouring(((np.arange(n) % 4 + turn) % k).astype(np.uint8), "categories", names, title="subspace")
recolour = None
if "dial" in asked:
    labels = np.array([np.arange(n) % 4 * groups // 4 for groups in range(1, 5)])
    recolour = Recolouring("groups", 4, [1, 2, 3, 4], labels[:, :], tuple(f"flat {i}" for i in range(4)))
if away:
    st.stop()
shown = scatter_map(
    positions * (-1, 1) if mirrored else positions,
    colouring,
    tokens,
    key="map",
    recolour=recolour,
    highlight=range(1, 1 + int(asked.get("ring", 0))),
    among=np.arange(n) % int(asked["among"]) == 0 if "among" in asked else None,
    columns=columns(n) if "columns" in asked else (),
    groups="two groups" if "groups" in asked else None,
)
if "groups" in asked:
    near = [GroupName(np.array([5.0, 4.0]), "group 0"), GroupName(np.array([5.3, 4.05]), "group 1")]
    name_groups("map", "two groups", positions, near)
left = n if shown.shown is None else shown.shown.sum()
st.text(f"{len(shown.rows)} rows, sum {shown.rows.sum()}, {len(shown.polygon or [])} corners, {left} shown, turn {turn}")
