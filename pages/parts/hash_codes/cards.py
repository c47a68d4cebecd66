"""The figures of Hash codes, side by side."""

import streamlit as st

from compress import EmbeddingMatrix
from pages.parts.cards import error_cards, figure_card, ratio_card, size_card, versus_svd
from pages.parts.fits import svd_at_same_bytes
from pages.parts.hash_codes.fits import Coded


def hash_cards(matrix: EmbeddingMatrix, code: Coded) -> None:
    """Of a preview the errors are those of its sample, the sizes those of the whole matrix."""
    n, d = matrix.shape
    method, evaluation = code.method, code.fit.evaluation
    n_bytes, numbers = method.size(n, d), method.parameter_count(n, d)
    ratio = matrix.n_bytes / n_bytes
    word = ", preview" if code.fit.preview else ""
    with st.container(horizontal=True, key="cards"):
        error_cards(matrix, evaluation.relative_error, evaluation.weighted_error, word, "")
        figure_card(
            f"Mean cosine{word}",
            f"{evaluation.mean_cosine:.3f}",
            help="of each row with its decoded row, the mean over rows that are not zero",
        )
        figure_card(
            "Bits a row",
            f"{8 * n_bytes / n:.4g}",
            help=f"everything that is stored, over the rows; the code itself has {method.bits}",
        )
        size_card(n_bytes, numbers, 1 - numbers / (n * d))
        ratio_card(ratio)
        svd_error, svd = svd_at_same_bytes(matrix, ratio, method.factor_bits)
        versus_svd(matrix, None if code.fit.preview else evaluation, svd_error, svd, " over all rows")
