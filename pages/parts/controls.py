"""Sliders and choices that several pages share, each bound to the link and kept from page to page."""

import streamlit as st

from compress.charts import PRECISION_NAMES

KEPT = {"bind": "query-params", "persist_state": "session"}


def rank_slider(label: str, key: str, most: int, default: int) -> int:
    """A slider for the dimension of a subspace, 1 to `most`; a matrix with one column leaves no choice."""
    return whole_slider(label, key, 1, most, default)


def whole_slider(label: str, key: str, low: int, high: int, default: int, help: str | None = None) -> int:
    if low >= high:
        st.caption(f"{label}: {low}, the only choice for this matrix.")
        return low
    held = st.session_state.get(key)
    if isinstance(held, int) and not low <= held <= high:  # another matrix was opened
        st.session_state[key] = min(max(held, low), high)
    return st.slider(label, low, high, min(max(default, low), high), key=key, help=help, **KEPT)


def precision_control(label: str, key: str) -> int:
    """The stored precision of factors, in bits."""
    chosen = st.segmented_control(
        label, list(PRECISION_NAMES.values()), default="float16", required=True, key=key,
        help="int8 and int4 carry their scales; the basis, which every row shares, keeps at least 8 bits.", **KEPT,
    )  # fmt: skip
    return next(bits for bits, name in PRECISION_NAMES.items() if name == chosen)
