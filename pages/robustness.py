"""Who pulls the fit?"""

import streamlit as st

from compress import InputError
from compress.charts.figure import PRECISION_NAMES
from compress.charts.robustness import bins_of
from pages.parts.dial.figures import figures, sentence
from pages.parts.dial.still import once_still
from pages.parts.dial.worst import worst_rows
from pages.parts.frame import through_app
from pages.parts.matrix import current_matrix
from pages.parts.pins import pin_button
from pages.parts.robustness.answers import answers_follow, parted, robust_answers
from pages.parts.robustness.cards import fit_figures, planted_figures, planted_sentence, reading, size_sentence, svd_figures
from pages.parts.robustness.fits import planted, reach
from pages.parts.robustness.panels import ellipsoid_table, gain_table, influence, residual_charts, status
from pages.parts.robustness.settings import ROBUSTNESS
from pages.parts.robustness.shown import shown_of
from pages.parts.robustness.words import FORMULA
from pages.parts.say import refused
from pages.parts.work.queue import QUEUE

through_app()

clean = current_matrix()

st.title("Who pulls the fit?")
method = ROBUSTNESS.controls(clean)
count, length = ROBUSTNESS.plant_controls(clean)
try:
    work = planted(clean, count, length)
except InputError as error:  # rows so long that float32 cannot hold them
    refused(error)
    work = planted(clean, 0, length)
shown = shown_of(work, method)
title = ROBUSTNESS.title_of(method)

above = st.container(horizontal=True, vertical_alignment="center", key="status")
if scale := shown.scale:
    st.caption(f"λ {'≈' if shown.behind else '='} {scale:.4g}, estimated from the rows.")
log = ROBUSTNESS.log.held()
bins = bins_of(shown.view, clean.shape[0], work.count, reach(work), log)
st.caption(f"**{title}{', preview' if shown.preview else ''}**")
first, others = parted(work, method, shown.tables)
figures(
    fit_figures(clean, shown.view, shown.preview),
    answers=robust_answers(work, method, shown.around, bins, first),
    beside=lambda: worst_rows(work.clean, None if shown.preview else shown.last.fit.evaluation),
)
st.caption(f"**SVD, {PRECISION_NAMES[method.factor_bits]}**, the same j and precision, since directions are compared")
figures(svd_figures(clean, shown.view, shown.svd_moved), "svd_cards")
sentence(size_sentence(clean, method), "sizes")
st.caption(reading(clean))
with st.container():  # there without planted rows too, so that what follows keeps its place
    if work.count:
        sentence(planted_sentence(work.count), "planted_words")
        figures(planted_figures(shown.view, title, shown.preview, shown.svd_moved), "planted_cards")

ROBUSTNESS.log.draw("Log counts", "Shows the few rows in the tail too.")
residual_charts(work, shown, bins, title)
gain_table(shown, title)
influence(work, method, title)
with above:  # filled late, so that the full fit starts when what is shown is on its way
    pin_button(method, "pin_robust")
    status(work, method, shown)
with st.expander("Formula and source"):
    st.markdown(FORMULA)
    ellipsoid_table(work, method.p if method.name == "lp" else 1.0)
if others and not QUEUE.crowded:
    once_still(lambda: answers_follow(work, method, shown.tables, shown.around, bins, others), "answers_follow")
