"""Who pulls the fit?"""

import streamlit as st

from compress import InputError
from compress.charts.figure import PRECISION_NAMES
from compress.charts.robustness import bins_of
from compress.solvers.losses import LABELS
from pages.parts.dial.figures import figures, sentence
from pages.parts.fits import fit_status, fitted
from pages.parts.frame import through_app
from pages.parts.matrix import current_matrix
from pages.parts.pins import pin_button
from pages.parts.robustness.answers import robust_answers
from pages.parts.robustness.cards import fit_figures, planted_figures, planted_sentence, size_sentence, svd_figures
from pages.parts.robustness.fits import noted, planted, reach, residuals, svd_of, view_of
from pages.parts.robustness.panels import ellipsoid_table, gain_table, influence, residual_charts
from pages.parts.robustness.settings import ROBUSTNESS
from pages.parts.robustness.words import FORMULA
from pages.parts.say import refused
from pages.parts.subspaces.loss import estimated

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
matrix = work.matrix
fit, svd = fitted(matrix, method), svd_of(matrix, method)
view = view_of(work, fit)
name = f"ℓp, {method.objective}" if method.name == "lp" else LABELS[method.loss]

status = st.container(horizontal=True, vertical_alignment="center", key="status")
scale = estimated(fit) if method.name == "projective" else None
if scale:
    st.caption(f"λ = {scale:.4g}, estimated from the rows.")
log = ROBUSTNESS.log.held()
bins = bins_of([residuals(matrix, each) for each in (fit, svd)], reach(work), log)
preview = ", preview" if fit.preview else ""
st.caption(f"**{name}{preview}**")
figures(fit_figures(matrix, view, fit.preview), answers=robust_answers(work, fit, name, bins))
st.caption(f"**SVD, {PRECISION_NAMES[method.factor_bits]}**, the same j and precision, since directions are compared")
figures(svd_figures(matrix, view), "svd_cards")
sentence(size_sentence(matrix, method), "sizes")
if work.count:
    sentence(planted_sentence(work.count), "planted_words")
    figures(planted_figures(view, name, fit.preview), "planted_cards")

ROBUSTNESS.log.draw("Log counts", "Shows the few rows in the tail too.")
residual_charts(work, fit, svd, bins, name)
gain_table(work, fit, svd, name)
influence(matrix, method, name)
with status:  # filled late, so that the full fit starts when the preview is on its way
    pin_button(method, "pin_robust")
    fit_status(matrix, fit, noted(work) if work.count and fit.preview else None)
with st.expander("Formula and source"):
    st.markdown(FORMULA)
    ellipsoid_table(matrix, method.p if method.name == "lp" else 1.0)
