"""The text that a model is judged or healed by: the built-in one, or a file of the person's."""

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from compress import InputError
from compress.tasks.texts import read_texts
from pages.parts.cached import cached
from pages.parts.controls import STAYING
from pages.parts.say import literal, refused
from pages.parts.uploads import kept_upload

KINDS = ["Built-in", "Upload"]
DOCUMENTATION = "documentation of installed packages"


@dataclass(frozen=True)
class Text:
    """path: None for the built-in text. key: what tells its content."""

    path: str | None = None
    key: str = "built-in"


def text_choice(name: str, built_in: str = DOCUMENTATION) -> Text | None:
    """The text that was chosen; None while a file is still to be given, or where it cannot be used."""
    about = f"Built-in: {built_in}. Upload: a line is a text, or a .json list."
    kind = st.segmented_control("Text", KINDS, default=KINDS[0], required=True, key=f"{name}_text", help=about, **STAYING)
    if kind != "Upload":
        return Text()
    held = st.file_uploader("File of texts", key=f"{name}_upload", help="UTF-8, a line is a text; or a .json list of texts.")
    if held:
        st.session_state[f"{name}_path"] = kept_upload(held, f"{name}_texts")
    path = st.session_state.get(f"{name}_path")
    if not path:
        return None
    try:
        count = count_of(path)
    except InputError as error:
        refused(error)
        return None
    st.caption(f"{literal(Path(path).name)}: {count:,} texts.")
    return Text(path, Path(path).parent.name)


@cached(4)
def count_of(path: str) -> int:
    return len(read_texts(path))
