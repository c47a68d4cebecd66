"""The figures that matter, side by side, and how a number is written."""

import math

import streamlit as st

from compress import EmbeddingMatrix, Evaluation
from compress.files import bytes_text
from compress.form.metrics import error_text, ratio_text


def cards(
    matrix: EmbeddingMatrix,
    evaluation: Evaluation,
    svd_error: float | None = None,
    svd: str | None = None,
    key: str = "cards",
    preview: bool = False,
) -> None:
    """Error, bytes, ratio and, where given, SVD at the same bytes by the error that fits lower. preview: whether the fit is one."""
    with st.container(horizontal=True, key=key):
        error_cards(matrix, evaluation.relative_error, evaluation.weighted_error, spreads=(0.0, 0.0) if preview else None)
        size_card(evaluation.n_bytes, evaluation.parameter_count, evaluation.saved)
        ratio_card(evaluation.ratio)
        if svd_error is not None:
            versus_svd(matrix, evaluation, svd_error, svd)


def figure_card(label: str, value: str, delta: str | None = None, **how) -> None:
    """One figure in a frame of its own, as high as those beside it. how: as `st.metric` takes it."""
    st.metric(label, value, delta, border=True, height="stretch", **how)


def error_cards(
    matrix: EmbeddingMatrix, error: float, weighted: float, about: str = "over all rows", spreads: tuple[float, float] | None = None
) -> None:
    """The relative error, and beside it the weighted one where rows are weighted. spreads: theirs, where a preview tells them."""
    shown = {"Relative error": (error, f"Σ‖aᵢ − bᵢ‖² / Σ‖aᵢ‖² {about}".strip())}
    if matrix.weighted:
        shown["Weighted error"] = weighted, f"Σwᵢ‖aᵢ − bᵢ‖² / Σwᵢ‖aᵢ‖² {about}, by the row weights in the sidebar"
    for (label, (value, help)), spread in zip(shown.items(), spreads or (None, None), strict=False):
        figure_card(label, error_text(value, spread is not None), help=help, **spread_below(value, spread))


def spread_below(value: float, spread: float | None) -> dict:
    """What a card says below the figure of a preview: its spread, where that is any, with as many decimals."""
    text = spread_text(value, spread or 0.0)
    return {"delta": text, "delta_color": "off", "delta_arrow": "off"} if text else {}


def spread_text(value: float, spread: float) -> str:
    """± two standard errors, with the decimals that three significant digits of the value have; nothing where they show none."""
    if abs(value) < 1e-3:
        return f"± {spread:.2g}" if spread > 0.005 * abs(value) else ""
    told = f"{spread:.{2 - math.floor(math.log10(abs(value)))}f}"
    return f"± {told}" if float(told) else ""


def size_card(n_bytes: int, numbers: int, saved: float) -> None:
    figure_card(
        "Size",
        bytes_text(n_bytes),
        help=f"{n_bytes:,} bytes to store. The papers count numbers instead: {numbers:,}, {saved:.1%} saved.",
    )


def ratio_card(ratio: float) -> None:
    figure_card(
        "Ratio",
        ratio_text(ratio),
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
