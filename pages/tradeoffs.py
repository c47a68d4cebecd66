"""What does a byte buy?"""

import streamlit as st

from compress.charts import tradeoffs as charts
from compress.tuning.front import front
from pages.parts.controls import KEPT, choice
from pages.parts.matrix import current_matrix
from pages.parts.pins import pins
from pages.parts.tradeoffs.advice import advice_panel
from pages.parts.tradeoffs.cards import BUDGETS, bound_words, budget_cards
from pages.parts.tradeoffs.picks import picks, table_panel, take_picks
from pages.parts.tradeoffs.points import KNOTS, best_within, bounds_of, measures_of, points_of, table_of, told_with
from pages.parts.tradeoffs.sweep import sweep_panel
from pages.parts.tradeoffs.unfitted import unfitted

matrix = current_matrix()

st.title("What does a byte buy?")
with st.container(horizontal=True, vertical_alignment="bottom"):
    ratio = st.select_slider("Budget: at least so many times smaller", BUDGETS, 25, key="budget_ratio", **KEPT)
    measures = measures_of(matrix)
    measure = choice("Error measure", measures, measures[0], "weighted_measure" if matrix.weighted else "error_measure")
    log = st.toggle("Log error", key="log_error", **KEPT)
sweep_panel(matrix)
with st.spinner("Finding the error of every setting …"):
    points = points_of(matrix, measure)
    bounds = bounds_of(matrix, matrix.key, measure)
best, beside = best_within(matrix, points, ratio, measure), told_with(matrix, measure)
budget_cards(matrix, best, ratio, measure)

table = table_of(points)
rows = {point.method: row for row, point in enumerate(points)}
pinned = [rows[method] for method in pins() if method in rows]
chart = charts.tradeoffs(
    table, front(table["n_bytes"], table["error"]), pinned, matrix.n_bytes, matrix.n_bytes / ratio, log,
    {name: bound.error for name, bound in bounds.items()},
)  # fmt: skip
chart.update_yaxes(title_text=measure)
st.plotly_chart(
    chart, key="tradeoffs", on_select=lambda: take_picks("tradeoffs"), selection_mode=("points", "box"),
    alt=f"{measure.capitalize()} against bytes; at ratio {ratio}: "
    + ", ".join(f"{point.method.label} {point.error:.3g}" for point in best.values()),
)  # fmt: skip
st.caption(
    "Further left is smaller, further down is closer: the grey band is the front, the settings that no other here beats in both. "
    "The upright line is the budget; a gap between two colours on it is what one method gains over the other for the same bytes."
)
bound_words(bounds, best, ratio)
unfitted(matrix, [method for method in pins() if method not in rows])
picks(points, table, measure, beside)
advice_panel(matrix)
table_panel(table, matrix.name, measure, beside)
with st.expander("Formula and source"):
    st.markdown(
        "Relative error is $\\sum_i \\lVert a_i - b_i \\rVert^2 / \\sum_i \\lVert a_i \\rVert^2$; ℓ1 error is $\\sum_{il} "
        "|a_{il} - b_{il}| / \\sum_{il} |a_{il}|$; the median row error is the median of $\\lVert a_i - b_i \\rVert^2 / \\lVert"
        " a_i \\rVert^2$. Bytes are all that decoding needs: coefficients, bases, scales, and labels of $\\lceil \\log_2 k "
        "\\rceil$ bits a row.\n\n"
        "SVD needs no fit: its error is the tail $\\sum_{i>j} \\sigma_i^2$ (Eckart and Young, 1936), at int8 and int4 that of "
        "the least-squares fit of the basis to the rounded coefficients, for all ranks from one Cholesky factor of their moments; "
        f"the other two measures are computed at up to {KNOTS} ranks and interpolated. k subspaces are projective clustering "
        "(Maalouf, Lang, Rus and Feldman, *Deep Learning Meets Projective Clustering*, ICLR 2021). ℓp low rank is one subspace "
        "under a robust error (Tukan, Maalouf, Weksler and Feldman, *Compressed Deep Networks: Goodbye SVD, Hello Robust "
        "Low-Rank Approximation*, 2020): its ℓ1 error or its median row error can be below SVD's; before rounding its relative "
        "error is not. int8 and int4 by row round every entry to a grid that each row has for itself. PQ, OPQ and RQ keep the "
        "places of vectors in codebooks: of a part of the row (Jégou, Douze and Schmid, 2011), of a part of the turned row (Ge,"
        " He, Ke and Sun, 2013), or of vectors that are added up (Chen, Guan and Wang, 2010). LightToken keeps bits and a "
        "decoder, see Hash codes. Trellis, our own, codes a row's numbers in the principal axes along a trellis, more bits "
        "where its class varies more. Dimensions keeps whole columns and reads the others as 0: those with the largest "
        "share of what a linear layer sums that reads a row, here one with the matrix's own rows as weights (the sensitivity of "
        "Liebenwein, Baykal, Lang, Feldman and Rus, *Provable Filter Pruning for Efficient Neural Networks*, ICLR 2020). SVD turns "
        "the columns first and so loses far less: in the demo table half of the columns leave an error of .49, half of them by "
        "variance .48, and SVD .21 in the same bytes.\n\n"
        "A setting is on the front (Pareto, 1906) if none is as small with less error. The ideal Gaussian coder is reverse "
        "water-filling over the eigenvalues $\\lambda_l$ of the matrix's second moments: error $\\sum_l \\min(\\theta, "
        "\\lambda_l)$ at $\\sum_l \\frac12 \\log_2^+ (\\lambda_l / \\theta)$ bits a row (Cover and Thomas, *Elements of "
        "Information Theory*, ch. 10); with row weights row $i$ is filled to $\\theta / w_i$. With row classes each of eight "
        "classes, found here, has a mean and variances of its own; their labels and tables are counted."
    )
