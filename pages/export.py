"""Take it with you."""

import streamlit as st

from compress import InputError
from compress.export.card import smaller
from compress.sources.weights import UNIFORM
from pages.parts.cards import cards
from pages.parts.export.choice import setting_choice
from pages.parts.export.code import model_of, python_code, shell_code
from pages.parts.export.file import check_table, file_name, saved
from pages.parts.export.folder import folder_export
from pages.parts.export.search import search_export
from pages.parts.export.upload import file_check
from pages.parts.export.whole_model import whole_model
from pages.parts.frame import through_app
from pages.parts.importance import importance_choice
from pages.parts.matrix import asked_texts, chosen, chosen_weights, current_matrix, linked_texts
from pages.parts.paths import spelled
from pages.parts.quick_fits import awaited
from pages.parts.say import refused, sentence
from pages.parts.uploads import is_upload

through_app()

matrix = current_matrix()
source, tensor = chosen()

st.title("Take it with you")
method = setting_choice(matrix)
waiting = "The file comes when the full fit is done; it is kept on disk, so that next time the file is here at once."
fit = awaited(matrix, method, waiting, importance_choice(matrix))

if fit:
    cards(matrix, fit.evaluation, method, felt=fit.felt)
    name = file_name(matrix, fit.result, fit.felt is not None)
    try:
        file, model = saved(matrix, fit, name), model_of(source, tensor, fit.result)
    except InputError as error:
        refused(error)
        st.stop()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            "Download",
            file.path.read_bytes,
            name,
            "application/octet-stream",
            icon=":material/download:",
            type="primary",
            on_click="ignore",
        )
        slot = st.empty()
        st.caption(
            f"{name}: {file.n_bytes:,} bytes on disk, of which {fit.result.n_bytes:,} are stored numbers and "
            f"{file.n_bytes - fit.result.n_bytes:,} the header that says how to decode them."
        )
    with st.container():  # a place of its own, so that nothing below moves up while it is filled
        folder_export(slot, matrix, fit, name.removesuffix(".safetensors"), model)
    left, right = st.columns(2)
    with left:
        st.subheader("What the file gives back")
        check_table(file.checks)
    with right:
        st.subheader("Code that loads it")
        st.code(python_code(name, spelled(source), model), language="python", wrap_lines=True)
        if model is not None:
            st.caption(smaller(model.swapped) if model.swapped else sentence(f"The model cannot take it: {model.no_swap}."))
        weights = chosen_weights()
        weights = None if weights == UNIFORM or is_upload(weights.partition(":")[2]) else spelled(weights)
        asked = {} if is_upload(asked_texts().get("columns", "")) else linked_texts()
        shell = shell_code(name, None if is_upload(source) else spelled(source), tensor=tensor, **asked, weights=weights)
        st.code(shell, language="bash", wrap_lines=True)
    search_export(matrix, fit, name.removesuffix(".safetensors"))
    whole_model(fit, name.removesuffix(".safetensors"), source, tensor, model)
st.subheader("Check a file")
file_check(matrix)
with st.expander("Format and source"):
    st.markdown(
        "The file is in the safetensors format: named arrays, and a JSON header that names the format's version, the method, its "
        "settings, the shape and a digest of the matrix. Nothing in it is ever run, and no pickle is read or written. Only rows "
        "that are asked for are decoded: a row is its coefficients times the basis of its subspace, or its whole numbers times "
        "its step. In a model the layer takes the table's place wherever it is used: where ids are looked up, and in an output "
        "layer that is tied to it. The model's files then hold the stored numbers and no table."
    )
