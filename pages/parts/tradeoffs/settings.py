"""What Trade-offs can be set to: the budget, and how the error is measured and drawn."""

import numpy as np
import streamlit as st

from compress import EmbeddingMatrix
from compress.tuning.recalls import RECALL
from pages.parts.controls import Choice, Switch
from pages.parts.settings import Screen

MANTISSAS = (*np.arange(1, 2, 0.05), *np.arange(2, 4, 0.1), *np.arange(4, 10, 0.25))
BUDGETS = [int(each) if each == int(each) else float(each) for each in [*np.outer((1, 10, 100), MANTISSAS).ravel().round(2), 1000]]
RELATIVE, WEIGHTED = "relative error", "weighted error"
MEASURES = {
    WEIGHTED: "weighted_error",
    RELATIVE: "relative_error",
    "ℓ1 error": "l1_error",
    "median row error": "median_row_error",
    RECALL: RECALL,
}
UNWEIGHTED = [name for name in MEASURES if name != WEIGHTED]


def axis_name(measure: str) -> str:
    """What stands along the axis and over a column: of recall what is lost, so that less is better as of errors."""
    return f"1 − {measure}" if measure == RECALL else measure


class Tradeoffs(Screen):
    title, page = "Trade-offs", "pages/tradeoffs.py"

    ratio = Choice("budget_ratio", BUDGETS, 25)
    measure = Choice("error_measure", UNWEIGHTED, RELATIVE)
    weighted = Choice("weighted_measure", list(MEASURES), WEIGHTED)
    log = Switch("log_error")

    def controls(self, matrix: EmbeddingMatrix) -> tuple[float, str, bool]:
        """The ratio to reach, the error measure, and whether errors are drawn on a log scale."""
        with st.container(horizontal=True, vertical_alignment="bottom"):
            ratio = self.ratio.dial("Budget: at least so many times smaller")
            measure = (self.weighted if matrix.weighted else self.measure).draw("Error measure")
            return ratio, measure, self.log.draw("Log error")


TRADEOFFS = Tradeoffs()
