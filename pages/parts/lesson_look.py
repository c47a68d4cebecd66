"""How a lesson looks on a projector: large type, and nothing beside it."""

import streamlit as st

STYLE = """<style>
html { font-size: clamp(16px, 1.6vw, 26px); }
[data-testid="stSidebar"], [data-testid="stSidebarCollapsedControl"], [data-testid="stExpandSidebarButton"],
[data-testid="stHeader"] { display: none; }
[data-testid="stMainBlockContainer"] { padding-top: 1rem; max-width: none; }
</style>"""


def presenter_look() -> None:
    st.html(STYLE)
