"""The folder that works without this project, as an archive: made when asked for, with what lies in it."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from compress import EmbeddingMatrix
from compress.export import Exported, exported, zip_of
from compress.export.card import in_onnx
from pages.parts.cached import cached
from pages.parts.pins import describe
from pages.parts.quick_fits import Fitted

WHAT = {
    "embedding.safetensors": "the compressed table",
    "load.py": "reads it; needs torch and safetensors only",
    "README.md": "the model card",
    "embedding.onnx": "the layer for onnxruntime",
}


@dataclass(frozen=True, eq=False)
class Archive:
    """An export, and its files as a zip."""

    done: Exported
    content: bytes


@cached(2, "Writing the folder and checking the ONNX layer …")
def archive(matrix: EmbeddingMatrix, fit: Fitted, name: str) -> Archive:
    with tempfile.TemporaryDirectory(prefix="flatland-", ignore_cleanup_errors=True) as folder:
        done = exported(fit.result, Path(folder) / name, matrix, fit.evaluation)
        return Archive(done, zip_of(done.folder))


def folder_export(slot, matrix: EmbeddingMatrix, fit: Fitted, name: str) -> None:
    """In the slot the button that makes the folder, and once it is made the one that downloads it; here what lies in it."""
    asked = f"{matrix.key} {describe(fit.result.method)}"
    wanted = st.session_state.get("folder_asked") == asked
    slot.button(
        "Folder (.zip)",
        icon=":material/folder_zip:",
        key="folder",
        on_click=ask,
        args=[asked],
        disabled=wanted,
        help="Writes a folder that works without this program: the file, load.py, a model card, the layer in ONNX.",
    )
    if not wanted:
        return
    made = archive(matrix, fit, name)
    slot.download_button(
        "Download the folder (.zip)",
        made.content,
        f"{name}.zip",
        "application/zip",
        icon=":material/folder_zip:",
        on_click="ignore",
    )
    contents(made)


def ask(asked: str) -> None:
    st.session_state["folder_asked"] = asked


def contents(made: Archive) -> None:
    rows = [[f"`{name}`", f"{n_bytes:,}", WHAT[name]] for name, n_bytes in made.done.sizes.items()]
    lines = [["file", "bytes", ""], ["---", "---:", "---"], *rows]
    st.markdown("\n".join("| " + " | ".join(line) + " |" for line in lines))
    st.caption(f"{len(made.content):,} bytes as a zip. {in_onnx(made.done.difference, made.done.no_onnx)}")
    with st.expander("Model card"):
        st.code(made.done.card, language="markdown", wrap_lines=True)
