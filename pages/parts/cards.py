"""The figures that matter, side by side, and how a number is written."""

import math

from compress import EmbeddingMatrix, Evaluation, Method
from compress.files import bytes_text
from compress.form.metrics import error_text, ratio_text
from compress.tuning.opponents import Opponent
from pages.parts.dial.answers import Figure
from pages.parts.dial.figures import figures
from pages.parts.dial.worst import worst_rows
from pages.parts.opponents import Rivals
from pages.parts.pins import describe

UNKNOWN = "…"
ROUNDING = 1e-7  # of float16, which errors of SVD at every j leave out


def cards(
    matrix: EmbeddingMatrix,
    evaluation: Evaluation,
    method: Method | None = None,
    key: str = "cards",
    felt: float | None = None,
) -> None:
    """Error, bytes, ratio and, for a method, what its setting is held against; beside them the rows that lose most. felt: the error
    as an importance weighs it, of a fit that spares one, which is held against no error of another kind."""
    told = error_figures(matrix, evaluation.relative_error, evaluation.weighted_error)
    told += [
        size_figure(evaluation.n_bytes, evaluation.parameter_count, evaluation.saved),
        ratio_figure(matrix, evaluation.n_bytes),
    ]
    if felt is not None:
        about = (
            "Σwᵢ‖(aᵢ − bᵢ)M‖² / Σwᵢ‖aᵢM‖²: rows and directions weigh as the model’s outputs depend on them. The fit lowers this one"
        )
        told.insert(0, Figure("Importance error", error_text(felt), help=about))
    elif method:
        told += opponent_figures(matrix, method, evaluation.n_bytes, evaluation.weighted_error, Rivals(matrix))
    figures(told, key, beside=lambda: worst_rows(matrix, evaluation, f"{key} worst"))


def setting_figures(
    matrix: EmbeddingMatrix, method: Method, errors: tuple[float, float], rivals: Rivals, preview: bool = True
) -> list[Figure]:
    """What `cards` shows of a setting by its errors alone, relative and weighted, NaN for unknown ones. preview: whether they are
    about."""
    n_bytes, numbers = method.size(*matrix.shape), method.parameter_count(*matrix.shape)
    return [
        *error_figures(matrix, *errors, spreads=(0.0, 0.0) if preview else None),
        size_figure(n_bytes, numbers, 1 - numbers / matrix.size),
        ratio_figure(matrix, n_bytes),
        *opponent_figures(matrix, method, n_bytes, None if math.isnan(errors[1]) else errors[1], rivals),
    ]


def error_figures(
    matrix: EmbeddingMatrix, error: float, weighted: float, about: str = "over all rows", spreads: tuple[float, float] | None = None
) -> list[Figure]:
    """The relative error, and beside it the weighted one where rows are weighted. spreads: theirs, where a preview tells them."""
    shown = {"Relative error": (error, f"Σ‖aᵢ − bᵢ‖² / Σ‖aᵢ‖² {about}".strip())}
    if matrix.weighted:
        shown["Weighted error"] = weighted, f"Σwᵢ‖aᵢ − bᵢ‖² / Σwᵢ‖aᵢ‖² {about}, by the row weights in the sidebar"
    return [
        spread_figure(label, error_text(value, spread is not None), value, spread, help)
        for (label, (value, help)), spread in zip(shown.items(), spreads or (None, None), strict=False)
    ]


def spread_figure(label: str, text: str, value: float, spread: float | None, help: str) -> Figure:
    """A figure, with its spread below where a preview has any, with as many decimals; … for what is not known."""
    if math.isnan(value):
        return Figure(label, UNKNOWN, help=help)
    return Figure(label, text, spread_text(value, spread or 0.0) or None, "off", help=help)


def spread_text(value: float, spread: float) -> str:
    """± two standard errors, with the decimals that three significant digits of the value have; nothing where they show none."""
    if abs(value) < 1e-3:
        return f"± {spread:.2g}" if spread > 0.005 * abs(value) else ""
    told = f"{spread:.{2 - math.floor(math.log10(abs(value)))}f}"
    return f"± {told}" if float(told) else ""


def size_figure(n_bytes: int, numbers: int, saved: float) -> Figure:
    about = f"{n_bytes:,} bytes to store. The papers count numbers instead: {numbers:,}, {saved:.1%} saved."
    return Figure("Size", bytes_text(n_bytes), help=about)


def ratio_figure(matrix: EmbeddingMatrix, n_bytes: int) -> Figure:
    """The ratio, and below it the one against the file, where the matrix is not in float32 there."""
    about, against = "bytes in float32 / bytes of the compressed form", matrix.file_ratio(n_bytes)
    if against is None or matrix.stored is None:
        return Figure("Ratio", ratio_text(matrix.n_bytes / n_bytes), help=about)
    told = f"{about}. The file stores the matrix as {matrix.stored.scheme}, in {bytes_text(matrix.stored.n_bytes)}"
    return Figure("Ratio", ratio_text(matrix.n_bytes / n_bytes), f"{ratio_text(against)} against the file", "off", help=told)


def opponent_figures(matrix: EmbeddingMatrix, method: Method, n_bytes: int, error: float | None, rivals: Rivals) -> list[Figure]:
    """SVD at its best in as many bytes, and the best that is known there, by the error that fits lower. error: the setting's, over
    all rows; None where only that of some rows is known, which is compared with nothing."""
    svd, known = rivals.svd(n_bytes), rivals.known(n_bytes, None if error is None else method)
    about = f"{lowered(matrix)} over all rows, in at most {bytes_text(n_bytes)}"
    found = [
        opponent_figure(matrix, "SVD at the same bytes", svd, error, f"{about}, at the precision and j that lose least")
        if svd
        else Figure("SVD at the same bytes", "–", "no direction fits", "off", help=about)
    ]
    label, about = "Best known in these bytes", f"{about}, of all that was fitted here; Sweep and Advise on Trade-offs fit more"
    least = min([1.0 if svd is None else svd.error, 1.0 if error is None else error])
    if known and known.error < least:
        return [*found, opponent_figure(matrix, label, known, error, about)]
    rest = f"then {describe(known.method)}, {error_text(known.error)}" if known else "no other method is fitted yet"
    return [*found, Figure(label, "This one" if error == least else "SVD" if svd else "–", rest, "off", help=about)]


def opponent_figure(matrix: EmbeddingMatrix, label: str, opponent: Opponent, error: float | None, about: str) -> Figure:
    """An opponent's error and setting, and how an error here lies to it, if there is one."""
    words = describe(opponent.method) + (f", best of {opponent.seeds} seeds" if opponent.seeds > 1 else "")
    text = error_text(opponent.error)
    if error is None:
        return Figure(label, text, words, "off", help=about)
    if abs(error - opponent.error) < max(5e-4 * opponent.error, ROUNDING):
        return Figure(label, text, "as here", "off", words, about)
    delta = f"{change_text(error, opponent.error)} {'weighted ' if matrix.weighted else ''}error here"
    return Figure(label, text, delta, "inverse", words, about)


def change_text(error: float, other: float) -> str:
    """How an error lies to another: in percent, from ten times on in times."""
    if error >= 10 * other:
        return f"{error / other:.3g} × the" if other else "more"
    return f"{error / other - 1:+.1%}"


def lowered(matrix: EmbeddingMatrix) -> str:
    """The error that fits lower, in words; with _ for the space it is a figure of Evaluation."""
    return "weighted error" if matrix.weighted else "relative error"
