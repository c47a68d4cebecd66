"""The figures of Hash codes, side by side."""

from compress import EmbeddingMatrix
from compress.analysis.code_preview import FIGURES
from pages.parts.cards import error_figures, opponent_figures, ratio_figure, size_figure, spread_figure
from pages.parts.dial.answers import Figure
from pages.parts.dial.figures import figures
from pages.parts.hash_codes.fits import Coded, whole_of
from pages.parts.opponents import Rivals


def hash_cards(matrix: EmbeddingMatrix, code: Coded) -> None:
    """Of a preview the errors are those that the full fit is expected to have, the sizes those that it will have."""
    n, d = matrix.shape
    method, told = code.method, whole_of(code).figures
    error, weighted, cosine = (told[name] for name in FIGURES)
    n_bytes, numbers = method.size(n, d), method.parameter_count(n, d)
    spreads = (error.spread, weighted.spread) if code.preview else None
    figures(
        [
            *error_figures(matrix, error.value, weighted.value, spreads=spreads),
            spread_figure(
                "Mean cosine",
                f"{'≈ ' if code.preview else ''}{cosine.value:.3f}",
                cosine.value,
                cosine.spread if code.preview else None,
                "of each row with its decoded row, the mean over rows that are not zero",
            ),
            Figure(
                "Bits a row",
                f"{8 * n_bytes / n:.4g}",
                help=f"everything that is stored, over the rows; the code itself has {method.bits}",
            ),
            size_figure(n_bytes, numbers, 1 - numbers / (n * d)),
            ratio_figure(matrix.n_bytes / n_bytes),
            *opponent_figures(matrix, method, n_bytes, code.evaluation.weighted_error if code.evaluation else None, Rivals(matrix)),
        ]
    )
