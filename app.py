"""The page frame: theme, matrix picker, pins, navigation."""

from pathlib import Path

import streamlit as st

from pages.parts.frame import arrive
from pages.parts.link import link_popover, open_link
from pages.parts.matrix import matrix_picker
from pages.parts.pins import pins_list
from pages.parts.weights import weights_picker

st.set_page_config(page_title="Flatland", page_icon=str(Path(__file__).parent / "docs" / "icon.png"), layout="wide")

OF_THEIR_OWN = ("Filters", "Lesson")  # pages that look at something else than the matrix

page = st.navigation(
    [
        st.Page("pages/spectrum.py", title="Spectrum", icon=":material/show_chart:", default=True),
        st.Page("pages/subspaces.py", title="Subspaces", icon=":material/scatter_plot:"),
        st.Page("pages/robustness.py", title="Robustness", icon=":material/shield:"),
        st.Page("pages/hash_codes.py", title="Hash codes", icon=":material/tag:"),
        st.Page("pages/tradeoffs.py", title="Trade-offs", icon=":material/balance:"),
        st.Page("pages/model_quality.py", title="Model quality", icon=":material/fact_check:"),
        st.Page("pages/filters.py", title="Filters", icon=":material/filter_alt:"),
        st.Page("pages/lesson.py", title="Lesson", icon=":material/school:"),
        st.Page("pages/export.py", title="Export", icon=":material/download:"),
    ]
)
arrive(page.title)
open_link(page.title)
with st.sidebar:
    if page.title not in OF_THEIR_OWN:
        matrix_picker()
        weights_picker()
    pins_list()
    link_popover()
page.run()
