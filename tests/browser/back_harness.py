"""Two pages with settings in the address, and a step that the second one writes to it."""

import streamlit as st

from pages.parts.back import one_step_back


def first():
    st.header("first")
    st.slider("a", 0, 9, key="a", bind="query-params", persist_state="session")
    st.slider("b", 0, 9, key="b", bind="query-params", persist_state="session")


def second():
    st.header("second")
    st.slider("c", 0, 9, key="c", bind="query-params", persist_state="session")
    step = int(st.query_params.get("step", 0))
    st.text(f"step {step}")
    if st.button("Next"):
        st.query_params["step"] = step + 1
        st.rerun()


page = st.navigation([st.Page(first, default=True), st.Page(second)])
one_step_back(["step"])
page.run()
