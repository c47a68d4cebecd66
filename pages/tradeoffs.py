"""What does a byte buy?"""

import streamlit as st

from compress.tuning.recalls import RECALL
from pages.parts.dial.figures import figures, sentence
from pages.parts.frame import through_app
from pages.parts.live_chart.live_chart import live_chart
from pages.parts.matrix import current_matrix
from pages.parts.pins import pin_button, pins
from pages.parts.say import waiting
from pages.parts.tradeoffs.advice import advice_panel
from pages.parts.tradeoffs.budget import budgets_of
from pages.parts.tradeoffs.chart import chart_of
from pages.parts.tradeoffs.picks import PICKED, picks, table_panel, take_picks
from pages.parts.tradeoffs.points import bounds_of, points_of, table_of, told_with
from pages.parts.tradeoffs.recall import peers_of, recall_line
from pages.parts.tradeoffs.settings import BUDGETS, TRADEOFFS, axis_name
from pages.parts.tradeoffs.survey import survey_line
from pages.parts.tradeoffs.sweep import sweep_panel
from pages.parts.tradeoffs.unfitted import unfitted
from pages.parts.tradeoffs.words import BOUNDS, FORMULA, READING

through_app()

matrix = current_matrix()

st.title("What does a byte buy?")
ratio, measure, log = TRADEOFFS.controls(matrix)
survey_line(matrix)
sweep_panel(matrix)
if measure == RECALL:
    recall_line(matrix)
with waiting("Finding the error of every setting …"):
    points = points_of(matrix, measure, pins())
    if not points.points:
        st.stop()
    budgets = budgets_of(matrix, points, measure, log)
at, table, beside = BUDGETS.index(ratio), table_of(points), told_with(matrix, measure)
figures(budgets.cards[at], answers={TRADEOFFS.ratio.key: budgets.answers})
with st.container(horizontal=True, vertical_alignment="center"):
    if budgets.best[at]:
        pin_button(budgets.best[at][0].method, "pin_best")
    sentence(budgets.least[at], "least")

live_chart(
    chart_of(matrix, points, measure, tuple(pins()), log, peers_of(matrix) if measure == RECALL else ()),
    key="tradeoffs",
    marked=st.session_state.get(PICKED, []),
    on_mark=lambda: take_picks("tradeoffs"),
    marks=budgets.marks[at],
    alt=f"{axis_name(measure).capitalize()} against bytes of {len(table):,} settings; the cards tell each method's best",
)
st.caption(READING)
if bounds_of(matrix, measure):
    sentence(budgets.ideal[at], "ideal")
    st.caption(BOUNDS)
if measure != RECALL:
    unfitted(matrix, [method for method in pins() if not points.rows([method])])
picks(matrix, points.points, table, axis_name(measure), beside)
advice_panel(matrix)
table_panel(table, matrix.name, axis_name(measure), beside)
with st.expander("Formula and source"):
    st.markdown(FORMULA)
