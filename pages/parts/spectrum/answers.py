"""What Spectrum tells at every j: its cards, and where the lines over its charts stand."""

import numpy as np

from compress import EmbeddingMatrix
from compress.methods import SVD
from pages.parts.cached import cached, plain_of, rounded_of, spectrum_of
from pages.parts.cards import error_figures, ratio_figure, size_figure
from pages.parts.dial.answers import Answers, Figure, Mark, Ring, cut


def spectrum_figures(matrix: EmbeddingMatrix, bits: int, j: int) -> list[Figure]:
    """What j directions keep and cost, with factors of so many bits."""
    spectrum, method = spectrum_of(matrix), SVD(j=j, factor_bits=bits)
    n_bytes, numbers = method.size(*matrix.shape), method.parameter_count(*matrix.shape)
    errors = plain_of(matrix, bits)[j], rounded_of(matrix, bits)[j]
    return [
        Figure("Kept energy", f"{spectrum.kept_energy[j]:.1%}", help="share of Σσ² that the first j directions keep"),
        *error_figures(matrix, *errors, about="rounding of the factors included"),
        size_figure(n_bytes, numbers, 1 - numbers / matrix.size),
        ratio_figure(matrix, n_bytes),
        Figure(
            "Effective rank",
            f"{spectrum.effective_rank:.3g}",
            help="exp of the entropy of σ / Σσ: this many equal directions would be as spread out. The energy rank, with σ² / Σσ² "
            f"in its place, is {spectrum.energy_rank:.3g}.",
        ),
    ]


def error_marks(matrix: EmbeddingMatrix, bits: int, j: int) -> list[Mark]:
    return [cut(j), Ring("error", j, rounded_of(matrix, bits)[j])]


@cached(8)
def spectrum_answers(matrix: EmbeddingMatrix, bits: int) -> Answers:
    js = np.arange(1, min(matrix.shape) + 1)
    return Answers(
        js,
        figures={"cards": [spectrum_figures(matrix, bits, int(j)) for j in js]},
        marks={"singular_values": [[cut(int(j))] for j in js], "rank_errors": [error_marks(matrix, bits, int(j)) for j in js]},
    )
