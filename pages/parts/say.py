"""Words that come from a person or a file, shown as text and nothing else."""

import streamlit as st

from compress.export.card import MARKS, escaped

MORE_MARKS = "{}()+-.!~:^="  # that Markdown has at the start of a line, and Streamlit adds


def literal(text: str) -> str:
    """Text as Markdown shows it, with nothing read as a mark."""
    return escaped(text, MARKS + MORE_MARKS)


def bold(text: str) -> str:
    """The same in bold, which Markdown refuses to words that a space begins or ends, as a token's may."""
    return f"**{literal(text.strip())}**" if text.strip() else "**␣**"


def refused(error: Exception | str) -> None:
    """What was refused, why, and what to do, in the sentence of the error."""
    st.error(literal(str(error)), icon=":material/error:")
