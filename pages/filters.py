"""Which filters does a network need?"""

import streamlit as st

from pages.parts.dial.figures import figures
from pages.parts.filters.answers import filter_answers, filter_figures
from pages.parts.filters.compare import comparison
from pages.parts.filters.export import downloads
from pages.parts.filters.fits import path, pruned, studied
from pages.parts.filters.maps import maps_panel
from pages.parts.filters.network import chosen_network
from pages.parts.filters.panels import layer_charts, sensitivity_chart, space_choice
from pages.parts.filters.retrain import retraining
from pages.parts.filters.settings import FILTERS
from pages.parts.filters.words import ABOUT, DIGITS, FORMULA, held_words
from pages.parts.frame import through_app
from pages.parts.say import refused, waiting

through_app()

st.title("Which filters does a network need?")
st.markdown(ABOUT)
subject = chosen_network()
known = outcome = None
if subject is not None:
    setting = FILTERS.controls()
    try:
        known = studied(subject, setting.over)
        with waiting("Pruning and judging …", show_time=not subject.quick):
            outcome = pruned(subject, setting)
    except ValueError as error:
        refused(error)

if outcome is not None:
    cards = st.container(gap=None)
if known is not None:
    st.caption(
        f"Sensitivities come from {known.points} pictures that are not judged on; figures are of {len(subject.judge):,} others"
        + (", which no training has seen." if subject.quick else ".")
    )
if outcome is not None:
    st.subheader("Sensitivities")
    space = space_choice(known)
    with cards:
        answers = filter_answers(subject, path(subject, setting), space.name)
        figures(filter_figures(subject, outcome.report, outcome.loss), answers={FILTERS.keep.key: answers})
    sensitivity_chart(known, outcome, space, setting)
    layer_charts(subject, known, outcome, setting)
if known is not None:
    st.subheader("Against other ways of choosing")
    comparison(subject, outcome, setting)
if outcome is not None:
    retraining(subject, setting)
    st.subheader("Feature maps")
    maps_panel(subject, known, outcome, space)
    st.subheader("Take it with you")
    downloads(subject, outcome, setting)
with st.expander("Formula and source"):
    st.markdown(FORMULA)
    if known is not None:
        st.markdown(held_words(known))
        if subject.quick:
            st.markdown(DIGITS)
