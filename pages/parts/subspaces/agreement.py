"""Whether the subspaces mean anything: how they agree with a column of categories, beside k-means and chance."""

import numpy as np
import streamlit as st

from compress import EmbeddingMatrix, InputError
from compress.analysis import agreement
from compress.analysis.agreement import Agreement
from compress.charts.agreement import counts_by_category
from compress.sources.column_kinds import Categories
from pages.parts.cached import cached
from pages.parts.columns import Beside, chosen_colour, column, kinds_of
from pages.parts.live_chart.live_chart import live_chart
from pages.parts.say import literal, refused, waiting
from pages.parts.subspaces.found import Found


def agreement_panel(matrix: EmbeddingMatrix, fit: Found) -> None:
    names = [name for name, kind in kinds_of(matrix).items() if kind is Categories]
    if not names:
        why = "No column here holds categories" if matrix.columns else "This matrix has no columns beside it"
        st.caption(f"{why}: open a parquet, CSV or JSON lines table that has a column of labels beside its vectors.")
        return
    coloured = chosen_colour(matrix)
    usual = names.index(coloured.name) if coloured is not None and coloured.name in names else 0
    name = st.selectbox("Column of categories", names, usual, key="agreement_column")
    try:
        held = column(matrix, name)
        agree(matrix, fit, held)
    except InputError as error:
        refused(error)


def agree(matrix: EmbeddingMatrix, fit: Found, held: Categories) -> None:
    k = fit.asked.k
    found = {"subspaces": agreement.agreement(fit.labels, held.codes)}
    with waiting("Running k-means …"):
        for where, unit in (("rows of length 1", True), ("rows as they are", False)):
            labels = means_of(matrix, k, unit, fit.asked.seed)
            found[f"k-means, {where}"] = agreement.agreement(labels, held.codes)
        found["chance"] = chance_of(fit, Beside(matrix), held.name)
    st.dataframe(
        {
            "labels": [f"{name}, k = {k}" for name in found],
            "adjusted Rand index": [written(each.rand, each.rand_spread) for each in found.values()],
            "normalized mutual information": [written(each.information, each.information_spread) for each in found.values()],
        },
        key="agreement",
        hide_index=True,
    )
    common, counts, without = agreement.counted(fit.labels, held.codes, k)
    others = len(held.names) - len(common)
    names = [held.names[code] for code in common] + ([f"{others:,} others"] if others else [])
    left_out = f" {without:,} of {len(held.codes):,} rows have no category and are left out." if without else ""
    said = f"1 is the same grouping; chance is the subspaces' labels shuffled {agreement.SHUFFLES} times, ± one standard deviation."
    alone = " One subspace parts nothing; take k above 1." if k == 1 else ""
    st.caption(f"{said}{left_out}{alone}")
    live_chart(counts_by_category(counts, names), key="agreement_counts", alt=in_words(counts, names))
    st.caption(
        f"Each line is a category of {literal(held.name)}, the commonest first: how many of its rows each subspace holds, "
        "coloured by their share in %. One with a cell near 100 % lies in one subspace; lines that look alike are not parted."
    )


def written(value: float, spread: float) -> str:
    """An index with three decimals, which is what rows of a few thousand tell."""
    return f"{value:.3f} ± {spread:.3f}" if spread else f"{value:.3f}"


def in_words(counts: np.ndarray, names: list[str]) -> str:
    """The chart for who cannot see it."""
    most = counts.argmax(axis=1) + 1
    return "Rows of each category by subspace: " + ", ".join(f"{name} mostly in {z}" for name, z in zip(names, most, strict=True))


@cached(12, weights=False)
def means_of(matrix: EmbeddingMatrix, k: int, unit: bool, seed: int) -> np.ndarray:
    return agreement.means_labels(matrix, k, unit, seed)


@cached(24)
def chance_of(fit: Found, beside: Beside, name: str) -> Agreement:
    held = column(beside.matrix, name)
    assert isinstance(held, Categories)
    return agreement.by_chance(fit.labels, held.codes, fit.asked.seed)
