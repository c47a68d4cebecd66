"""Words that come from a person or a file, shown as text and nothing else."""

import streamlit as st


def literal(text: str) -> str:
    """Text as Markdown shows it, with nothing read as a mark."""
    return "".join(f"\\{letter}" if letter in r"\`*_{}[]()<>#+-.!|$~:^=" else letter for letter in text)


def refused(error: Exception | str) -> None:
    """What was refused, why, and what to do, in the sentence of the error."""
    st.error(literal(str(error)), icon=":material/error:")
