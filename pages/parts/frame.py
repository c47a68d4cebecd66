"""Every page inside the app's frame, also when it is the first address that anybody asks a new server for."""

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager
from streamlit.runtime.scriptrunner import get_script_run_ctx

PAGE, ARRIVED, MOVED = "page", "arrived", "moved"  # in the session's state: MOVED since a hand let go of a dial


def through_app() -> None:
    """Until app.py has run once, Streamlit takes the folder pages/ for an older kind of app and runs a page without its frame; then
    this turns that off and runs the address again."""
    if PagesManager.uses_pages_directory:
        no_older_kind()
        st.rerun()


def no_older_kind() -> None:
    """The same before anybody asks for an address, so that none is run twice."""
    PagesManager.uses_pages_directory = False


def arrive(page: str) -> None:
    """Notes which page runs, and whether the session comes to it from another one."""
    st.session_state[ARRIVED] = st.session_state.get(PAGE) != page
    st.session_state[PAGE] = page


def let_go() -> bool:
    """Whether the page runs since a hand let go of a dial."""
    return bool(st.session_state.get(MOVED))


def give_way() -> None:
    """Ends this run where a newer one waits: Streamlit sees to that wherever the session's state is read."""
    st.session_state.get(MOVED)


def came_back() -> bool:
    """Whether the browser's Back or Forward asked for this run, and the address came with it: every one of ours names a matrix."""
    context = get_script_run_ctx()
    return context is not None and context.is_history_navigation and "matrix" in st.query_params
