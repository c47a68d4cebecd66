"""Pins that are not on the chart: what this matrix cannot have, and what is still to be fitted."""

import streamlit as st

from compress import EmbeddingMatrix, Method
from pages.parts.export.choice import possible
from pages.parts.fits import again, fit_path, start_full
from pages.parts.pins import told_apart
from pages.parts.work import jobs
from pages.parts.work.watch import watch


def unfitted(matrix: EmbeddingMatrix, missing: list[Method]) -> None:
    """Says which pins are missing and why, and offers the full fit of the first that can be made."""
    wanted = [method for method in missing if possible(method, matrix)]
    if len(wanted) < len(missing):
        st.caption("A pinned setting that this matrix cannot have is not shown.")
    if not wanted:
        return
    job, key = jobs.jobs().get("fit"), fit_path(matrix.key, wanted[0]).stem
    ours = job is not None and job.key == key
    with st.container(horizontal=True, vertical_alignment="center", key="unfitted"):
        if not (ours and job.running):
            st.button(
                f"Fit {wanted[0].label}",
                key="fit_pin",
                icon=":material/play_arrow:",
                on_click=fit_anew,
                args=[matrix, wanted[0]],
                help="Runs beside the app and is kept on disk; Export then has the file at once.",
            )
        st.caption(f"Pinned, but not fitted yet and so not on the chart: {'; '.join(told_apart(wanted))}.")
    if ours:
        watch("fit", "Full fit")


def fit_anew(matrix: EmbeddingMatrix, method: Method) -> None:
    if jobs.stopped("fit", fit_path(matrix.key, method).stem):
        again()
    start_full(matrix, method)
