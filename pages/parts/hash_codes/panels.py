"""What Hash codes draws: error against bits, how the bits behave, and what their distances tell."""

import numpy as np
import streamlit as st

from compress import EmbeddingMatrix, ProjectiveClustering
from compress.analysis.code_preview import FIGURES
from compress.charts import codes as code_charts
from compress.charts.figure import PRECISION_NAMES
from compress.form.metrics import error_text
from pages.parts.cached import rounded_of, spectrum_of
from pages.parts.cards import lowered, spread_text
from pages.parts.hash_codes.fits import Coded, Part, bits_of, pairs_seen, prefixes_of, svd_cosines_of
from pages.parts.hash_codes.settings import HASH_CODES
from pages.parts.hash_codes.token import one_row
from pages.parts.kept import trials
from pages.parts.live_chart.live_chart import live_chart
from pages.parts.opened import tabs
from pages.parts.pins import told_apart


@st.fragment
def against_bits(matrix: EmbeddingMatrix, code: Coded) -> None:
    """The error of every prefix of stages beside what SVD makes of the same bytes."""
    st.subheader("Bits used")
    parts = prefixes_of(code)
    cosine = HASH_CODES.cosine.draw("Mean cosine", "In place of the error.")
    used = used_stages(parts)
    part = parts[used]
    st.caption(
        f"**{part.result.method.bits} bits**: {part_words(matrix, code, part)}, {row_bits(matrix, part):.4g} bits a row with "
        "everything stored."
    )
    figure = "mean_cosine" if cosine else lowered(matrix).replace(" ", "_")
    values, spreads = np.array([(each.figures[figure].value, each.figures[figure].spread) for each in parts]).T
    names = [f"{each.result.method.bits} bits, {each.result.method.stages} of {len(parts)} stages" for each in parts]
    title = figure.replace("_", " ")
    bits = np.array([row_bits(matrix, each) for each in parts])
    curves, points = ({}, {}) if code.preview else (svd_curves(matrix, cosine), known_points(matrix, figure))
    live_chart(
        code_charts.against_bits(bits, values, names, used, curves, points, title, spreads),
        key="against_bits",
        alt=f"{title.capitalize()} against bits a row: "
        + ", ".join(f"{each:.4g} bits {error_text(value)}" for each, value in zip(bits, values, strict=True)),
    )
    st.caption(
        "Bits a row count everything, the decoder too"
        + (
            ". Each bar is what the preview leaves open; SVD and what sweeps found, measured over all rows, come with the full fit."
            if code.preview
            else ", so that a point and a line above or below it have the same bytes."
        )
    )


def part_words(matrix: EmbeddingMatrix, code: Coded, part: Part) -> str:
    """The errors and the cosine of a part, with their spreads where a preview tells them."""
    names = FIGURES if matrix.weighted else [name for name in FIGURES if name != "weighted_error"]
    told = []
    for name in names:
        figure = part.figures[name]
        value = error_text(figure.value, code.preview) if "error" in name else f"{'≈ ' if code.preview else ''}{figure.value:.3f}"
        told.append(" ".join(filter(None, [name.replace("_", " "), value, spread_text(figure.value, figure.spread)])))
    return ", ".join(told)


def used_stages(parts: list[Part]) -> int:
    """Which of the prefixes a person looks at, at first the whole code."""
    if len(parts) == 1:
        return 0
    choices = [part.result.method.bits for part in parts]
    about = "Only the first stages, with the decoder that suits them best"
    return choices.index(HASH_CODES.used.draw("Bits used", choices, about))


def row_bits(matrix: EmbeddingMatrix, part: Part) -> float:
    return 8 * part.result.method.size(*matrix.shape) / matrix.shape[0]


def svd_curves(matrix: EmbeddingMatrix, cosine: bool) -> dict:
    """SVD with int8 and int4 factors; of the cosine only int8, whose rounding hardly turns a row."""
    found = {}
    for bits in (8,) if cosine else (8, 4):
        values = svd_cosines_of(matrix) if cosine else rounded_of(matrix, bits)
        name = PRECISION_NAMES[bits]
        stored = 8 * spectrum_of(matrix).n_bytes(bits) / matrix.shape[0]
        js = np.flatnonzero(np.diff(stored, append=np.inf) > 0)[1:]  # at 4 bits an odd j takes the bytes of the next even one
        found[f"SVD, {name}"] = stored[js], values[js], [f"SVD, j = {j}, {name}" for j in js]
    return found


def known_points(matrix: EmbeddingMatrix, figure: str) -> dict:
    """What sweeps have found for k subspaces."""
    known = [trial for trial in trials().of(matrix.key) if isinstance(trial.method, ProjectiveClustering)]
    if not known:
        return {}
    stored = [8 * trial.method.size(*matrix.shape) / matrix.shape[0] for trial in known]
    values = [trial.figures[figure] for trial in known]
    return {"k subspaces": (stored, values, told_apart(trial.method for trial in known))}


@st.fragment
def code_panels(code: Coded) -> None:
    panels = {"Bits": bits, "Hamming distance": hamming, "One row": one_row}
    tabs(panels, "hash_panel", code)
    if code.told and code.told.sample is not code.told.matrix:
        st.caption(f"Of the preview, among its {code.matrix.shape[0]:,} rows only; the full fit has all rows.")


def bits(code: Coded) -> None:
    shares, together = bits_of(code)
    count = len(shares)
    apart = np.abs(together[~np.eye(count, dtype=bool)]) if count > 1 else np.zeros(1)
    left, right = st.columns(2)
    with left:
        live_chart(
            code_charts.bits_on(shares, code.method.widths),
            key="bits_on",
            alt=f"Share of rows with each of {count} bits on, from {shares.min():.0%} to {shares.max():.0%}",
        )
        st.caption(
            f"A bit that is on for half of the rows tells most. Here {np.mean(np.abs(shares - 0.5) <= 0.1):.0%} of the bits lie "
            "between 40 % and 60 %."
        )
    with right:
        live_chart(
            code_charts.correlation(together),
            key="bit_correlation",
            alt=f"Correlation of every two bits: mean size {apart.mean():.3f}, largest {apart.max():.3f}",
        )
        some = f" Shown are {code_charts.SHOWN} of {count} bits." if count > code_charts.SHOWN else ""
        st.caption(
            f"Bits that go together tell the same thing twice. Mean size of a correlation {apart.mean():.3f}, largest "
            f"{apart.max():.3f}.{some}"
        )


def hamming(code: Coded) -> None:
    pairs = pairs_seen(code)
    ties = np.corrcoef(pairs.cosine, pairs.hamming)[0, 1] if np.ptp(pairs.cosine) > 0 < np.ptp(pairs.hamming) else 0.0
    st.metric(
        f"Recall@{pairs.neighbours} by Hamming distance",
        f"{pairs.recall:.1%}",
        border=True,
        help=f"Share of the {pairs.neighbours} nearest rows by cosine that are among the {pairs.neighbours} nearest by Hamming "
        f"distance; mean over {pairs.queries:,} rows, among {pairs.rows:,} rows. Equal distances in random order.",
    )
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
