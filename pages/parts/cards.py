"""The figures that matter, side by side, and how a number is written."""

import numpy as np
import streamlit as st

from compress import Evaluation


def cards(evaluation: Evaluation, svd_error: float | None = None, svd_j: int | None = None) -> None:
    """Error, bytes, ratio and, where given, SVD at the same bytes."""
    with st.container(horizontal=True, key="cards"):
        st.metric("Relative error", error_text(evaluation.relative_error), border=True, help="Σ‖aᵢ − bᵢ‖² / Σ‖aᵢ‖² over all rows")
        size_card(evaluation.n_bytes, evaluation.numbers, evaluation.saved)
        st.metric("Ratio", f"{evaluation.ratio:.3g} ×", border=True, help="bytes in float32 / bytes of the compressed form")
        if svd_error is not None:
            versus_svd(evaluation.relative_error, svd_error, svd_j)


def size_card(n_bytes: int, numbers: int, saved: float) -> None:
    st.metric(
        "Size", bytes_text(n_bytes), border=True,
        help=f"{n_bytes:,} bytes to store. The papers count numbers instead: {numbers:,}, {saved:.1%} saved.",
    )  # fmt: skip


def versus_svd(error: float, svd_error: float, svd_j: int) -> None:
    change = (error / svd_error - 1) if svd_error > 0 else 0.0
    st.metric(
        "SVD at the same bytes", error_text(svd_error), f"{change:+.1%} error here", delta_color="inverse", border=True,
        help=f"one subspace of j = {svd_j} with factors of the same precision",
    )  # fmt: skip


def error_text(error: float) -> str:
    """Three significant digits."""
    return "0" if error == 0 else f"{error:.3g}" if error < 1e-3 else f"{error:#.3g}"


def bytes_text(n_bytes: float) -> str:
    """Bytes as KB, MB or GB, three significant digits."""
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("KB", 1e3)):
        if n_bytes >= size:
            return f"{n_bytes / size:#.3g} {unit}".replace(". ", " ")
    return f"{n_bytes:,.0f} bytes"


def literal(text: str) -> str:
    """Text as Markdown shows it, with nothing read as a mark."""
    return "".join(f"\\{letter}" if letter in r"\`*_{}[]()<>#+-.!|$~:^=" else letter for letter in text)


def finite(values: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(values), values, np.nan)
