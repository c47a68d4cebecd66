"""The controls of Robustness: which loss, and which rows are planted far away."""

import streamlit as st

from compress import EmbeddingMatrix, LpLowRank, Method, ProjectiveClustering
from compress.solvers.losses import LABELS
from pages.parts.controls import KEPT, choice, rank_slider, whole_slider
from pages.parts.subspaces.loss import LEAST, MOST

OBJECTIVES = {"Rows": "rows", "Entries": "entries"}
MOST_PLANTED = 20  # one row in so many


def method_controls(most: int) -> Method:
    """The fit that a person asks for."""
    left, right = st.columns(2)
    with left:
        j = rank_slider("Dimension j of the subspace", "robust_j", most)
        label = choice(
            "Loss", list(LABELS.values()), LABELS["lp"], "robust_loss",
            "How much a far row pulls. ℓp with p = 2 is SVD; below 2, and under every other loss, far rows pull less.",
        )  # fmt: skip
    name = next((name for name, each in LABELS.items() if each == label), "lp")
    with right:
        return lp_controls(j) if name == "lp" else loss_controls(j, name)


def lp_controls(j: int) -> Method:
    p = st.slider(
        "Exponent p", 1.0, 2.0, 1.0, 0.05, key="robust_p",
        help="At 2 far rows pull most: that is SVD. At 1 they pull least.", **KEPT,
    )  # fmt: skip
    objective = choice(
        "Objective", list(OBJECTIVES), "Rows", "robust_objective",
        "Rows: the sum over rows of ‖aᵢ − bᵢ‖ to the power p, quick. Entries: the sum over entries of |aᵢₗ − bᵢₗ| to the power p, "
        "as in the paper, slower; single far entries pull less too.",
    )  # fmt: skip
    return LpLowRank(j=j, p=round(min(max(float(p), 1.0), 2.0), 2), objective=OBJECTIVES.get(objective, "rows"))


def loss_controls(j: int, name: str) -> Method:
    scale = st.number_input(
        "Scale λ", LEAST, MOST, None, 0.05, "%.4g", key="robust_scale", placeholder="estimated from the rows",
        help="The distance from which a row counts as far, in the units of the matrix. Empty: estimated from the rows.", **KEPT,
    )  # fmt: skip
    return ProjectiveClustering(k=1, j=j, loss=name, scale=scale)


def plant_controls(matrix: EmbeddingMatrix) -> tuple[int, float]:
    """How many rows to plant and how far away."""
    left, right = st.columns(2)
    with left:
        count = whole_slider(
            "Planted outliers", "planted", 0, max(1, matrix.shape[0] // MOST_PLANTED), 0,
            "So many rows, chosen at random, are replaced by random directions.",
        )  # fmt: skip
    with right:
        distance = whole_slider("Their length, in median rows", "planted_length", 1, 50, 20, "Times the median length of a row.")
    return count, float(distance)
