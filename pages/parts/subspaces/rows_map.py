"""The map of all rows, coloured by what a fit made of them, and the rows that are chosen on it."""

from collections.abc import Mapping

import numpy as np
import streamlit as st

from compress import EmbeddingMatrix
from compress.analysis.matching import chained
from compress.analysis.scatter import FIRST
from pages.parts.cached import pca_of
from pages.parts.map import Colouring, MapSelection, Recolouring, scatter_map
from pages.parts.subspaces.found import Found
from pages.parts.subspaces.settings import SUBSPACES
from pages.parts.subspaces.umap_job import Umap, job_key, lay_out_all, umap_of
from pages.parts.tokens import found_rows, placeholder
from pages.parts.work import jobs
from pages.parts.work.ahead import working
from pages.parts.work.watch import watch

MOST_LISTED = 2000
SOON = 0.5  # seconds between looks at a job that takes a few


def begin_map(matrix: EmbeddingMatrix) -> None:
    """Asks for the map that is to be shown, before the page computes what stands above it."""
    if SUBSPACES.layout.held() == "UMAP":
        umap_of(matrix)


@st.fragment
def subspace_map(matrix: EmbeddingMatrix, fit: Found, drafts: Mapping[int, np.ndarray]) -> None:
    """drafts: labels of the rows by k, which colour the map while k is dragged."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        layout = SUBSPACES.layout.draw("Map")
        colour = SUBSPACES.colour.draw("Colour by")
        sought = SUBSPACES.token.draw(f"Find a {matrix.row_word}", placeholder(matrix))
    umap = umap_of(matrix) if layout == "UMAP" else None
    if layout == "UMAP" and (umap is None or not umap.whole):
        unfinished(matrix, umap)
    positions = umap.positions if umap else pca_of(matrix)
    shown = "UMAP" if umap else "PCA"
    rows = found_rows(matrix, sought)
    chosen = scatter_map(
        positions,
        colouring(matrix, fit, colour),
        matrix.tokens,
        key="map",
        highlight=rows,
        recolour=recolouring(drafts, fit.asked.k) if drafts and colour == "subspace" else None,
        label=f"Map of {len(positions):,} rows by {shown}, coloured by {colour}",
        view=f"{matrix.digest} {shown}",
    )
    st.caption(how_to_read(layout, umap))
    listed(matrix, fit, chosen, sought, rows)


def colouring(matrix: EmbeddingMatrix, fit: Found, colour: str) -> Colouring:
    if colour == "subspace":
        return Colouring(fit.labels, "categories", tuple(str(z + 1) for z in range(fit.asked.k)), "subspace")
    if colour == "error":
        errors = fit.evaluation.row_errors
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


def listed(matrix: EmbeddingMatrix, fit: Found, chosen: MapSelection, sought: str, found: np.ndarray) -> None:
    """The chosen rows as a table; those that were sought where none is chosen."""
    rows = chosen.rows if len(chosen.rows) else found
    if sought and not len(found):
        st.caption(f"No {matrix.row_word} here holds that text.")
    if not len(rows):
        return
    rows = rows[np.argsort(fit.evaluation.row_errors[rows], kind="stable")[::-1]]
    words = "in the lasso" if chosen.polygon else "picked on the map" if len(chosen.rows) else "found"
    some = f", the {MOST_LISTED:,} worst shown" if len(rows) > MOST_LISTED else ""
    count = "1 row" if len(rows) == 1 else f"{len(rows):,} rows"
    st.caption(f"{count} {words}{some}, largest relative error first.")
    rows = rows[:MOST_LISTED]
    st.dataframe(
        {
            "name" if matrix.row_word == "row" else matrix.row_word: [matrix.tokens[row] for row in rows],
            "row": rows,
            "subspace": fit.labels[rows] + 1,
            "relative error": fit.evaluation.row_errors[rows],
            "norm": np.sqrt(matrix.squared_norms[rows]),
        },
        key="listed",
        height=min(38 + 35 * len(rows), 320),
        hide_index=True,
        column_config={
            "relative error": st.column_config.NumberColumn(format="%.3g"),
            "norm": st.column_config.NumberColumn(format="%.3g"),
        },
    )
