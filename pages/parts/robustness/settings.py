"""What Robustness can be set to: one subspace under a loss, and the rows that are planted far away."""

import streamlit as st

from compress import EmbeddingMatrix, LpLowRank, Method, ProjectiveClustering
from compress.answers.robust import LONGEST
from compress.solvers.losses import LABELS
from pages.parts.controls import Choice, Real, Switch, Whole, rank
from pages.parts.settings import Screen
from pages.parts.subspaces.settings import LEAST, LOSSES, MOST, loss_settings

OBJECTIVES = {"Rows": "rows", "Entries": "entries"}
MOST_PLANTED = 20  # one row in so many


def most_planted(n: int, d: int) -> int:
    return max(1, n // MOST_PLANTED)


class Robustness(Screen):
    title, page = "Robustness", "pages/robustness.py"

    j = rank("robust_j")
    loss = Choice("robust_loss", LOSSES, "lp")
    p = Real("robust_p", 1.0, 2.0, 1.0, 2)
    objective = Choice("robust_objective", OBJECTIVES, "rows")
    scale = Real("robust_scale", LEAST, MOST, None)
    planted = Whole("planted", 0, None, 0, most_planted)
    length = Real("planted_length", 1.0, LONGEST, 20.0, 1)
    log = Switch("robust_log")

    def controls(self, matrix: EmbeddingMatrix) -> Method:
        """The fit that a person asks for."""
        left, right = st.columns(2)
        with left:
            self.j.dial("Dimension j of the subspace", matrix.shape)
            about = "How much a far row pulls. ℓp with p = 2 is SVD; below 2, and under every other loss, far rows pull less."
            loss = self.loss.draw("Loss", about)
        with right:
            if loss == "lp":
                self.p.dial("Exponent p", 0.01, help="At 2 far rows pull most: that is SVD. At 1 they pull least.")
                self.objective.draw(
                    "Objective",
                    "Rows: the sum over rows of ‖aᵢ − bᵢ‖ to the power p, quick. Entries: the sum over entries of |aᵢₗ − bᵢₗ| to "
                    "the power p, as in the paper, slower; single far entries pull less too.",
                )
            else:
                self.scale.field(
                    "Scale λ",
                    0.05,
                    "%.4g",
                    "estimated from the rows",
                    "The distance from which a row counts as far, in the units of the matrix. Empty: estimated from the rows.",
                )
        return self.held(matrix)

    def plant_controls(self, matrix: EmbeddingMatrix) -> tuple[int, float]:
        """How many rows to plant and how far away."""
        left, right = st.columns(2)
        with left:
            about = "So many rows, chosen at random, are replaced by random directions."
            count = self.planted.dial("Planted outliers", matrix.shape, about)
        with right:
            length = self.length.dial("Their length, in median rows", 0.5, help="Times the median length of a row.")
        return count, length

    def dials(self, method: Method) -> tuple[str, ...]:
        """Of this page, by their names here."""
        return ("j", *(("p",) if method.name == "lp" else ()), "planted", "length")

    def title_of(self, method: Method) -> str:
        return f"ℓp, {method.objective}" if method.name == "lp" else LABELS[method.loss]

    def held(self, matrix):
        j, loss = self.j.held(matrix.shape), loss_settings(self.loss.held(), self.p.held(), self.scale.held())
        if loss["loss"] == "lp":
            return LpLowRank(j=j, p=loss["p"], objective=self.objective.held())
        return ProjectiveClustering(k=1, j=j, **loss)

    def values(self, method):
        """Of ℓp fits only: Subspaces shows those under another loss. Their precision is left out, as directions are compared."""
        if not isinstance(method, LpLowRank):
            return None
        return self.spelled(j=method.j, loss="lp", p=method.p, objective=method.objective)


ROBUSTNESS = Robustness()
