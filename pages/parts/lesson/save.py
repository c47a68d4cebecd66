"""A picture as one file that any browser opens, without the app and without a network."""

from collections.abc import Callable
from html import escape
from types import ModuleType

import plotly.graph_objects as go
import streamlit as st

from pages.parts.lesson.state import Lesson


def page_of(chart: go.Figure, question: str, *lines: str) -> str:
    """The figure under its question and sentences, plotly's script included."""
    words = f"<h1>{escape(question)}</h1>" + "".join(f"<p>{escape(line)}</p>" for line in lines)
    style = "<style>body{font-family:sans-serif;margin:1.5rem}h1{font-size:1.5rem}</style>"
    page = chart.to_html(include_plotlyjs=True, config={"responsive": True, "displaylogo": False})
    head = f'<html lang="en"><head><title>{escape(question)}</title><meta name="viewport" content="width=device-width">{style}'
    return page.replace("<html>\n<head>", head, 1).replace("<body>", f"<body>{words}", 1)


def lines_of(says: str, lesson: Lesson, scene: ModuleType) -> list[str]:
    """What stands above a saved picture: what to see, what noise shows, the step, and what the picture says at it."""
    noise = [f"Noise. {scene.NOISE}"] if lesson.noise else []
    step = "" if scene.STEPS is None else f"Step {lesson.step} of {scene.STEPS}. "
    return [scene.SEE, *noise, step + says]


def save_button(says: str, figure: Callable[[], go.Figure], lesson: Lesson, scene: ModuleType) -> None:
    """A download whose file is made when it is asked for."""
    name = f"lesson-scene-{lesson.scene}-step-{lesson.step}-seed-{lesson.seed}{'-noise' if lesson.noise else ''}.html"
    st.download_button(
        "Save as HTML",
        lambda: page_of(figure(), scene.QUESTION, *lines_of(says, lesson, scene)).encode(),
        name,
        "text/html",
        key="lesson_save",
        icon=":material/download:",
        on_click="ignore",
        help="This picture as one file of about 5 MB that opens without the app.",
    )
