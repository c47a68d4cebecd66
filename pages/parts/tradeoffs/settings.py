"""What Trade-offs can be set to: the budget, and how the error is measured and drawn."""

import streamlit as st

from compress import EmbeddingMatrix
from pages.parts.controls import Choice, Switch
from pages.parts.settings import Screen

BUDGETS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 25, 30, 40, 50, 60, 80, 100, 150, 200, 300, 500, 1000)
RELATIVE, WEIGHTED = "relative error", "weighted error"
MEASURES = {
    WEIGHTED: "weighted_error",
    RELATIVE: "relative_error",
    "ℓ1 error": "l1_error",
    "median row error": "median_row_error",
}
UNWEIGHTED = [name for name in MEASURES if name != WEIGHTED]


class Tradeoffs(Screen):
    title, page = "Trade-offs", "pages/tradeoffs.py"

    ratio = Choice("budget_ratio", BUDGETS, 25)
    measure = Choice("error_measure", UNWEIGHTED, RELATIVE)
    weighted = Choice("weighted_measure", list(MEASURES), WEIGHTED)
    log = Switch("log_error")

    def controls(self, matrix: EmbeddingMatrix) -> tuple[int, str, bool]:
        """The ratio to reach, the error measure, and whether errors are drawn on a log scale."""
        with st.container(horizontal=True, vertical_alignment="bottom"):
            ratio = self.ratio.slide("Budget: at least so many times smaller")
            measure = (self.weighted if matrix.weighted else self.measure).draw("Error measure")
            return ratio, measure, self.log.draw("Log error")


TRADEOFFS = Tradeoffs()
