"""What each method does best within a size."""

import streamlit as st

from compress import EmbeddingMatrix
from pages.parts.cards import bytes_text, error_text
from pages.parts.pins import describe, pin_button
from pages.parts.tradeoff_points import Point, svd_within

BUDGETS = [1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 25, 30, 40, 50, 60, 80, 100, 150, 200, 300, 500, 1000]


def budget_cards(matrix: EmbeddingMatrix, best: dict[str, Point], ratio: float, measure: str) -> None:
    """A card a method, the least error first, each against SVD in as many bytes."""
    if not best:
        st.info(f"Nothing here is {ratio} times smaller than this matrix. Move the budget to the left.", icon=":material/info:")
        return
    with st.container(horizontal=True, key="cards"):
        for point in best.values():
            method_card(point, svd_within(matrix, point.ratio, measure))
        if "projective" not in best:
            st.metric(
                "k subspaces", "—", "not fitted", delta_color="off", delta_arrow="off", border=True,
                help=f"No fit of k subspaces at ratio {ratio} or beyond is known yet.",
            )  # fmt: skip
    first = next(iter(best.values()))
    with st.container(horizontal=True, vertical_alignment="center"):
        pin_button(first.method, "pin_best")
        st.caption(f"Least {measure} in {bytes_text(matrix.n_bytes / ratio)}: {describe(first.method)}.")


def method_card(point: Point, svd: Point | None) -> None:
    """A setting's error, and how it compares with SVD in as many bytes."""
    size = bytes_text(point.n_bytes)
    against = {"delta": size, "delta_color": "off", "delta_arrow": "off"}
    if svd and point.method.name != "svd" and svd.error > 0:
        change = f"{point.error / svd.error - 1:+.1%}"
        against = {"delta": change, "delta_color": "inverse", "delta_description": f"error against SVD in {size}"}
    preview = ". A preview; the full fit is no worse as a rule" if point.kind == "preview" else ""
    st.metric(
        describe(point.method), error_text(point.error), border=True,
        help=f"{describe(point.method)}: {point.n_bytes:,} bytes, ratio {point.ratio:.3g}{preview}", **against,
    )  # fmt: skip
