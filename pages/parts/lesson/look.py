"""How a lesson looks on a projector: large type, and nothing beside it."""

import streamlit as st

STYLE = """<style>
html { font-size: clamp(16px, 1.6vw, 26px); }
[data-testid="stSidebar"], [data-testid="stSidebarCollapsedControl"], [data-testid="stExpandSidebarButton"],
[data-testid="stHeader"] { display: none; }
[data-testid="stMainBlockContainer"] { padding: 0.6rem 2rem; max-width: none; }
[data-testid="stLayoutWrapper"]:has(> .st-key-lesson_picture) { flex-basis: calc(100vh - 5.2rem); }
.st-key-lesson_picture { gap: 0.5rem; overflow: hidden; }
</style>"""


def presenter_look() -> None:
    st.html(STYLE)
