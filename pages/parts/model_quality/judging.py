"""What jobs do with the whole model: tasks, the comparison over settings, healing, fine-tuning."""

import streamlit as st

from compress import EmbeddingMatrix
from compress.models.facts import ModelFacts
from pages.parts.model_quality.compare import comparison_panel, fill_button
from pages.parts.model_quality.controls import asked_tasks
from pages.parts.model_quality.finetune import finetune_panel
from pages.parts.model_quality.heal import healing_panel
from pages.parts.model_quality.records import file_of, judged
from pages.parts.model_quality.tasks import run_button, scores_panel
from pages.parts.quick_fits import Fitted


@st.fragment
def judging(matrix: EmbeddingMatrix, fit: Fitted, facts: ModelFacts | None) -> None:
    """By itself, since what it is set to changes nothing that stands above. facts: None for a matrix without its model."""
    asked, file, scores, name = asked_tasks(facts), file_of(matrix, fit), judged(matrix), fit.result.method.name
    run_button(matrix, file, asked)
    scores_panel(scores, file, name)
    st.subheader("Drop against compression")
    fill_button(matrix, asked, facts)
    comparison_panel(scores)
    if facts is not None:
        st.subheader("Healing")
        healing_panel(matrix, fit, file, asked, facts)
        finetune_panel(matrix, file, asked, facts, name)
