"""The map of all rows, coloured by what a fit made of them, and the rows that are chosen on it."""

from collections.abc import Mapping
from contextlib import suppress

import numpy as np
import streamlit as st

from compress import EmbeddingMatrix, InputError
from compress.analysis.matching import chained
from compress.analysis.scatter import FIRST
from compress.sources.column_kinds import Categories, Dates, Numbers, Typed
from pages.parts.cached import pca_of
from pages.parts.columns import chosen_colour, chosen_hover, column
from pages.parts.map import Colouring, Recolouring, by_column, scatter_map
from pages.parts.subspaces.group_names import group_names, groups_id, shown_id
from pages.parts.subspaces.listed import Fitted, listed
from pages.parts.subspaces.marked import marked_rows
from pages.parts.subspaces.search import rows_with
from pages.parts.subspaces.settings import COLUMN, SUBSPACES
from pages.parts.subspaces.umap_job import Umap, job_key, lay_out_all, umap_of
from pages.parts.tokens import placeholder
from pages.parts.work import jobs
from pages.parts.work.ahead import working
from pages.parts.work.watch import watch

SOON = 0.5  # seconds between looks at a job that takes a few


def begin_map(matrix: EmbeddingMatrix) -> None:
    """Asks for the map that is to be shown, before the page computes what stands above it."""
    if SUBSPACES.layout.held() == "UMAP":
        umap_of(matrix)


@st.fragment
def subspace_map(matrix: EmbeddingMatrix, k: int, fit: Fitted, drafts: Mapping[int, np.ndarray]) -> None:
    """k: of the fit, which is asked for only where it colours the map or rows are listed, so that the map is seen first. drafts:
    labels of the rows by k, which colour the map while k is dragged."""
    chosen_column, hover = chosen_colour(matrix), hovered(matrix)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        layout = SUBSPACES.layout.draw("Map")
        colour = SUBSPACES.colour.draw_with("Colour by", chosen_column and chosen_column.name)
        sought = SUBSPACES.token.draw(f"Find a {matrix.row_word}", placeholder(matrix))
        only = SUBSPACES.only_found.draw("Only these", "The map shows only rows that are found.")
    umap = umap_of(matrix) if layout == "UMAP" else None
    if layout == "UMAP" and (umap is None or not umap.whole):
        unfinished(matrix, umap)
    positions = umap.positions if umap else pca_of(matrix)
    shown = "UMAP" if umap else "PCA"
    rows = rows_with(matrix, sought, hover)
    alone = only and len(rows) > 0
    coloured_by = chosen_column if colour == COLUMN else None
    groups = groups_id(matrix, shown_id(shown, umap is not None and umap.whole), coloured_by)
    chosen = scatter_map(
        positions,
        colouring(matrix, fit, colour, coloured_by),
        matrix.tokens,
        key="map",
        highlight=None if alone else rows if sought else marked_rows(matrix),
        recolour=recolouring(drafts, k) if drafts and colour == "subspace" else None,
        among=np.isin(np.arange(len(positions)), rows) if alone else None,
        columns=hover,
        groups=groups,
        label=f"Map of {len(positions):,} rows by {shown}, coloured by {coloured_by.name if coloured_by else colour}",
        view=f"{matrix.digest} {shown}",
    )
    st.caption(how_to_read(layout, umap))
    known = coloured_by is None or coloured_by.name in [each.name for each in hover]
    listed(matrix, fit, chosen, sought, rows, hover if known or coloured_by is None else [coloured_by, *hover])
    group_names("map", groups, matrix, positions, coloured_by)


def hovered(matrix: EmbeddingMatrix) -> list[Typed]:
    """The columns shown on hover, without those that can no longer be read."""
    found = []
    for name in chosen_hover(matrix):
        with suppress(InputError):
            found.append(column(matrix, name))
    return found


def colouring(matrix: EmbeddingMatrix, fit: Fitted, colour: str, column: Categories | Numbers | Dates | None) -> Colouring:
    if column is not None:
        return by_column(column)
    if colour == "subspace":
        return Colouring(fit().labels, "categories", tuple(str(z + 1) for z in range(fit().asked.k)), "subspace")
    if colour == "error":
        errors = fit().evaluation.row_errors
        return Colouring(np.where(np.isfinite(errors), errors, np.nan), "sequential", title="relative error of the row")
    return Colouring(np.sqrt(matrix.squared_norms), "sequential", title="norm of the row, ‖aᵢ‖")


def recolouring(drafts: Mapping[int, np.ndarray], k: int) -> Recolouring:
    """What colours the map while k is dragged from where it is."""
    return Recolouring(SUBSPACES.k.key, k, sorted(drafts), chained(drafts), tuple(str(z + 1) for z in range(max(drafts))))


def unfinished(matrix: EmbeddingMatrix, umap: Umap | None) -> None:
    """How far the map is that a person waits for; the button that begins it where nothing does."""
    watch("umap", "UMAP", every=SOON)
    if jobs.stopped("umap", job_key(matrix, umap)):
        st.button("Make the UMAP map", on_click=jobs.jobs().pop, args=["umap", None], icon=":material/play_arrow:")
    elif umap and not working() and not jobs.running("umap"):
        st.button("Lay out all rows", on_click=lay_out_all, args=[matrix], icon=":material/play_arrow:")


def how_to_read(layout: str, umap: Umap | None) -> str:
    if umap is None:
        waiting = "PCA stands in until UMAP is ready. " if layout == "UMAP" else ""
        return (
            f"{waiting}Each point is a row, placed by its two leading principal coordinates. Drag to move, scroll to zoom, Shift "
            "and drag for a lasso. Subspaces cross at the origin, so their rows overlap here more than they do in all directions."
        )
    first = f"A first map: {FIRST:,} rows are laid out, each other one lies beside its nearest. " if not umap.whole else ""
    return (
        f"{first}Each point is a row; UMAP puts rows with a small cosine distance near each other. Near means alike; distances "
        "between far groups and their sizes mean little."
    )
