"""Does one subspace fit all?"""

from functools import cache

import streamlit as st

from pages.parts.cards import setting_figures
from pages.parts.dial.figures import figures
from pages.parts.dial.worst import worst_rows
from pages.parts.fits import fit_status
from pages.parts.frame import through_app
from pages.parts.matrix import current_matrix
from pages.parts.pins import pin_button
from pages.parts.subspaces.answers import rivals_of, subspace_answers
from pages.parts.subspaces.found import found
from pages.parts.subspaces.known import colours_of_k, drafts_of_k, groups_of, known_groups, start_of
from pages.parts.subspaces.loss import estimated, loss_words
from pages.parts.subspaces.panels import subspace_panels
from pages.parts.subspaces.rows_map import begin_map, subspace_map
from pages.parts.subspaces.settings import SUBSPACES

through_app()

matrix = current_matrix()

st.title("Does one subspace fit all?")
begin_map(matrix)
method, popover = SUBSPACES.controls(matrix)
drafts = drafts_of_k(matrix, method)
known = known_groups(matrix, method, drafts)
fit_of = cache(lambda: found(matrix, method, start_of(matrix, method, known)))  # made when somebody asks for it

status = st.container(horizontal=True, vertical_alignment="center", key="status")
above = st.container(key="told")
subspace_map(matrix, method.k, fit_of, colours_of_k(drafts))
fit = fit_of()
groups = groups_of(matrix, fit, known)
if estimated(fit):
    popover.caption(f"λ = {estimated(fit):.4g}, estimated")
with above:  # filled when the map is on its way, which is seen first
    rivals = rivals_of(matrix, method)
    answers = subspace_answers(matrix, fit, groups, known, rivals)
    told = setting_figures(matrix, method, fit.errors, rivals, fit.preview)
    figures(told, answers=answers, beside=lambda: worst_rows(matrix, None if fit.preview else fit.evaluation))
    loss_words(fit)
subspace_panels(matrix, fit)
with status:  # filled last, so that the full fit starts when the preview is on its way
    pin_button(method, "pin_subspaces")
    fit_status(matrix, fit)
with st.expander("Formula and source"):
    st.markdown(
        "Each row is stored as its $j$ coordinates in the nearest of $k$ subspaces: minimise "
        "$\\sum_i w_i\\,\\rho(\\mathrm{dist}(a_i, \\text{nearest } S_z))$ over subspaces $S_1 \\dots S_k$ of dimension $j$; "
        "$\\rho(t) = t^2$ unless chosen. Stored are $n j + k j d$ numbers and a label of $\\lceil \\log_2 k \\rceil$ bits a row "
        "(Maalouf, Lang, Rus and Feldman, *Deep Learning Meets Projective Clustering*, ICLR 2021). The search here starts from "
        "rows that lie near each other and, until its last passes, measures a row's distance to its own subspace as if that had "
        "been fitted without the row.\n\n"
        "Other losses, with $s = t^2 / \\lambda^2$: ℓp $t^p$; Huber $s$ up to 1, then $2\\sqrt{s} - 1$; Cauchy $\\ln(1 + s)$; "
        "Geman–McClure $s / (1 + s)$; Welsch $1 - e^{-s}$; Tukey $(1 - (1 - s)^3) / 3$ up to 1, then $1/3$. Each refit is least "
        "squares with row weights $w_i\\,d\\rho/ds$, which never raises the sum. Where λ is not given it is the median distance of "
        "a least-squares fit times the loss's constant for 95 % efficiency on Gaussian residuals."
    )
