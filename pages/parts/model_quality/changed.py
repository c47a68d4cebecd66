"""The rows whose neighbourhoods changed most, and the error along the rows."""

import numpy as np
import streamlit as st

from compress import EmbeddingMatrix
from compress.analysis.neighbours import Changed, ErrorByUse, error_by_use, most_changed
from compress.charts import quality as quality_charts
from compress.charts.figure import METHOD_COLOURS, MUTED
from compress.form.metrics import error_text
from compress.linalg.blocks import sample_rows
from pages.parts.cached import cached
from pages.parts.live_chart.live_chart import live_chart
from pages.parts.model_quality.near import unit_tables
from pages.parts.model_quality.settings import MODEL_QUALITY
from pages.parts.quick_fits import Fitted
from pages.parts.tokens import row_order

SAMPLE, SHOWN = 2000, 12
COSINES, AT_ONCE = 60_000_000, 20_000_000  # that are computed in all, and between two looks at what a person does


def changed_table(matrix: EmbeddingMatrix, fit: Fitted) -> None:
    """The most changed of a sample of rows; a row that is marked becomes the one above. It takes some seconds, in parts, so that
    the page hears what a person does in between."""
    before, after = unit_tables(matrix, fit)
    there = np.flatnonzero(before.any(axis=1) & after.any(axis=1))
    n = len(before)
    rows = there[sample_rows(len(there), min(SAMPLE, COSINES // n), np.random.default_rng(0))]
    if not len(rows):
        st.caption("Every row is zero before or after.")
        return
    step = min(250, AT_ONCE // n + 1)
    parts, bar = range(0, len(rows), step), st.empty()
    found = []
    for first in parts:
        if len(parts) > 1:
            bar.progress(first / len(rows), text=f"Comparing neighbours of {len(rows):,} {matrix.row_word}s")
        found.append(changed_in(matrix, fit, rows[first : first + step]))
    bar.empty()
    kept, moved = (np.concatenate([getattr(each, name) for each in found]) for name in ("overlap", "shift"))
    every = np.concatenate([each.rows for each in found])
    order = np.lexsort((every, -moved, kept))[:SHOWN]
    chosen = [int(row) for row in every[order]]
    st.session_state["changed_rows"] = chosen
    st.dataframe(
        {
            matrix.row_word: [str(matrix.tokens[row]) for row in chosen],
            "kept of 10": kept[order] * 10,
            "places moved": moved[order],
        },
        key="changed",
        hide_index=True,
        on_select=take,
        selection_mode="single-row",
        height=330,
        column_config={
            "kept of 10": st.column_config.NumberColumn(format="%.0f"),
            "places moved": st.column_config.NumberColumn(format="%.0f", help="how far its ten nearest moved, in the mean"),
        },
    )
    sampled = f"{len(rows):,} {matrix.row_word}s drawn at random" if len(rows) < len(there) else f"all {matrix.row_word}s"
    st.caption(f"The most changed of {sampled}. Mark a line to see its neighbours above.")


def take() -> None:
    """The marked line's row becomes the one that is looked at."""
    marked = st.session_state["changed"].selection.rows
    rows = st.session_state["changed_rows"]
    if marked and marked[0] < len(rows):
        st.session_state[MODEL_QUALITY.token.key] = f"#{rows[marked[0]]}"


@cached(64)
def changed_in(matrix: EmbeddingMatrix, fit: Fitted, rows: np.ndarray) -> Changed:
    return most_changed(*unit_tables(matrix, fit), rows, SHOWN)


def error_chart(matrix: EmbeddingMatrix, fit: Fitted) -> None:
    found = errors_of(matrix, fit)
    if found is None:
        return
    colour = METHOD_COLOURS.get(fit.result.method.name, MUTED)
    live_chart(
        quality_charts.error_along(found, colour, matrix.row_word),
        key="error_by_use",
        alt=f"Relative error along the rows: first {error_text(found.error[0])}, last {error_text(found.error[-1])}",
    )
    along = "row weight" if found.by == "weight" else row_order(matrix).words
    st.caption(f"Rows by {along}. Bins grow with the place; the band holds the middle half of a bin's rows.")


@cached(8)
def errors_of(matrix: EmbeddingMatrix, fit: Fitted) -> ErrorByUse | None:
    return error_by_use(matrix, fit.evaluation) if matrix.squared_norms.any() else None
