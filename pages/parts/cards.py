"""The figures that matter, side by side, and how a number is written."""

import math

import streamlit as st

from compress import EmbeddingMatrix, Evaluation, Method
from compress.files import bytes_text
from compress.form.metrics import error_text, ratio_text
from compress.tuning.opponents import Opponent
from pages.parts.opponents import known_within, svd_within
from pages.parts.pins import describe

ROUNDING = 1e-7  # of float16, which errors of SVD at every j leave out
QUIET = {"delta_color": "off", "delta_arrow": "off"}  # of a card's words that are no change


def cards(
    matrix: EmbeddingMatrix, evaluation: Evaluation, method: Method | None = None, key: str = "cards", preview: bool = False
) -> None:
    """Error, bytes, ratio and, for a method, what its setting is held against. preview: whether the fit is one."""
    with st.container(horizontal=True, key=key):
        error_cards(matrix, evaluation.relative_error, evaluation.weighted_error, spreads=(0.0, 0.0) if preview else None)
        size_card(evaluation.n_bytes, evaluation.parameter_count, evaluation.saved)
        ratio_card(evaluation.ratio)
        if method:
            opponent_cards(matrix, method, evaluation.n_bytes, evaluation.weighted_error)


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
    return {"delta": text, **QUIET} if text else {}


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


def opponent_cards(matrix: EmbeddingMatrix, method: Method, n_bytes: int, error: float | None) -> None:
    """SVD at its best in as many bytes, and the best that is known there, by the error that fits lower. error: the setting's, over
    all rows; None where only that of some rows is known, which is compared with nothing."""
    svd, known = svd_within(matrix, n_bytes), known_within(matrix, n_bytes, None if error is None else method)
    about = f"{lowered(matrix)} over all rows, in at most {bytes_text(n_bytes)}"
    if svd:
        opponent_card(
            matrix, "SVD at the same bytes", svd, describe(svd.method), error, f"{about}, at the precision and j that lose least"
        )
    else:
        figure_card("SVD at the same bytes", "–", "no direction fits", **QUIET, help=about)
    label, about = "Best known in these bytes", f"{about}, of all that was fitted here; Sweep and Advise on Trade-offs fit more"
    least = min([1.0 if svd is None else svd.error, 1.0 if error is None else error])
    if known and known.error < least:
        seeds = f", best of {known.seeds} seeds" if known.seeds > 1 else ""
        opponent_card(matrix, label, known, describe(known.method) + seeds, error, about)
    else:
        rest = f"then {describe(known.method)}, {error_text(known.error)}" if known else "no other method is fitted yet"
        figure_card(label, "This one" if error == least else "SVD" if svd else "–", rest, **QUIET, help=about)


def opponent_card(matrix: EmbeddingMatrix, label: str, opponent: Opponent, words: str, error: float | None, about: str) -> None:
    """An opponent's error and setting, and how an error here lies to it, if there is one."""
    if error is None:
        figure_card(label, error_text(opponent.error), words, **QUIET, help=about)
        return
    if abs(error - opponent.error) < max(5e-4 * opponent.error, ROUNDING):
        figure_card(label, error_text(opponent.error), "as here", delta_description=words, **QUIET, help=about)
    else:
        delta = f"{change_text(error, opponent.error)} {'weighted ' if matrix.weighted else ''}error here"
        figure_card(label, error_text(opponent.error), delta, delta_description=words, delta_color="inverse", help=about)


def change_text(error: float, other: float) -> str:
    """How an error lies to another: in percent, from ten times on in times."""
    if error >= 10 * other:
        return f"{error / other:.3g} × the" if other else "more"
    return f"{error / other - 1:+.1%}"


def lowered(matrix: EmbeddingMatrix) -> str:
    """The error that fits lower, in words; with _ for the space it is a figure of Evaluation."""
    return "weighted error" if matrix.weighted else "relative error"
