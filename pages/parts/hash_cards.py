"""The figures of Hash codes, side by side."""

import streamlit as st

from compress import EmbeddingMatrix
from pages.parts.cards import error_text, size_card, versus_svd
from pages.parts.fits import svd_at_same_bytes
from pages.parts.hash_fits import Work


def hash_cards(matrix: EmbeddingMatrix, work: Work) -> None:
    """Of a preview the errors are those of its sample, the sizes those of the whole matrix."""
    n, d = matrix.shape
    method, evaluation = work.method, work.fit.evaluation
    n_bytes, numbers = method.size(n, d), method.numbers(n, d)
    ratio = matrix.n_bytes / n_bytes
    word = ", preview" if work.fit.preview else ""
    with st.container(horizontal=True, key="cards"):
        st.metric(
            f"Relative error{word}", error_text(evaluation.relative_error), border=True, height="stretch",
            help="Σ‖aᵢ − bᵢ‖² / Σ‖aᵢ‖²",
        )  # fmt: skip
        st.metric(
            f"Mean cosine{word}", f"{evaluation.mean_cosine:.3f}", border=True, height="stretch",
            help="of each row with its decoded row, the mean over rows that are not zero",
        )  # fmt: skip
        st.metric(
            "Bits a row", f"{8 * n_bytes / n:.4g}", border=True, height="stretch",
            help=f"everything that is stored, over the rows; the code itself has {method.bits}",
        )  # fmt: skip
        size_card(n_bytes, numbers, 1 - numbers / (n * d))
        st.metric(
            "Ratio", f"{ratio:,.0f} ×" if ratio >= 1000 else f"{ratio:.3g} ×", border=True, height="stretch",
            help="bytes in float32 / bytes of the compressed form",
        )  # fmt: skip
        svd_error, svd_j = svd_at_same_bytes(matrix, ratio, method.factor_bits)
        if work.fit.preview:
            st.metric(
                "SVD at the same bytes", error_text(svd_error), border=True, height="stretch",
                help=f"over all rows; one subspace of j = {svd_j} with factors of the same precision",
            )  # fmt: skip
        else:
            versus_svd(evaluation.relative_error, svd_error, svd_j)
