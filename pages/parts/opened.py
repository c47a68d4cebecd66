"""Tabs and folded panels: which is open stays so when a setting moves, and when a person comes back from another page."""

from collections.abc import Callable, Mapping

import streamlit as st


def tabs(panels: Mapping[str, Callable], key: str, *given) -> None:
    """A tab a panel, by its name; only the one that is open is drawn."""
    recall(key)
    for tab, draw in zip(st.tabs(list(panels), key=key, on_change="rerun"), panels.values(), strict=True):
        if tab.open:
            with tab:
                draw(*given)
    hold(key)


def folded(label: str, key: str):
    """A panel that is folded at first, whose `open` says whether to fill it."""
    recall(key)
    panel = st.expander(label, key=key, on_change="rerun")
    hold(key)
    return panel


def recall(key: str) -> None:
    """What the widget of that key held, which a page that is left takes with it."""
    if key not in st.session_state and held_as(key) in st.session_state:
        st.session_state[key] = st.session_state[held_as(key)]


def hold(key: str) -> None:
    st.session_state[held_as(key)] = st.session_state[key]


def held_as(key: str) -> str:
    return f"{key} held"
