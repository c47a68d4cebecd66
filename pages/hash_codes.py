"""What can bits restore?"""

import streamlit as st

from pages.parts.dial.figures import figures
from pages.parts.dial.worst import worst_rows
from pages.parts.frame import through_app
from pages.parts.hash_codes.answers import answers_of, curves_of, rivals_of
from pages.parts.hash_codes.cards import hash_figures
from pages.parts.hash_codes.fits import alike, coded, whole_of
from pages.parts.hash_codes.panels import against_bits, code_panels
from pages.parts.hash_codes.settings import HASH_CODES
from pages.parts.hash_codes.training import status_words, training
from pages.parts.hash_codes.words import FORMULA
from pages.parts.matrix import current_matrix
from pages.parts.pins import pin_button

through_app()

matrix = current_matrix()

st.title("What can bits restore?")
method = HASH_CODES.controls(matrix)
code = coded(matrix, method)
shown = code.method if code else method  # of a fit that was stopped, what is finished
curves = curves_of(matrix, shown)
told = whole_of(code).figures if code else curves.told([method])[0]

with st.container(horizontal=True, vertical_alignment="center", key="status"):
    pin_button(method, "pin_hash")
    status_words(matrix, method, code, curves)
rivals = rivals_of(matrix, shown)
figures(
    hash_figures(matrix, shown, told, rivals),
    answers=answers_of(matrix, shown, curves, rivals),
    beside=lambda: worst_rows(matrix, code.evaluation if code else None),
)

left, right = st.columns(2)
code_panels(code or alike(matrix, method), behind=code is None)
with left:  # filled late, so that the full fit starts when the preview is on its way
    training(matrix, method, code)
with right:  # last, since the parts of a finished code take seconds to measure
    against_bits(matrix, shown, code, told, curves)
with st.expander("Formula and source"):
    st.markdown(FORMULA)
