"""The figures that matter, side by side, and how a number is written."""

import streamlit as st

from compress import EmbeddingMatrix, Evaluation
from compress.files import bytes_text


def cards(
    matrix: EmbeddingMatrix, evaluation: Evaluation, svd_error: float | None = None, svd: str | None = None, key: str = "cards"
) -> None:
    """Error, bytes, ratio and, where given, SVD at the same bytes by the error that fits lower."""
    with st.container(horizontal=True, key=key):
        error_cards(matrix, evaluation.relative_error, evaluation.weighted_error)
        size_card(evaluation.n_bytes, evaluation.parameter_count, evaluation.saved)
        ratio_card(evaluation.ratio)
        if svd_error is not None:
            versus_svd(matrix, evaluation, svd_error, svd)


def figure_card(label: str, value: str, delta: str | None = None, **how) -> None:
    """One figure in a frame of its own, as high as those beside it. how: as `st.metric` takes it."""
    st.metric(label, value, delta, border=True, height="stretch", **how)


def error_cards(matrix: EmbeddingMatrix, error: float, weighted: float, word: str = "", about: str = "over all rows") -> None:
    """The relative error, and beside it the weighted one where rows are weighted."""
    shown = {f"Relative error{word}": (error, f"Σ‖aᵢ − bᵢ‖² / Σ‖aᵢ‖² {about}".strip())}
    if matrix.weighted:
        shown[f"Weighted error{word}"] = weighted, f"Σwᵢ‖aᵢ − bᵢ‖² / Σwᵢ‖aᵢ‖² {about}, by the row weights in the sidebar"
    for label, (value, help) in shown.items():
        figure_card(label, error_text(value), help=help)


def size_card(n_bytes: int, numbers: int, saved: float) -> None:
    figure_card(
        "Size",
        bytes_text(n_bytes),
        help=f"{n_bytes:,} bytes to store. The papers count numbers instead: {numbers:,}, {saved:.1%} saved.",
    )


def ratio_card(ratio: float) -> None:
    figure_card(
        "Ratio",
        f"{ratio:,.0f} ×" if ratio >= 1000 else f"{ratio:.3g} ×",
        help="bytes in float32 / bytes of the compressed form",
    )


def versus_svd(matrix: EmbeddingMatrix, evaluation: Evaluation | None, svd_error: float, svd: str, where: str = "") -> None:
    """The error of that SVD, weighted where rows are, and with an evaluation how that lies to it."""
    delta = None
    if evaluation:
        change = evaluation.weighted_error / svd_error - 1 if svd_error > 0 else 0.0
        delta = f"{change:+.1%} {'weighted ' if matrix.weighted else ''}error here"
    figure_card(
        "SVD at the same bytes",
        error_text(svd_error),
        delta,
        delta_color="inverse",
        help=f"{lowered(matrix)}{where}: {svd}",
    )


def lowered(matrix: EmbeddingMatrix) -> str:
    """The error that fits lower, in words; with _ for the space it is a figure of Evaluation."""
    return "weighted error" if matrix.weighted else "relative error"


def both_errors(matrix: EmbeddingMatrix, evaluation: Evaluation) -> str:
    """The relative error in a sentence, and the weighted one where rows are weighted."""
    weighted = f", weighted {error_text(evaluation.weighted_error)}" if matrix.weighted else ""
    return f"relative error {error_text(evaluation.relative_error)}{weighted}"


def error_text(error: float) -> str:
    """Three significant digits."""
    return "0" if error == 0 else f"{error:.3g}" if error < 1e-3 else f"{error:#.3g}"
