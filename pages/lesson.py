"""What is a flat, anyway?"""

from dataclasses import replace
from importlib import import_module

import streamlit as st

from pages.parts.frame import through_app
from pages.parts.lesson.controls import noise_toggle, presenter_button, scene_picker, seed_control, step_buttons
from pages.parts.lesson.keys import keys
from pages.parts.lesson.look import presenter_look
from pages.parts.lesson.save import save_button
from pages.parts.lesson.state import current, keep

ANSWER = (
    "A flat is a line, a plane, or the same in more dimensions. Where the rows of a table lie near a few flats, a few numbers say "
    "where each row is. Five scenes, from there to the words of a language model."
)

through_app()

lesson = current()
scene = import_module(f"pages.parts.lesson.scene{lesson.scene}")
if lesson.step > (scene.STEPS or 0):
    lesson = replace(lesson, step=scene.STEPS or 0)
    keep(lesson)

if lesson.presenter:
    presenter_look()
    keys()
else:
    st.title("What is a flat, anyway?")
    st.markdown(ANSWER)
scene_picker(lesson)
words, picture = st.columns([3, 7]) if lesson.presenter else (st.container(), st.container())
with words:
    st.header(f"{lesson.scene}. {scene.QUESTION}", anchor=False)
    st.markdown(scene.SEE)
    with st.container(horizontal=True, vertical_alignment="bottom", key="lesson_steps"):
        step_buttons(lesson, scene.STEPS)
        seed_control(lesson, scene.SEED)
        noise_toggle(lesson)
    if lesson.noise:
        st.markdown(f"**Noise.** {scene.NOISE}")
with picture, st.container(key="lesson_picture", height=600 if lesson.presenter else "content", border=False):
    says, figure = scene.draw(lesson)
with words if lesson.presenter else st.container():
    with st.container(horizontal=True, key="lesson_foot"):
        save_button(says, figure, lesson, scene)
        presenter_button(lesson)
    with st.expander("What people ask here"):
        st.markdown("\n\n".join(f"**{question}** {answer}" for question, answer in scene.ASKED))
    with st.expander("The maths"):
        st.markdown(scene.MATHS)
