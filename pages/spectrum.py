"""How many directions does it need?"""

import streamlit as st

from compress.charts import spectrum as charts
from pages.parts.cached import rounded_of, spectrum_of
from pages.parts.cards import lowered
from pages.parts.dial.answers import cut
from pages.parts.dial.figures import figures
from pages.parts.dial.worst import worst_once_still
from pages.parts.frame import through_app
from pages.parts.live_chart.live_chart import live_chart
from pages.parts.matrix import current_matrix
from pages.parts.pins import pin_button
from pages.parts.quick_fits import quick
from pages.parts.spectrum.answers import error_marks, spectrum_answers, spectrum_figures
from pages.parts.spectrum.second import second_matrix
from pages.parts.spectrum.settings import SPECTRUM

through_app()

matrix = current_matrix()
spectrum = spectrum_of(matrix)

st.title("How many directions does it need?")
method = SPECTRUM.controls(matrix)
j, bits, log = method.j, method.factor_bits, SPECTRUM.log.held()
errors = rounded_of(matrix, bits)
figures(
    spectrum_figures(matrix, bits, j),
    answers={SPECTRUM.j.key: spectrum_answers(matrix, bits)},
    beside=lambda: worst_once_still(matrix, lambda: quick(matrix, method).evaluation),
)

second = second_matrix()
found = {matrix.name: spectrum}
if second:
    found[second.name + (", uniform weights" if matrix.weighted else "")] = spectrum_of(second)
left, right = st.columns(2)
with left:
    live_chart(
        charts.spectra(found, log),
        key="singular_values",
        marks=[cut(j)],
        alt=f"Singular values, falling from {spectrum.singular_values[0]:.3g} to {spectrum.singular_values[-1]:.3g}",
    )
with right:
    rounded = errors if bits < 16 else None
    live_chart(
        charts.rank_errors(found, bits, rounded, log).update_yaxes(title_text=lowered(matrix)),
        key="rank_errors",
        marks=error_marks(matrix, bits, j),
        alt=f"{lowered(matrix).capitalize()} against j; {errors[j]:.3g} at j = {j}",
    )
st.caption(
    "A curve that drops early and then lies flat is a table that one subspace can hold; a slow slope means that every direction "
    "counts, and that cutting some of them off costs what the right chart shows."
)
if matrix.weighted:
    st.caption("Rows are weighted: singular values, kept energy, effective rank and both charts are those of the rows times √wᵢ.")
pin_button(method, "pin_spectrum")
with st.expander("Formula and source"):
    st.markdown(
        "The rank-j matrix closest to A is $A_j = U_j \\Sigma_j V_j^\\top$, and its relative error is the tail "
        "$\\sum_{i>j} \\sigma_i^2 / \\sum_i \\sigma_i^2$ (Eckart and Young, 1936). Stored are $n j + j d$ numbers. The effective "
        "rank is $\\exp(-\\sum_i q_i \\log q_i)$ with $q_i = \\sigma_i / \\sum_l \\sigma_l$ (Roy and Vetterli, 2007). The energy "
        "rank has $q_i = \\sigma_i^2 / \\sum_l \\sigma_l^2$, with von Neumann's entropy of $A^\\top A / \\mathrm{tr}(A^\\top A)$."
    )
