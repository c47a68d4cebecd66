"""Words that come from a person or a file, shown as text and nothing else."""

import streamlit as st

from compress.export.card import MARKS, escaped

MORE_MARKS = "{}()+-.!~:^="  # that Markdown has at the start of a line, and Streamlit adds


def literal(text: str) -> str:
    """Text as Markdown shows it, with nothing read as a mark."""
    return escaped(text, MARKS + MORE_MARKS)


def refused(error: Exception | str) -> None:
    """What was refused, why, and what to do, in the sentence of the error."""
    st.error(literal(str(error)), icon=":material/error:")
