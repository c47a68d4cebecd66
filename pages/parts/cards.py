"""The figures that matter, side by side, and how a number is written."""

import streamlit as st

from compress import Evaluation
from compress.charts import bytes_text


def cards(evaluation: Evaluation, svd_error: float | None = None, svd_j: int | None = None, key: str = "cards") -> None:
    """Error, bytes, ratio and, where given, SVD at the same bytes."""
    with st.container(horizontal=True, key=key):
        st.metric(
            "Relative error",
            error_text(evaluation.relative_error),
            border=True,
            height="stretch",
            help="Σ‖aᵢ − bᵢ‖² / Σ‖aᵢ‖² over all rows",
        )
        size_card(evaluation.n_bytes, evaluation.numbers, evaluation.saved)
        st.metric(
            "Ratio",
            f"{evaluation.ratio:.3g} ×",
            border=True,
            height="stretch",
            help="bytes in float32 / bytes of the compressed form",
        )
        if svd_error is not None:
            versus_svd(evaluation.relative_error, svd_error, svd_j)


def size_card(n_bytes: int, numbers: int, saved: float) -> None:
    st.metric(
        "Size", bytes_text(n_bytes), border=True, height="stretch",
        help=f"{n_bytes:,} bytes to store. The papers count numbers instead: {numbers:,}, {saved:.1%} saved.",
    )  # fmt: skip


def versus_svd(error: float, svd_error: float, svd_j: int) -> None:
    change = (error / svd_error - 1) if svd_error > 0 else 0.0
    st.metric(
        "SVD at the same bytes", error_text(svd_error), f"{change:+.1%} error here", delta_color="inverse",
        border=True, height="stretch", help=f"one subspace of j = {svd_j} with factors of the same precision",
    )  # fmt: skip


def error_text(error: float) -> str:
    """Three significant digits."""
    return "0" if error == 0 else f"{error:.3g}" if error < 1e-3 else f"{error:#.3g}"
