"""The demo that is made of what is installed: the button that makes it, where the picker is at it and it is not there yet."""

import streamlit as st

from compress.sources.documentation import SOURCE, installed
from pages.parts.matrix import chosen, use
from pages.parts.work import jobs
from pages.parts.work.queue import QUEUE
from pages.parts.work.watch import watch

MAKING = "make"


def demo_maker() -> None:
    """Below the picker of the matrix. Once the demo is made it is opened."""
    if st.session_state.get("matrix_kind") != SOURCE or chosen()[0] == SOURCE:
        return
    if installed():
        use(SOURCE, None)
        st.rerun()
    watch(MAKING, "Making it", key=SOURCE)
    if not jobs.running(MAKING):
        about = "Once, in some minutes: 20,000 sentences go through the demo's model."
        st.button("Make it", key="make_demo", icon=":material/play_arrow:", help=about, on_click=make)


def make() -> None:
    QUEUE.ask(jobs.here(), MAKING, SOURCE, ["make", SOURCE])
