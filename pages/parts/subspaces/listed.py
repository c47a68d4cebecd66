"""The rows that are chosen on the map, found, or left by its filters: as a table, and as a file with all of them."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
import streamlit as st

from compress import EmbeddingMatrix
from compress.analysis.cleaning import as_file
from compress.sources.column_kinds import Categories, Texts, Typed
from pages.parts.map import MapSelection
from pages.parts.subspaces.found import Found
from pages.parts.subspaces.settings import SUBSPACES

MOST_LISTED = 2000
LONGEST = 300  # letters of a text in the table

Fitted = Callable[[], Found]  # a fit, made when it is asked for
Cells = Callable[[np.ndarray], Sequence]  # of a column, for some rows


def listed(
    matrix: EmbeddingMatrix,
    fit: Fitted,
    chosen: MapSelection,
    sought: str,
    found: np.ndarray,
    columns: Sequence[Typed],
) -> None:
    """The chosen rows; those that were sought where none is chosen; else those that a filter leaves."""
    if sought and not len(found):
        st.caption(f"No {matrix.row_word} here holds that text.")
    rows, words = told(chosen, found)
    if not len(rows):
        return
    cells = cells_of(matrix, fit, columns)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        by = SUBSPACES.listed_by.select("Sort by", [*cells], index=[*cells].index("relative error"))
        least_first = SUBSPACES.least_first.draw("Smallest first")
        rows = rows[order_of(cells[by](rows), least_first)]
        for kind, mime in (("CSV", "text/csv"), ("Parquet", "application/vnd.apache.parquet")):
            ending = f".{kind.lower()}"
            st.download_button(
                f"Download {len(rows):,} as {kind}" if kind == "CSV" else kind,
                partial(file_of, cells, rows, ending),
                f"{matrix.name}-rows{ending}",
                mime,
                key=f"rows_{kind}",
                icon=":material/download:",
                on_click="ignore",
            )
    some = f"; the first {MOST_LISTED:,} are listed" if len(rows) > MOST_LISTED else ""
    st.caption(f"{'1 row' if len(rows) == 1 else f'{len(rows):,} rows'} {words}{some}.")
    rows = rows[:MOST_LISTED]
    st.dataframe(
        {name: shortened(cell(rows)) for name, cell in cells.items()},
        key="listed",
        height=min(38 + 35 * len(rows), 320),
        hide_index=True,
        column_config={name: st.column_config.NumberColumn(format="%.3g") for name in ("relative error", "norm")},
    )


def file_of(cells: Mapping[str, Cells], rows: np.ndarray, ending: str) -> bytes:
    """A table of those rows, each column by its name, as a file of that kind."""
    return as_file({name: cell(rows) for name, cell in cells.items()}, ending)


def told(chosen: MapSelection, found: np.ndarray) -> tuple[np.ndarray, str]:
    """The rows to list, and in words which they are."""
    if len(chosen.rows):
        return chosen.rows, "in the lasso" if chosen.polygon else "picked on the map"
    if chosen.shown is not None and not len(found):
        return np.flatnonzero(chosen.shown), "shown"
    return (found if chosen.shown is None else found[chosen.shown[found]]), "found"


def cells_of(matrix: EmbeddingMatrix, fit: Fitted, columns: Sequence[Typed]) -> dict[str, Cells]:
    """By the name of each column of the table what gives its cells for some rows."""
    own: dict[str, Cells] = {
        "row": lambda rows: rows,
        "subspace": lambda rows: fit().labels[rows] + 1,
        "relative error": lambda rows: fit().evaluation.row_errors[rows],
        "norm": lambda rows: np.sqrt(matrix.squared_norms[rows]),
    }
    name = "name" if matrix.row_word == "row" else matrix.row_word
    found: dict[str, Cells] = {name: lambda rows: [matrix.tokens[row] for row in rows]}
    for column in columns:
        title = column.name
        while title in own or (title in found and found[title] is not column):
            title += " (column)"
        found[title] = lambda rows, column=column: values_of(column, rows)
    return found | own


def values_of(column: Typed, rows: np.ndarray) -> Sequence:
    if isinstance(column, Categories):
        names = np.array([*column.names, None], dtype=object)
        return names[column.codes[rows]].tolist()
    if isinstance(column, Texts):
        return [column.values[row] for row in rows]
    return column.values[rows]


def order_of(values: Sequence, least_first: bool) -> np.ndarray:
    """Places of the values, the largest first unless the least are, A before Z where they are words; what is missing comes last."""
    if not isinstance(values, np.ndarray):
        words = [value or "" for value in values]
        order = sorted(range(len(words)), key=lambda at: words[at].casefold(), reverse=not least_first)
        return np.array(sorted(order, key=lambda at: not words[at]), np.int64)
    missing = np.isnat(values) if values.dtype.kind == "M" else np.isnan(values.astype(np.float64))
    order = np.argsort(values, kind="stable")
    order = order if least_first else order[::-1]
    return np.concatenate([order[~missing[order]], order[missing[order]]])


def shortened(values: Sequence) -> Sequence:
    if isinstance(values, np.ndarray):
        return values
    return [value if not isinstance(value, str) or len(value) <= LONGEST else f"{value[: LONGEST - 1]}…" for value in values]
