"""What each method does best within a size."""

import math

import streamlit as st

from compress import METHODS, Bound, EmbeddingMatrix
from compress.files import bytes_text
from compress.form.metrics import error_text
from pages.parts.cards import QUIET
from pages.parts.pins import describe, pin_button
from pages.parts.tradeoffs.points import Point, svd_within


def budget_cards(matrix: EmbeddingMatrix, best: dict[str, Point], ratio: float, measure: str) -> None:
    """A card a method, the least error first, each against SVD in as many bytes."""
    if not best:
        st.info(f"Nothing here is {ratio} times smaller than this matrix. Move the budget to the left.", icon=":material/info:")
        return
    with st.container(horizontal=True, key="cards"):
        for point in best.values():
            method_card(point, svd_within(matrix, point.ratio, measure))
    first = next(iter(best.values()))
    with st.container(horizontal=True, vertical_alignment="center"):
        pin_button(first.method, "pin_best")
        st.caption(f"Least {measure} in {bytes_text(matrix.n_bytes / ratio)}: {describe(first.method)}.{unknown_words(best)}")


def unknown_words(best: dict[str, Point]) -> str:
    """The methods of which nothing at this size is known yet."""
    names = [method.label for name, method in METHODS.items() if method.knob and name not in best]
    return f" Not fitted at this size yet: {', '.join(names)}; Sweep and Advise fit them." if names else ""


def method_card(point: Point, svd: Point | None) -> None:
    """A setting's error, and how it compares with SVD in as many bytes."""
    size = bytes_text(point.n_bytes)
    beside = ""
    against = {"delta": size, **QUIET}
    if svd and point.method.name != "svd" and svd.error > 0:
        change = f"{point.error / svd.error - 1:+.1%}"
        against = {"delta": change, "delta_color": "inverse", "delta_description": f"error against SVD in {size}"}
        beside = f". Held against {describe(svd.method)}"
    preview = ". A preview, over all rows; the full fit is no worse as a rule" if point.kind == "preview" else ""
    st.metric(
        describe(point.method),
        error_text(point.error, point.kind == "preview"),
        border=True,
        width=270,
        help=f"{describe(point.method)}: {point.n_bytes:,} bytes, ratio {point.ratio:.3g}{beside}{preview}",
        **against,
    )


def bound_words(bounds: dict[str, Bound], best: dict[str, Point], ratio: float) -> None:
    """What the ideal coders' lines are, and how near the best point comes to the first."""
    if not bounds:
        return
    ideal, classes = (error_text(float(bound.error(ratio))) for bound in bounds.values())
    told = [f"At ratio {ratio} the ideal Gaussian coder has an error of {ideal}, with row classes {classes}."]
    if best:
        told.append(nearness(next(iter(best.values())), next(iter(bounds.values()))))
    told += [
        "No code does better on Gaussian rows with this matrix's second moments.",
        "This matrix need not be Gaussian: what uses more than second moments, as subspaces and classes of rows do, can go below.",
        "The ideal coder's bases and tables are not counted; the labels and tables of the row classes are.",
    ]
    st.caption(" ".join(filter(None, told)))


def nearness(best: Point, bound: Bound) -> str:
    """How near a point comes to the ideal coder at its own size; nothing where both have hardly any error."""
    ideal = float(bound.error(best.ratio))
    if min(best.error, ideal) <= 1e-9:  # a quotient of roundings
        return ""
    apart = 10 * math.log10(best.error / ideal)
    side = f"{abs(apart):.1f} dB {'above' if apart >= 0 else 'below'}"
    more = f" ({best.error / ideal - 1:+.0%} in error)" if abs(apart) < 10 else ""
    here = f"The best here, {best.method.label} with {error_text(best.error)} at {best.ratio:.3g} ×"
    return f"{here}, is {side} the ideal at its own size{more}."
