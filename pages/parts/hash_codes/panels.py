"""What Hash codes draws: error against bits, how the bits behave, and what their distances tell."""

import numpy as np
import streamlit as st

from compress import EmbeddingMatrix, ProjectiveClustering
from compress.analysis.code_curves import CodeCurves, Figures
from compress.charts import codes as code_charts
from compress.charts.figure import PRECISION_NAMES
from compress.form.metrics import error_text
from compress.methods import LightToken
from pages.parts import kept
from pages.parts.cached import cached, rounded_of, spectrum_of
from pages.parts.cards import UNKNOWN, lowered
from pages.parts.dial.answers import Figure
from pages.parts.dial.figures import figures, sentence
from pages.parts.hash_codes.answers import CHARTS, LENGTHS, curve_of, marks, widest
from pages.parts.hash_codes.cards import part_words, row_bits
from pages.parts.hash_codes.fits import Coded, Part, bits_of, pairs_seen, prefixes_of, svd_cosines_of
from pages.parts.hash_codes.settings import HASH_CODES
from pages.parts.hash_codes.token import one_row
from pages.parts.live_chart.live_chart import Plot, live_chart, plot_of
from pages.parts.opened import tabs
from pages.parts.pins import describe, told_apart


@st.fragment
def against_bits(matrix: EmbeddingMatrix, method: LightToken, code: Coded | None, told: Figures, curves: CodeCurves) -> None:
    """The error of a code of every length, and of every prefix of stages, beside what SVD makes of the same bytes. told:
    the figures of the whole code."""
    st.subheader("Bits used")
    parts = prefixes_of(code) if code else [Part(method, told)]
    cosine = HASH_CODES.cosine.draw("Mean cosine", "In place of the error.")
    part = parts[used_stages(method, parts)]
    sentence(part_words(matrix, part.method, part.figures), key="bits_used")
    chart = "against_bits_cosine" if cosine else "against_bits"
    figure = CHARTS[chart]
    values, spreads = np.array([(each.figures[figure].value, each.figures[figure].spread) for each in parts]).T
    names = [f"{each.method.bits} bits, {each.method.stages} of {method.stages} stages" for each in parts]
    title = "mean cosine" if cosine else lowered(matrix)
    bits = np.array([row_bits(matrix, each.method) for each in parts])
    exact = not spreads.any()
    lines, points = (svd_curves(matrix, cosine), known_points(matrix, figure)) if exact else ({}, {})
    lines = {LENGTHS: curve_of(matrix, method, curves, chart)} | lines
    live_chart(
        code_charts.against_bits(bits, values, spreads, names, lines, points, title, widest(matrix, method)),
        key=chart,
        marks=marks(matrix, part.method, part.figures, chart),
        alt=f"{title.capitalize()} against bits a row: "
        + ", ".join(
            f"{each:.4g} bits {UNKNOWN if np.isnan(value) else error_text(value)}" for each, value in zip(bits, values, strict=True)
        ),
    )
    st.caption(
        "Bits a row count everything, the decoder too"
        + (
            ", so that a point and a line above or below it have the same bytes."
            if exact
            else ". Each bar is what is left open; SVD and what sweeps found, measured over all rows, come with the full fit."
        )
    )


def used_stages(method: LightToken, parts: list[Part]) -> int:
    """Which of the prefixes a person looks at, at first the whole code, which alone is known before there is a code."""
    if method.stages == 1:
        return 0
    choices, about = np.cumsum(method.widths).tolist(), "Only the first stages, with the decoder that suits them best"
    used = HASH_CODES.used.draw("Bits used", choices, about, disabled=len(parts) == 1)
    return choices.index(used) if len(parts) > 1 else 0


def svd_curves(matrix: EmbeddingMatrix, cosine: bool) -> dict:
    """SVD with int8 and int4 factors."""
    found = {}
    for bits in (8, 4):
        values = svd_cosines_of(matrix, bits) if cosine else rounded_of(matrix, bits)
        name = PRECISION_NAMES[bits]
        stored = 8 * spectrum_of(matrix).n_bytes(bits) / matrix.shape[0]
        js = np.flatnonzero(np.diff(stored, append=np.inf) > 0)[1:]  # at 4 bits an odd j takes the bytes of the next even one
        found[f"SVD, {name}"] = stored[js], values[js], [f"SVD, j = {j}, {name}" for j in js]
    return found


