"""What can bits restore?"""

import streamlit as st

from pages.parts.frame import through_app
from pages.parts.hash_codes.cards import hash_cards
from pages.parts.hash_codes.fits import coded
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

with st.container(horizontal=True, vertical_alignment="center", key="status"):
    pin_button(method, "pin_hash")
    status_words(matrix, method, code)
hash_cards(matrix, code)

left, right = st.columns(2)
code_panels(code)
with left:  # filled late, so that the full fit starts when the preview is on its way
    training(matrix, method, code)
with right:  # last, since the parts of a finished code take seconds to measure
    against_bits(matrix, code)
with st.expander("Formula and source"):
    st.markdown(FORMULA)
