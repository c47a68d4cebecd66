"""The folder that works without this project, as an archive: made when it is downloaded, with what lies in it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Lock

import streamlit as st

from compress import EmbeddingMatrix
from compress.export import Exported, exported, zip_of
from compress.export.card import in_onnx
from compress.files import Temporary
from compress.models.foreseen import Foreseen
from pages.parts.cached import cached
from pages.parts.quick_fits import Fitted
from pages.parts.say import refused

WHAT = {
    "embedding.safetensors": "the compressed table",
    "load.py": "reads it and puts it into a model; needs torch and safetensors only",
    "README.md": "the model card",
    "embedding.onnx": "the layer for onnxruntime",
}


@dataclass(frozen=True, eq=False)
class Archive:
    """An export, and its files as a zip."""

    done: Exported
    content: bytes


@cached(2)
def archive(matrix: EmbeddingMatrix, fit: Fitted, name: str, model: Foreseen | None) -> Callable[[], Archive]:
    """What makes the archive when it is first called and gives it from then on. The browser's request and the script call it at
    once, each on a thread of its own; one of them makes it, with nothing of Streamlit."""
    lock, once = Lock(), cache(lambda: made(matrix, fit, name, model))

    def ask() -> Archive:
        with lock:
            return once()

    return ask


def made(matrix: EmbeddingMatrix, fit: Fitted, name: str, model: Foreseen | None) -> Archive:
    with Temporary() as folder:
        done = exported(fit.result, Path(folder) / name, matrix, fit.evaluation, model=model)
        return Archive(done, zip_of(done.folder))


def folder_export(slot, matrix: EmbeddingMatrix, fit: Fitted, name: str, model: Foreseen | None) -> None:
    """In the slot the button that makes the folder and downloads it; here, once that was asked for, what lies in it."""
    asked, made_once = f"{matrix.key} {fit.result.method}", archive(matrix, fit, name, model)
    slot.download_button(
        "Folder (.zip)",
        lambda: made_once().content,
        f"{name}.zip",
        "application/zip",
        icon=":material/folder_zip:",
        key="folder",
        on_click=ask,
        args=[asked],
        help="A folder that works without this program: the file, load.py, a model card, the layer in ONNX.",
    )
    if st.session_state.get("folder_asked") != asked:
        return
    try:
        with st.spinner("Writing the folder and checking the ONNX layer …"):
            there = made_once()
    except (ValueError, OSError) as error:
        refused(f"The folder cannot be written: {getattr(error, 'strerror', None) or error}.")
        return
    contents(there)


def ask(asked: str) -> None:
    st.session_state["folder_asked"] = asked


def contents(there: Archive) -> None:
    rows = [[f"`{name}`", f"{n_bytes:,}", WHAT[name]] for name, n_bytes in there.done.sizes.items()]
    lines = [["file", "bytes", ""], ["---", "---:", "---"], *rows]
    st.markdown("\n".join("| " + " | ".join(line) + " |" for line in lines))
    st.caption(f"{len(there.content):,} bytes as a zip. {in_onnx(there.done.difference, there.done.no_onnx)}")
    with st.expander("Model card"):
        st.code(there.done.card, language="markdown", wrap_lines=True)
