"""The figures of Robustness: this fit and SVD beside each other, and what planted rows did to both."""

import numpy as np

from compress import EmbeddingMatrix, Method
from compress.answers.robust import View
from compress.files import bytes_text
from compress.form.metrics import error_text
from pages.parts.cards import lowered
from pages.parts.dial.answers import Figure

WEIGHTED, EVEN = "Weighted error", "as SVD"
SHOWN = {
    "ℓ1 error": ("l1_error", "Σ|aᵢₗ − bᵢₗ| / Σ|aᵢₗ|, over all entries"),
    "Relative error": ("relative_error", "Σ‖aᵢ − bᵢ‖² / Σ‖aᵢ‖², over all rows"),
    WEIGHTED: ("weighted_error", "Σwᵢ‖aᵢ − bᵢ‖² / Σwᵢ‖aᵢ‖², by the row weights in the sidebar"),
    "Median row's error": ("median_row_error", "‖aᵢ − bᵢ‖² / ‖aᵢ‖² of the row in the middle"),
}


def fit_figures(matrix: EmbeddingMatrix, view: View, preview: bool) -> list[Figure]:
    """This fit's errors, held against SVD's, and the angle between the two subspaces."""
    told = []
    for label, (name, help) in shown(matrix).items():
        value, svd = view.of(name)
        change = versus(value, svd)
        told.append(Figure(label, error_text(value, preview), change, "off" if change == EVEN else "inverse", help=help))
    about = "mean of the j principal angles between this subspace and SVD's"
    return [*told, Figure("Angle to SVD", degrees_text(view.apart, preview), help=about)]


def svd_figures(matrix: EmbeddingMatrix, view: View, preview: bool = False) -> list[Figure]:
    return [
        Figure(f"{label}, SVD", error_text(view.of(name)[1], preview), help=help) for label, (name, help) in shown(matrix).items()
    ]


def shown(matrix: EmbeddingMatrix) -> dict[str, tuple[str, str]]:
    return {label: figure for label, figure in SHOWN.items() if matrix.weighted or label != WEIGHTED}


def planted_figures(view: View, name: str, preview: bool, svd_preview: bool = False) -> list[Figure]:
    """How well the rows that were not planted are still held, and how far each subspace has turned."""
    told = []
    clean = view.of("clean")[1]
    about = "mean of the j principal angles to the subspace that SVD finds without planted rows"
    for row, (title, roughly) in enumerate(((name, preview), ("SVD", svd_preview))):
        error, turned, most = (view.of(figure)[row] for figure in ("others", "turned", "turned_most"))
        help = f"relative error over the rows that were not planted; SVD without planted rows leaves {clean:.3g}"
        change = f"{error / clean - 1:+.1%} by planting" if clean > 0 else None
        told.append(Figure(f"Other rows, {title}", error_text(error, roughly), change, "inverse", help=help))
        told.append(Figure(f"Turned, {title}", degrees_text(turned, roughly), f"largest {most:.1f}°", "off", help=about))
    return told


def degrees_text(angle: float | np.ndarray, preview: bool) -> str:
    return f"{'≈ ' if preview else ''}{angle:.1f}°"


def versus(value: float, svd: float) -> str:
    change = value / svd - 1 if svd > 0 else 0.0
    return f"{change:+.1%} against SVD" if abs(change) >= 5e-4 else EVEN


def size_sentence(matrix: EmbeddingMatrix, method: Method, roughly: bool = False) -> str:
    """roughly: whether it is said at some values near that of the method too."""
    return f"Both keep as many directions in the same {'≈ ' if roughly else ''}{bytes_text(method.size(*matrix.shape))}."


def reading(matrix: EmbeddingMatrix) -> str:
    return (
        f"No fit can beat SVD's {lowered(matrix)}, which squares the residuals, so look at the ℓ1 error and the median row. "
        "Where no row lies far out, all are near each other: plant some outliers to see who follows them."
    )


def planted_sentence(count: int) -> str:
    return f"With {count:,} planted row{'s' if count > 1 else ''}"
