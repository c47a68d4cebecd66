"""The figures of Hash codes, side by side."""

import streamlit as st

from compress import EmbeddingMatrix
from compress.analysis.code_preview import FIGURES
from pages.parts.cards import error_cards, figure_card, opponent_cards, ratio_card, size_card, spread_below
from pages.parts.hash_codes.fits import Coded, whole_of


def hash_cards(matrix: EmbeddingMatrix, code: Coded) -> None:
    """Of a preview the errors are those that the full fit is expected to have, the sizes those that it will have."""
    n, d = matrix.shape
    method, told = code.method, whole_of(code).figures
    error, weighted, cosine = (told[name] for name in FIGURES)
    n_bytes, numbers = method.size(n, d), method.parameter_count(n, d)
    ratio = matrix.n_bytes / n_bytes
    spreads = (error.spread, weighted.spread) if code.preview else None
    with st.container(horizontal=True, key="cards"):
        error_cards(matrix, error.value, weighted.value, spreads=spreads)
        figure_card(
            "Mean cosine",
            f"{'≈ ' if code.preview else ''}{cosine.value:.3f}",
            help="of each row with its decoded row, the mean over rows that are not zero",
            **spread_below(cosine.value, cosine.spread if code.preview else None),
        )
        figure_card(
            "Bits a row",
            f"{8 * n_bytes / n:.4g}",
            help=f"everything that is stored, over the rows; the code itself has {method.bits}",
        )
        size_card(n_bytes, numbers, 1 - numbers / (n * d))
        ratio_card(ratio)
        opponent_cards(matrix, method, n_bytes, code.evaluation.weighted_error if code.evaluation else None)
