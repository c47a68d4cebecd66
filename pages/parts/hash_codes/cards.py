"""The figures of Hash codes, side by side, and in a sentence."""

import math

from compress import EmbeddingMatrix
from compress.analysis.code_curves import Figures
from compress.analysis.code_preview import FIGURES
from compress.form.metrics import error_text
from compress.methods import LightToken
from pages.parts.cards import UNKNOWN, error_figures, opponent_figures, ratio_figure, size_figure, spread_figure, spread_text
from pages.parts.dial.answers import Figure
from pages.parts.opponents import Rivals


def hash_figures(matrix: EmbeddingMatrix, method: LightToken, told: Figures, rivals: Rivals) -> list[Figure]:
    """told: of all rows, exact or as they are expected of the full fit; the sizes are those that it will have."""
    n, d = matrix.shape
    error, weighted, cosine = (told[name] for name in FIGURES)
    exact = weighted.spread == 0
    n_bytes, numbers = method.size(n, d), method.parameter_count(n, d)
    about = "of each row with its decoded row, the mean over rows that are not zero"
    stored = f"everything that is stored, over the rows; the code itself has {method.bits}"
    return [
        *error_figures(matrix, error.value, weighted.value, spreads=None if exact else (error.spread, weighted.spread)),
        spread_figure("Mean cosine", f"{'' if exact else '≈ '}{cosine.value:.3f}", cosine.value, cosine.spread, about),
        Figure("Bits a row", f"{row_bits(matrix, method):.4g}", help=stored),
        size_figure(n_bytes, numbers, 1 - numbers / (n * d)),
        ratio_figure(matrix, n_bytes),
        *opponent_figures(matrix, method, n_bytes, weighted.value if exact else None, rivals),
    ]


def row_bits(matrix: EmbeddingMatrix, method: LightToken) -> float:
    """Bits of a row with everything stored."""
    return 8 * method.size(*matrix.shape) / matrix.shape[0]


def part_words(matrix: EmbeddingMatrix, method: LightToken, told: Figures) -> str:
    """The bits of a code, its errors and its cosine, with their spreads where they are not exact; … for what is not known."""
    names = FIGURES if matrix.weighted else [name for name in FIGURES if name != "weighted_error"]
    found = []
    for name in names:
        figure = told[name]
        label = name.replace("_", " ")
        if math.isnan(figure.value):
            found.append(f"{label} {UNKNOWN}")
            continue
        value = error_text(figure.value) if "error" in name else f"{figure.value:.3f}"
        mark = "≈" if figure.spread else ""
        found.append(" ".join(filter(None, [label, mark, value, spread_text(figure.value, figure.spread)])))
    return f"{method.bits} bits: {', '.join(found)}, {row_bits(matrix, method):.4g} bits a row with everything stored."
