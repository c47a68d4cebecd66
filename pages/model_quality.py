"""What does the model lose?"""

import streamlit as st

from compress.models.open import facts_of
from pages.parts.cards import cards
from pages.parts.export.choice import setting_choice
from pages.parts.frame import through_app
from pages.parts.importance import importance_choice
from pages.parts.matrix import chosen, current_matrix
from pages.parts.model_quality.changed import changed_table, error_chart
from pages.parts.model_quality.judging import judging
from pages.parts.model_quality.model import swap_words
from pages.parts.model_quality.near import near, token_choice
from pages.parts.model_quality.records import judged, swap_of
from pages.parts.model_quality.search import search_panel
from pages.parts.model_quality.words import FORMULA
from pages.parts.quick_fits import awaited

through_app()

matrix = current_matrix()
facts = facts_of(chosen()[0])
whole = facts is not None

st.title("What does the model lose?")
method = setting_choice(matrix)
waiting = "Neighbours, tasks and healing come when the full fit is done; it is kept on disk."
fit = awaited(matrix, method, waiting, importance_choice(matrix))
if fit is None:
    st.stop()

cards(matrix, fit.evaluation, felt=fit.felt)
swap_words(fit.evaluation, swap_of(judged(matrix)), whole)

st.subheader("Neighbours")
if matrix.shape[0] > 1:
    near(matrix, fit, token_choice(matrix))
    left, right = st.columns(2)
    with right:
        st.markdown("**Error along the rows**")
        error_chart(matrix, fit)

st.subheader("Search")
search_panel(matrix, fit, facts)

st.subheader("Tasks")
if not whole:
    st.info(
        "This matrix comes without its model, so only neighbours and search can be compared. For tasks and healing open the demo, "
        "the folder of a transformers model or a Hugging Face model in the sidebar.",
        icon=":material/info:",
    )
if matrix.shape[0] > 1:
    judging(matrix, fit, facts)
with st.expander("How to read, and sources"):
    st.markdown(FORMULA)
if matrix.shape[0] > 1:
    with left:  # filled last: it takes seconds where the matrix is large
        st.markdown(f"**{matrix.row_word.capitalize()}s whose neighbourhood changed most**")
        changed_table(matrix, fit)
