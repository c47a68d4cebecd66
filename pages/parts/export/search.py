"""For search and databases: faiss's index, or the file with a search.py; the decoded rows as parquet."""

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from compress import EmbeddingMatrix
from compress.export import zip_of
from compress.export.for_search import NAMES, export_search, write_parquet
from compress.export.search_index import INDEXED
from compress.files import Temporary, bytes_text
from pages.parts.controls import STAYING
from pages.parts.opened import folded
from pages.parts.quick_fits import Fitted
from pages.parts.say import literal

METRICS = {"ℓ2": "l2", "Inner product": "ip"}
MOST = 1 << 30  # bytes that a browser is sent


def search_export(matrix: EmbeddingMatrix, fit: Fitted, name: str) -> None:
    """A folded panel with both, and the commands that write them."""
    panel = folded("For search and databases", "for_search")
    if not panel.open:
        return
    with panel:
        result, metric = fit.result, "l2"
        indexed = result.method.name in INDEXED
        with st.container(horizontal=True, vertical_alignment="bottom"):
            if indexed:
                metric = METRICS[
                    st.segmented_control("Index by", list(METRICS), default="ℓ2", required=True, key="metric", **STAYING)
                ]
            st.download_button(
                "Index (.zip)" if indexed else "Search folder (.zip)",
                folder_of(matrix, fit, name, metric),
                f"{name}-search.zip",
                "application/zip",
                icon=":material/search:",
                key="search_folder",
                on_click="ignore",
            )
            n, d = result.shape
            if 4 * n * d <= MOST:
                st.download_button(
                    "Decoded (.parquet)",
                    parquet_of(matrix, fit),
                    f"{name}.parquet",
                    "application/octet-stream",
                    icon=":material/table:",
                    key="parquet",
                    on_click="ignore",
                )
        label = result.method.label
        what = (
            "faiss reads index.faiss, whose hits are those of the decoded rows; it compares by ℓ2 or inner product."
            if indexed
            else f"search.py needs NumPy only: it decodes in blocks and gives the nearest rows. faiss has no code of {label}."
        )
        count = len(matrix.columns or ()) + matrix.has_tokens
        beside = f" Names and columns of the rows, {count} in all, travel along." if count else ""
        st.caption(f"{literal(what)} The parquet has the decoded vectors, {bytes_text(4 * n * d)} in float32.{beside}")
        given = ["--metric", metric] if indexed else []
        command = ["python", "-m", "compress", "export", f"{name}.safetensors", "--as", "search", *given, "--out", f"{name}-search"]
        st.code(" ".join(command), language="bash", wrap_lines=True)


def folder_of(matrix: EmbeddingMatrix, fit: Fitted, name: str, metric: str) -> Callable[[], bytes]:
    """What writes the folder and gives it as a zip, once that is asked for; with nothing of Streamlit."""

    def content() -> bytes:
        with Temporary() as folder:
            export_search(fit.result, Path(folder) / f"{name}-search", matrix, metric)
            return zip_of(Path(folder) / f"{name}-search", NAMES)

    return content


def parquet_of(matrix: EmbeddingMatrix, fit: Fitted) -> Callable[[], bytes]:
    """What writes the parquet and gives its bytes."""

    def content() -> bytes:
        with Temporary() as folder:
            write_parquet(fit.result, Path(folder) / "rows.parquet", matrix)
            return (Path(folder) / "rows.parquet").read_bytes()

    return content
