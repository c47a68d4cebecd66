"""A picture as one file that any browser opens, without the app and without a network."""

from html import escape

import plotly.graph_objects as go
import streamlit as st

from pages.parts.lesson_state import Lesson


def page_of(chart: go.Figure, question: str, see: str) -> str:
    """The figure under its question and sentence, plotly's script included."""
    words = f"<h1>{escape(question)}</h1><p>{escape(see)}</p>"
    style = "<style>body{font-family:sans-serif;margin:1.5rem}h1{font-size:1.5rem}</style>"
    page = chart.to_html(include_plotlyjs=True, config={"responsive": True, "displaylogo": False})
    head = f'<html lang="en"><head><title>{escape(question)}</title><meta name="viewport" content="width=device-width">{style}'
    return page.replace("<html>\n<head>", head, 1).replace("<body>", f"<body>{words}", 1)


def save_button(chart: go.Figure, lesson: Lesson, question: str, see: str) -> None:
    """A download whose file is made when it is asked for."""
    name = f"lesson-scene-{lesson.scene}-step-{lesson.step}-seed-{lesson.seed}{'-noise' if lesson.noise else ''}.html"
    st.download_button(
        "Save as HTML", lambda: page_of(chart, question, see).encode(), name, "text/html", key="lesson_save",
        icon=":material/download:", on_click="ignore", help="This picture as one file of about 5 MB that opens without the app.",
    )  # fmt: skip
