"""Words that come from a person or a file, shown as text and nothing else."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from compress.export.card import MARKS, escaped
from pages.parts.paths import told

MORE_MARKS = "{}()+-.!~:^="  # that Markdown has at the start of a line, and Streamlit adds


def literal(text: str) -> str:
    """Text as Markdown shows it, with nothing read as a mark."""
    return escaped(text, MARKS + MORE_MARKS)


def sentence(text: Exception | str) -> str:
    """What the library says, as text, with the names of files and, for others than this machine, not where they lie."""
    return literal(told(str(text)))


def bold(text: str) -> str:
    """The same in bold, which Markdown refuses to words that a space begins or ends, as a token's may."""
    return f"**{literal(text.strip())}**" if text.strip() else "**␣**"


def refused(error: Exception | str) -> None:
    """What was refused, why, and what to do, in the sentence of the error."""
    st.error(sentence(error), icon=":material/error:")


@contextmanager
def waiting(words: str, show_time: bool = False) -> Iterator[None]:
    """Tells what a page waits for, in a place of its own: between other elements it has the browser draw anew all that follow."""
    with st.container(), st.spinner(words, show_time=show_time):
        yield