def known_points(matrix: EmbeddingMatrix, figure: str) -> dict:
    """What sweeps have found for k subspaces."""
    known = [trial for trial in kept.known(matrix.key) if isinstance(trial.method, ProjectiveClustering)]
    if not known:
        return {}
    stored = [8 * trial.method.size(*matrix.shape) / matrix.shape[0] for trial in known]
    values = [trial.figures[figure] for trial in known]
    return {"k subspaces": (stored, values, told_apart(trial.method for trial in known))}


@st.fragment
def code_panels(code: Coded, behind: bool) -> None:
    """behind: whether these are codes of the setting before, until those of the present one come."""
    panels = {"Bits": bits, "Hamming distance": hamming, "One row": one_row}
    tabs(panels, "hash_panel", code)
    if behind:
        st.caption(f"Still of the code before: {describe(code.method)}. That of this setting comes in a few seconds.")
    elif code.told and code.told.sample is not code.told.matrix:
        st.caption(f"Of the preview, among its {code.matrix.shape[0]:,} rows only; the full fit has all rows.")


def bits(code: Coded) -> None:
    shares, together = bits_of(code)
    count = len(shares)
    apart = np.abs(together[~np.eye(count, dtype=bool)]) if count > 1 else np.zeros(1)
    on, correlated = bit_plots(code)
    left, right = st.columns(2)
    with left:
        live_chart(
            on,
            key="bits_on",
            alt=f"Share of rows with each of {count} bits on, from {shares.min():.0%} to {shares.max():.0%}",
        )
        st.caption(
            f"A bit that is on for half of the rows tells most. Here {np.mean(np.abs(shares - 0.5) <= 0.1):.0%} of the bits lie "
            "between 40 % and 60 %."
        )
    with right:
        live_chart(
            correlated,
            key="bit_correlation",
            alt=f"Correlation of every two bits: mean size {apart.mean():.3f}, largest {apart.max():.3f}",
        )
        some = f" Shown are {code_charts.SHOWN} of {count} bits." if count > code_charts.SHOWN else ""
        st.caption(
            f"Bits that go together tell the same thing twice. Mean size of a correlation {apart.mean():.3f}, largest "
            f"{apart.max():.3f}.{some}"
        )


@cached(4)
def bit_plots(code: Coded) -> tuple[Plot, Plot]:
    """How often each bit is on, and the correlation of every two."""
    shares, together = bits_of(code)
    return plot_of(code_charts.bits_on(shares, code.method.widths)), plot_of(code_charts.correlation(together))


def hamming(code: Coded) -> None:
    pairs = pairs_seen(code)
    ties = np.corrcoef(pairs.cosine, pairs.hamming)[0, 1] if np.ptp(pairs.cosine) > 0 < np.ptp(pairs.hamming) else 0.0
    about = (
        f"Share of the {pairs.neighbours} nearest rows by cosine that are among the {pairs.neighbours} nearest by Hamming "
        f"distance; mean over {pairs.queries:,} rows, among {pairs.rows:,} rows. Equal distances in random order."
    )
    figures([Figure(f"Recall@{pairs.neighbours} by Hamming distance", f"{pairs.recall:.1%}", help=about)], "recall")
    live_chart(
        code_charts.distances(pairs, code.method.bits),
        key="hamming",
        alt=f"Hamming distance against cosine distance of {len(pairs.cosine):,} pairs, correlation {ties:.2f}",
    )
    rank = f" The rank-{code.method.rank} part is not in the code, so bits do not see it." if code.method.rank else ""
    st.caption(
        f"Each point is a pair of rows, half of them sought out to be near. Correlation {ties:.2f}. The codes were made to restore "
        f"rows through the decoder, not to be compared bit by bit.{rank}"
    )
