"""A sentence on the loss of distances that the search lowered."""

import streamlit as st

from compress.solvers.losses import LABELS
from pages.parts.subspaces.found import Found


def loss_words(fit: Found) -> None:
    """What the search lowered, where that is not the relative error."""
    method, scale = fit.asked, estimated(fit)
    if method.rho.plain:
        return
    if method.loss == "lp":
        loss = f"their distances to the power p = {method.p:g}"
    else:
        loss = f"{LABELS[method.loss]}'s ρ of their distances"
        loss += f" (λ = {scale:.4g}, estimated)" if scale else f" (λ = {method.scale:.4g})" if method.scale else ""
    st.caption(
        f"The search lowers the rows' sum of {loss}, so that far rows pull less. The relative error squares distances all the "
        f"same; half of the rows have one below {fit.evaluation.median_row_error:.3g}."
    )


def estimated(fit: Found) -> float | None:
    """The scale that the search took from the rows; None where it was given, or the loss has none."""
    method = fit.asked
    if method.loss == "lp" or method.scale is not None or not fit.history:
        return None
    return fit.history[-1].get("scale")
