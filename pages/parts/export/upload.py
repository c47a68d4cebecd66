"""A compressed file that a person brings, against the matrix that is open."""

from pathlib import Path

import streamlit as st

import compress
from compress import Compressed, EmbeddingMatrix, InputError
from compress.files import Temporary
from pages.parts.cached import cached
from pages.parts.cards import cards
from pages.parts.pins import describe
from pages.parts.quick_fits import Fitted
from pages.parts.say import refused


@st.fragment
def file_check(matrix: EmbeddingMatrix) -> None:
    """Reads a file and shows what it loses of the open matrix, or says why it cannot."""
    held = st.file_uploader(
        "A compressed file", type=["safetensors"], key="check_file", help="Stays on the machine that runs this app."
    )
    if held is None:
        return
    try:
        result = read(held.getbuffer())
    except InputError as error:
        refused(error)
        return
    name = f"{describe(result.method)}, of a matrix of {result.shape[0]:,} × {result.shape[1]:,}"
    if result.shape != matrix.shape:
        n, d = matrix.shape
        st.warning(
            f"This file holds {name}. The open matrix is {n:,} × {d:,}, so the two cannot be compared; open the matrix that it was "
            "made from.",
            icon=":material/warning:",
        )
        return
    if result.digest != matrix.digest:
        st.warning(
            f"This file holds {name}, but it was made from another matrix of that shape. The figures compare it with the open one.",
            icon=":material/warning:",
        )
    else:
        st.success(f"This file holds {name}: the one that is open.", icon=":material/check:")
    cards(matrix, against(matrix, result).evaluation, key="cards_of_file")


@cached(2, "Reading the file …")
def read(content: memoryview) -> Compressed:
    with Temporary() as folder:
        path = Path(folder) / "The file.safetensors"  # named as messages should name it
        path.write_bytes(content)
        return compress.load(path, guarded=True)


@cached(2, "Decoding the file …")
def against(matrix: EmbeddingMatrix, result: Compressed) -> Fitted:
    return Fitted(result, compress.evaluate(matrix, result))
