"""Does one subspace fit all?"""

import streamlit as st

from compress.methods import ProjectiveClustering
from pages.parts.cards import cards
from pages.parts.controls import KEPT, precision_control, rank_slider, whole_slider
from pages.parts.fits import fit_status, fitted, svd_at_same_bytes
from pages.parts.matrix import current_matrix
from pages.parts.pins import pin_button
from pages.parts.subspace_map import subspace_map
from pages.parts.subspace_panels import subspace_panels

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

method = ProjectiveClustering(k=k, j=j, affine=affine, restarts=restarts, factor_bits=bits, seed=seed)
fit = fitted(matrix, method)

status = st.container(horizontal=True, vertical_alignment="center", key="status")
cards(fit.evaluation, *svd_at_same_bytes(matrix, fit.result.ratio, bits))

subspace_map(matrix, fit)
subspace_panels(matrix, fit)
with status:  # filled last, so that the full fit starts when the preview is on its way
    pin_button(method, "pin_subspaces")
    fit_status(matrix, fit)
with st.expander("Formula and source"):
    st.markdown(
        "Each row is stored as its $j$ coordinates in the nearest of $k$ subspaces: minimise "
        "$\\sum_i w_i\\,\\mathrm{dist}(a_i, \\text{nearest } S_z)^2$ over subspaces $S_1 \\dots S_k$ of dimension $j$. "
        "Stored are $n j + k j d$ numbers and a label of $\\lceil \\log_2 k \\rceil$ bits a row (Maalouf, Lang, Rus and Feldman, "
        "*Deep Learning Meets Projective Clustering*, ICLR 2021). The search here starts from rows that lie near each other and, "
        "until its last passes, measures a row's distance to its own subspace as if that had been fitted without the row."
    )
