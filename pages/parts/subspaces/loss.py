"""Which loss of distances the search lowers: the control, and a sentence on what it did."""

import streamlit as st

from compress.solvers.losses import LABELS
from pages.parts.controls import KEPT
from pages.parts.fits import Fit

LEAST, MOST = 1e-12, 1e12  # of a scale


def loss_control() -> dict:
    """The loss, exponent and scale of ProjectiveClustering, for a popover."""
    label = st.selectbox(
        "Loss ρ of a row's distance", list(LABELS.values()), key="flat_loss",
        help="ℓp with p = 2 is least squares. Below 2, and under every other loss, far rows pull less.", **KEPT,
    )  # fmt: skip
    p, scale = 2.0, None
    if label == LABELS["lp"]:
        p = st.slider("Exponent p", 1.0, 2.0, 2.0, 0.05, key="flat_p", **KEPT)
    else:
        scale = st.number_input(
            "Scale λ", LEAST, MOST, None, 0.05, "%.4g", key="flat_scale", placeholder="estimated",
            help="The distance from which a row counts as far; estimated from the rows where none is given.", **KEPT,
        )  # fmt: skip
    return loss_settings(label, p, scale)


def loss_settings(label: str, p: float, scale: float | None) -> dict:
    """The same as settings of the method, those that the loss does not use left at their defaults."""
    name = next((name for name, each in LABELS.items() if each == label), "lp")
    return {"loss": name, "p": round(float(p), 2)} if name == "lp" else {"loss": name, "scale": scale}


def loss_words(fit: Fit) -> None:
    """What the search lowered, where that is not the relative error."""
    method, scale = fit.result.method, estimated(fit)
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


def estimated(fit: Fit) -> float | None:
    """The scale that the search took from the rows; None where it was given, or the loss has none."""
    method = fit.result.method
    if method.loss == "lp" or method.scale is not None or not fit.history:
        return None
    return fit.history[-1].get("scale")
