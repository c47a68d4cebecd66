"""Sliders and choices that several pages share, each bound to the link and kept from page to page."""

from collections.abc import Sequence

import streamlit as st

from compress.charts.figure import PRECISION_NAMES

KEPT = {"bind": "query-params", "persist_state": "session"}


def rank_slider(label: str, key: str, most: int) -> int:
    """A slider for the dimension of a subspace, 1 to `most`, at first 60 or a tenth of a small `most`."""
    return whole_slider(label, key, 1, most, usual_rank(most))


def usual_rank(most: int) -> int:
    """The dimension that a page opens with."""
    return 60 if most > 120 else max(1, most // 10)


def whole_slider(label: str, key: str, low: int, high: int, default: int, help: str | None = None, disabled: bool = False) -> int:
    if low >= high:  # a matrix with one column, say
        st.caption(f"{label}: {low}, the only choice for this matrix.")
        return low
    held = st.session_state.get(key)
    if isinstance(held, int) and not low <= held <= high:  # another matrix was opened
        st.session_state[key] = min(max(held, low), high)
    return st.slider(label, low, high, min(max(default, low), high), key=key, help=help, disabled=disabled, **KEPT)


def precision_control(label: str, key: str) -> int:
    """The stored precision of factors, in bits."""
    help = "int8 and int4 carry their scales; the basis, which every row shares, keeps at least 8 bits."
    chosen = choice(label, list(PRECISION_NAMES.values()), "float16", key, help)
    return next(bits for bits, name in PRECISION_NAMES.items() if name == chosen)


def choice(label: str, options: Sequence[str], default: str, key: str, help: str | None = None) -> str:
    """One of a few options side by side; the default where a link names none."""
    chosen = st.segmented_control(label, options, default=default, required=True, key=key, help=help, **KEPT)
    return chosen or default
