"""A page with one map on planted clusters. Query: n rows, `kind` of colouring, k categories, `ring` rows highlighted,
`dial` a slider of the browser's own, key "groups", that recolours in as many groups."""

import numpy as np
import streamlit as st

from pages.parts.map import Colouring, Recolouring, scatter_map

HOSTILE = '<img src=x onerror="window.stolen=1"><b>bold</b> **md** $x$ \u202eright to left'
CORNERS = np.array([(0.0, 0.0), (10.0, 0.0), (0.0, 8.0), (10.0, 8.0)])


@st.cache_data(max_entries=2)
def planted(n):
    """`n` rows, row i near corner i % 4 of a rectangle but for row 0, alone in its middle; their tokens."""
    random = np.random.default_rng(0)
    positions = CORNERS[np.arange(n) % 4] + random.standard_normal((n, 2)).clip(-3, 3) * 0.5
    positions[0] = 5, 4
    return positions, [HOSTILE, *(f"token {i}" for i in range(1, n))]


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
)
st.text(f"{len(shown.rows)} rows, sum {shown.rows.sum()}, {len(shown.polygon or [])} corners, turn {turn}")
