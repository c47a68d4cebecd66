"""Does one subspace fit all?"""

import streamlit as st

from compress.methods import ProjectiveClustering
from pages.parts.cards import cards
from pages.parts.controls import KEPT, precision_control, rank_slider, whole_slider
from pages.parts.fits import fit_status, fitted, svd_at_same_bytes
from pages.parts.matrix import current_matrix
from pages.parts.pins import pin_button
from pages.parts.subspaces.loss import estimated, loss_control, loss_words
from pages.parts.subspaces.panels import subspace_panels
from pages.parts.subspaces.rows_map import subspace_map

matrix = current_matrix()
n, d = matrix.shape

st.title("Does one subspace fit all?")
left, right = st.columns(2)
with left:
    k = whole_slider("Number of subspaces k", "k", 1, min(32, n), 5)
with right:
    j = rank_slider("Dimension j of each", "flat_j", min(n, d))
with st.container(horizontal=True, vertical_alignment="bottom"):
    bits = precision_control("Factors stored as", "flat_precision")
    affine = st.toggle("Affine", key="affine", help="Flats with a point of their own instead of subspaces through 0.", **KEPT)
    with st.popover("Search", help="Restarts and seed of the search"):
        restarts = whole_slider("Restarts", "restarts", 1, 32, 8, "Starts tried on a sample; the best goes on over all rows.")
        seed = whole_slider("Seed", "seed", 0, 99, 0, "The same seed gives the same subspaces.")
    popover = st.popover("Loss", help="How much a row far from every subspace pulls")
    with popover:
        loss = loss_control()

method = ProjectiveClustering(k=k, j=j, affine=affine, restarts=restarts, factor_bits=bits, seed=seed, **loss)
fit = fitted(matrix, method)
if estimated(fit):
    popover.caption(f"λ = {estimated(fit):.4g}, estimated")

status = st.container(horizontal=True, vertical_alignment="center", key="status")
cards(matrix, fit.evaluation, *svd_at_same_bytes(matrix, fit.result.ratio, bits))
loss_words(fit)

subspace_map(matrix, fit)
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
