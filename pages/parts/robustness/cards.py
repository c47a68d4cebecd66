"""The figures of Robustness: this fit and SVD beside each other, and what planted rows did to both."""

import numpy as np
import streamlit as st

from compress import EmbeddingMatrix
from compress.files import bytes_text
from compress.form.metrics import error_text
from pages.parts.cards import QUIET, figure_card, lowered
from pages.parts.fits import Fit
from pages.parts.pins import describe
from pages.parts.robustness.fits import Planted, angles_to_clean, error_of, svd_of

WEIGHTED = "Weighted error"
FIGURES = {
    "ℓ1 error": ("l1_error", "Σ|aᵢₗ − bᵢₗ| / Σ|aᵢₗ|, over all entries"),
    "Relative error": ("relative_error", "Σ‖aᵢ − bᵢ‖² / Σ‖aᵢ‖², over all rows"),
    WEIGHTED: ("weighted_error", "Σwᵢ‖aᵢ − bᵢ‖² / Σwᵢ‖aᵢ‖², by the row weights in the sidebar"),
    "Median row's error": ("median_row_error", "‖aᵢ − bᵢ‖² / ‖aᵢ‖² of the row in the middle"),
}


def robust_cards(matrix: EmbeddingMatrix, fit: Fit, svd: Fit, name: str) -> None:
    ours, theirs = fit.evaluation, svd.evaluation
    preview = ", preview" if fit.preview else ""
    shown = {label: figure for label, figure in FIGURES.items() if matrix.weighted or label != WEIGHTED}
    same = f"**{describe(svd.result.method)}**, the same j and precision, since directions are compared"
    for title, key, evaluation, other in ((f"**{name}{preview}**", "cards", ours, theirs), (same, "svd_cards", theirs, None)):
        st.caption(title)
        with st.container(horizontal=True, key=key):
            for label, (field, help) in shown.items():
                value = getattr(evaluation, field)
                figure_card(
                    label if other else f"{label}, SVD",
                    error_text(value, bool(other) and fit.preview),
                    versus(value, getattr(other, field)) if other else None,
                    delta_color="inverse",
                    help=help,
                )
    st.caption(
        f"Both keep j = {fit.result.method.j} directions in the same {bytes_text(ours.n_bytes)}. No fit can beat SVD's "
        f"{lowered(matrix)}, which squares the residuals, so look at the ℓ1 error and the median row. Where no row lies far out, "
        "all are near each other: plant some outliers to see who follows them."
    )


def versus(value: float, svd: float) -> str:
    change = value / svd - 1 if svd > 0 else 0.0
    return f"{change:+.1%} against SVD" if abs(change) >= 5e-4 else "as SVD"


def planted_cards(planted: Planted, fit: Fit, svd: Fit, name: str) -> None:
    """How well the rows that were not planted are still held, and how far each subspace has turned."""
    others = ~planted.mask
    clean = error_of(planted.clean, svd_of(planted.clean, fit.result.method), others)
    count = int(planted.mask.sum())
    st.caption(f"**With {count:,} planted row{'s' if count > 1 else ''}{', preview' if fit.preview else ''}**")
    with st.container(horizontal=True, key="planted_cards"):
        for title, each in ((name, fit), ("SVD", svd)):
            error = error_of(planted.matrix, each, others)
            turned = angles_to_clean(planted.clean, each)
            figure_card(
                f"Other rows, {title}",
                error_text(error, each.preview),
                f"{error / clean - 1:+.1%} by planting" if clean > 0 else None,
                delta_color="inverse",
                help=f"relative error over the rows that were not planted; SVD without planted rows leaves {clean:.3g}",
            )
            figure_card(
                f"Turned, {title}",
                f"{np.mean(turned):.1f}°",
                f"largest {turned[-1]:.1f}°",
                **QUIET,
                help="mean of the j principal angles to the subspace that SVD finds without planted rows",
            )
