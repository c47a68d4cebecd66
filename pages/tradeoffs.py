"""What does a byte buy?"""

import streamlit as st

from compress import charts
from compress.front import front
from pages.parts.controls import KEPT, choice
from pages.parts.matrix import current_matrix
from pages.parts.pins import pins
from pages.parts.tradeoff_cards import BUDGETS, budget_cards
from pages.parts.tradeoff_picks import picks, table_panel, take_picks
from pages.parts.tradeoff_points import KNOTS, MEASURES, RELATIVE, best_within, points_of, table_of
from pages.parts.tradeoff_sweep import sweep_panel

matrix = current_matrix()

st.title("What does a byte buy?")
with st.container(horizontal=True, vertical_alignment="bottom"):
    ratio = st.select_slider("Budget: at least so many times smaller", BUDGETS, 25, key="budget_ratio", **KEPT)
    measure = choice("Error measure", list(MEASURES), RELATIVE, "error_measure")
    log = st.toggle("Log error", key="log_error", **KEPT)
sweep_panel(matrix)
with st.spinner("Finding the error of every setting …"):
    points = points_of(matrix, measure)
best = best_within(matrix, points, ratio, measure)
budget_cards(matrix, best, ratio, measure)

table = table_of(points)
rows = {point.method: row for row, point in enumerate(points)}
pinned = [rows[method] for method in pins() if method in rows]
chart = charts.tradeoffs(table, front(table["n_bytes"], table["error"]), pinned, matrix.n_bytes, matrix.n_bytes / ratio, log)
chart.update_yaxes(title_text=measure)
st.plotly_chart(
    chart, key="tradeoffs", on_select=lambda: take_picks("tradeoffs"), selection_mode=("points", "box"),
    alt=f"{measure.capitalize()} against bytes; at ratio {ratio}: "
    + ", ".join(f"{point.method.label} {point.error:.3g}" for point in best.values()),
)  # fmt: skip
st.caption(
    "Further left is smaller, further down is closer: the grey band is the front, the settings that no other here beats in both. "
    "The dotted line is the budget; a gap between two colours on it is what one method gains over the other for the same bytes."
)
if len(pinned) < len(pins()):
    st.caption("A pinned setting that this matrix cannot have is not shown.")
picks(points, table, measure)
table_panel(table, matrix.name, measure)
with st.expander("Formula and source"):
    st.markdown(
        "Relative error is $\\sum_i \\lVert a_i - b_i \\rVert^2 / \\sum_i \\lVert a_i \\rVert^2$; ℓ1 error is "
        "$\\sum_{il} |a_{il} - b_{il}| / \\sum_{il} |a_{il}|$; the median row error is the median of "
        "$\\lVert a_i - b_i \\rVert^2 / \\lVert a_i \\rVert^2$. Bytes are all that decoding needs: coefficients, bases, scales, "
        "and labels of $\\lceil \\log_2 k \\rceil$ bits a row. Points of SVD come from the spectrum: the tail "
        "$\\sum_{i>j} \\sigma_i^2$ and what rounding adds to each kept direction (Eckart and Young, 1936); the other two measures "
        f"are computed at up to {KNOTS} ranks and interpolated. k subspaces are projective clustering (Maalouf, Lang, Rus and "
        "Feldman, *Deep Learning Meets Projective Clustering*, ICLR 2021). ℓp low rank is one subspace under a robust error "
        "(Tukan, Maalouf, Weksler and Feldman, *Compressed Deep Networks: Goodbye SVD, Hello Robust Low-Rank Approximation*, "
        "2020): its ℓ1 error or its median row error can be below SVD's; before rounding its relative error is not. int8 and int4 "
        "by row round every entry to a grid that each row has for itself. A setting is on the front (Pareto, 1906) if none is as "
        "small with less error."
    )
