"""Who pulls the fit?"""

import streamlit as st

from compress import InputError
from compress.solvers.losses import LABELS
from pages.parts.fits import fit_status, fitted
from pages.parts.frame import through_app
from pages.parts.matrix import current_matrix
from pages.parts.pins import pin_button
from pages.parts.robustness.cards import planted_cards, robust_cards
from pages.parts.robustness.fits import planted, saved, svd_of
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
name = f"ℓp, p = {method.p:g}, {method.objective}" if method.name == "lp" else LABELS[method.loss]

status = st.container(horizontal=True, vertical_alignment="center", key="status")
scale = estimated(fit) if method.name == "projective" else None
if scale:
    st.caption(f"λ = {scale:.4g}, estimated from the rows.")
robust_cards(matrix, fit, svd, name)
if work.any:
    planted_cards(work, fit, svd, name)

residual_charts(work, fit, svd, name)
gain_table(work, fit, svd, name)
influence(matrix, method, name)
with status:  # filled late, so that the full fit starts when the preview is on its way
    pin_button(method, "pin_robust")
    try:
        fit_status(matrix, fit, saved(matrix) if work.any and fit.preview else None)
    except InputError as error:  # no room for the planted matrix, say
        refused(error)
with st.expander("Formula and source"):
    st.markdown(FORMULA)
    ellipsoid_table(matrix, method.p if method.name == "lp" else 1.0)
