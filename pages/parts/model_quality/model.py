"""What the swap does to the whole model: its class, its bytes, its output layer."""

import streamlit as st

from compress import Evaluation
from compress.files import bytes_text
from pages.parts.say import bold

OUTPUTS = {
    "compressed": "Its output layer shares the table and computes with the compressed form too: each forward pass decodes the "
    'whole table, which is slower. `output="own"` keeps it dense instead, and saves less.',
    "own": "Its output layer shared the table and keeps it dense, as its own.",
    "as it was": "Its output layer has weights of its own and stays as it was.",
    "none": "It has no output layer that shares the table.",
}


def swap_words(evaluation: Evaluation, swap: dict | None, has_model: bool) -> None:
    """The model before and after. swap: what any task that ran the model told of it."""
    if swap is None:
        if has_model:
            st.caption("What the swap does to the whole model is told here once a task has opened it.")
        return
    before, table = swap["model_bytes_before"], swap["embedding_bytes_before"]
    after = before - table + evaluation.n_bytes
    st.caption(
        f"In the whole model, {bold(swap['model'])}: {bytes_text(before)} in float32 become {bytes_text(after)}, "
        f"{1 - after / before:.0%} less; the table is {table / before:.0%} of it. {OUTPUTS[swap['output']]}"
    )
