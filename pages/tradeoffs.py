"""What does a byte buy?"""

import streamlit as st

from compress.charts import tradeoffs as charts
from compress.tuning.front import front
from pages.parts.frame import through_app
from pages.parts.live_chart.live_chart import live_chart
from pages.parts.matrix import current_matrix
from pages.parts.pins import pins
from pages.parts.tradeoffs.advice import advice_panel
from pages.parts.tradeoffs.cards import bound_words, budget_cards
from pages.parts.tradeoffs.picks import PICKED, picks, table_panel, take_picks
from pages.parts.tradeoffs.points import best_within, bounds_of, points_of, table_of, told_with
from pages.parts.tradeoffs.settings import TRADEOFFS
from pages.parts.tradeoffs.sweep import sweep_panel
from pages.parts.tradeoffs.unfitted import unfitted
from pages.parts.tradeoffs.words import FORMULA

through_app()

matrix = current_matrix()

st.title("What does a byte buy?")
ratio, measure, log = TRADEOFFS.controls(matrix)
sweep_panel(matrix)
with st.spinner("Finding the error of every setting …"):
    points = points_of(matrix, measure)
    bounds = bounds_of(matrix, measure)
best, beside = best_within(matrix, points, ratio, measure), told_with(matrix, measure)
budget_cards(matrix, best, ratio, measure)

table = table_of(points)
rows = {point.method: row for row, point in enumerate(points)}
pinned = [rows[method] for method in pins() if method in rows]
chart = charts.tradeoffs(
    table,
    front(table["n_bytes"], table["error"]),
    pinned,
    matrix.n_bytes,
    matrix.n_bytes / ratio,
    log,
    {name: bound.error for name, bound in bounds.items()},
)
chart.update_yaxes(title_text=measure)
live_chart(
    chart,
    key="tradeoffs",
    marked=st.session_state.get(PICKED, []),
    on_mark=lambda: take_picks("tradeoffs"),
    alt=f"{measure.capitalize()} against bytes; at ratio {ratio}: "
    + ", ".join(f"{point.method.label} {point.error:.3g}" for point in best.values()),
)
st.caption(
    "Further left is smaller, further down is closer: the grey steps are the front, the settings that no other here beats in "
    "both; between two of them there is none, so a size gets the error of the next smaller one. "
    "The upright line is the budget; a gap between two colours on it is what one method gains over the other for the same bytes."
)
bound_words(bounds, best, ratio)
unfitted(matrix, [method for method in pins() if method not in rows])
picks(points, table, measure, beside)
advice_panel(matrix)
table_panel(table, matrix.name, measure, beside)
with st.expander("Formula and source"):
    st.markdown(FORMULA)
