"""Rows that the matrix could do without: found, marked on the map, downloaded, and the matrix without them."""

from pathlib import Path

import numpy as np
import streamlit as st

from compress import EmbeddingMatrix, InputError, cache
from compress.analysis import cleaning
from compress.analysis.cleaning import EMPTY, EQUAL, FAR, NEAR, WHY, Table
from compress.analysis.duplicates import Groups, Near, equal_rows
from compress.analysis.near_rows import ALL, near_rows
from compress.answers import tables
from compress.sources.weights import UNIFORM
from pages.parts.cached import cached
from pages.parts.columns import chosen_hover, column
from pages.parts.subspaces.found import Found
from pages.parts.subspaces.listed import MOST_LISTED, shortened, values_of
from pages.parts.subspaces.marked import mark
from pages.parts.subspaces.settings import SPARE, SUBSPACES
from pages.parts.work import jobs
from pages.parts.work.watch import watch

SMALL = 4_000  # rows that are compared at once
MARKS = 2000  # rows that the map rings
PLURAL = {why: label for label, why in SPARE.items()}


def cleaning_panel(matrix: EmbeddingMatrix, fit: Found) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kinds = SUBSPACES.kinds.draw("List")
        about = "Rows are near where their cosine is this or more; chains of near rows are one group."
        cosine = SUBSPACES.cosine.draw("Near from cosine", 0.005, "%.3f", about, width=260)
        about = "How many of the rows that the subspaces hold worst, by relative error."
        count = SUBSPACES.far.field("Far rows", about, width=140)
        marks = SUBSPACES.mark.draw("Mark on the map")
    near = near_of(matrix)
    found = {
        EQUAL: lambda: equal_of(matrix),
        NEAR: lambda: near.groups(cosine) if near else None,
        FAR: lambda: cleaning.far_rows(matrix, fit.evaluation.row_errors, count),
        EMPTY: lambda: cleaning.empty_rows(matrix),
    }
    asked = {why: each for why in WHY if why in kinds and (each := found[why]()) is not None}
    table = cleaning.listed(matrix, asked)
    spare = cleaning.spare(table)
    if NEAR in kinds and near is None:
        search(matrix)
    st.caption(counts_words(asked, near, spare, matrix))
    if table and len(table["row"]):
        downloads(matrix, fit, table, spare)
        show(cells(matrix, fit, {name: each[:MOST_LISTED] for name, each in table.items()}))
        st.caption(how_to_read(table))
    mark(matrix, spare if marks else np.empty(0, np.int64))


def counts_words(asked: dict[str, Groups | np.ndarray], near: Near | None, spare: np.ndarray, matrix: EmbeddingMatrix) -> str:
    """What was found, and how sure the search for near rows is."""
    words = [
        f"{PLURAL[why]}: {len(each.rows):,} rows in {len(each):,} groups"
        if isinstance(each, Groups)
        else f"{PLURAL[why]}: {len(each):,}"
        for why, each in asked.items()
    ]
    told = f"{'; '.join(words)}. ".capitalize() if words else "Nothing is listed. "
    left = (
        f"Without them {matrix.shape[0] - len(spare):,} of {matrix.shape[0]:,} rows are left, one of each group. "
        if len(spare)
        else ""
    )
    sure = ""
    if NEAR in asked and near is not None and matrix.shape[0] > ALL:
        sure = f"Of {near.compared:,} near pairs that some rows have among all, the search found {near.found:,}."
    return told + left + sure


def how_to_read(table: Table) -> str:
    some = f"The first {MOST_LISTED:,} of {len(table['row']):,} lines. " if len(table["row"]) > MOST_LISTED else ""
    rings = f" The map rings the first {MARKS:,} that go." if len(cleaning.spare(table)) > MARKS else ""
    kept = "The first row of a group is kept; the cosine is with it, and may be smaller than asked where rows form a chain."
    return f"{some}{kept}{rings}"


def show(columns: dict) -> None:
    st.dataframe(
        {name: shortened(each) for name, each in columns.items()},
        key="cleaning",
        hide_index=True,
        height=min(38 + 35 * len(columns["row"]), 320),
        column_config={
            "cosine": st.column_config.NumberColumn(format="%.4f"),
            "relative error": st.column_config.NumberColumn(format="%.3g"),
        },
    )


def cells(matrix: EmbeddingMatrix, fit: Found, table: Table) -> dict:
    """The list with names, errors and the columns that are chosen for hover."""
    rows, name = table["row"], "name" if matrix.row_word == "row" else matrix.row_word
    own = {"why": table["why"].tolist(), "group": table["group"], "row": rows, name: [matrix.tokens[row] for row in rows]}
    own |= {"kept": table["kept"], "cosine": table["cosine"], "relative error": fit.evaluation.row_errors[rows]}
    return own | {each: values_of(column(matrix, each), rows) for each in chosen_hover(matrix) if each not in own}


def downloads(matrix: EmbeddingMatrix, fit: Found, table: Table, spare: np.ndarray) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="cleaning_downloads"):
        for kind, mime in (("CSV", "text/csv"), ("Parquet", "application/vnd.apache.parquet")):
            ending = f".{kind.lower()}"
            st.download_button(
                f"List as {kind}",
                lambda ending=ending: cleaning.as_file(cells(matrix, fit, table), ending),
                f"{matrix.name}-cleaning{ending}",
                mime,
                key=f"cleaning_{kind}",
                icon=":material/download:",
                on_click="ignore",
            )
        if matrix.shape[0] - len(spare) < 2:
            st.caption("Fewer than 2 rows would be left, which is no matrix.")
        elif len(spare):
            st.download_button(
                f"Matrix without {len(spare):,} rows",
                lambda: cleaning.without(matrix, spare),
                f"{matrix.name}-cleaned.safetensors",
                "application/octet-stream",
                key="cleaning_without",
                icon=":material/download:",
                on_click="ignore",
                help="safetensors: the rows that are left, their names, and as `rows` their numbers before",
            )


def search(matrix: EmbeddingMatrix) -> None:
    """The button that has near rows sought, and how far that is."""
    path = near_path(matrix)
    job = jobs.jobs().get("near")
    if job is not None and job.key == path.stem:
        watch("near", "Near duplicates", key=path.stem)
    if not (jobs.running("near") and jobs.jobs()["near"].key == path.stem):
        st.button("Find near duplicates", on_click=start, args=[matrix, path], icon=":material/play_arrow:", key="find_near")


def start(matrix: EmbeddingMatrix, path: Path) -> None:
    jobs.run("clean", matrix, name="near", key=path.stem, weights=UNIFORM, pairs=path)


def near_of(matrix: EmbeddingMatrix) -> Near | None:
    """The near pairs that are known: of few rows at once, of many when a job has found them."""
    if matrix.shape[0] <= SMALL:
        return few(matrix)
    path = near_path(matrix)
    if not path.exists():
        return None
    jobs.use(path)
    try:
        return read(str(path), path.stat().st_mtime_ns)
    except (InputError, KeyError):
        path.unlink()  # cut short, say
        return None


def near_path(matrix: EmbeddingMatrix) -> Path:
    return cache.folder("near") / f"{matrix.digest}.safetensors"


@cached(4)
def read(path: str, written: int) -> Near:
    return Near.of(tables.read(Path(path)).arrays)


@cached(4, weights=False)
def few(matrix: EmbeddingMatrix) -> Near:
    return near_rows(matrix)


@cached(4, "Finding equal rows …", weights=False)
def equal_of(matrix: EmbeddingMatrix) -> Groups:
    return equal_rows(matrix)
