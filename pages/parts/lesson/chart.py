"""A scene's picture on the page, with larger type where a lecturer presents."""

from collections.abc import Sequence

import plotly.graph_objects as go

from pages.parts.dial.answers import Mark
from pages.parts.lesson.state import Lesson
from pages.parts.live_chart.live_chart import live_chart

LARGER = 1.35  # a presenter's type, times the usual


def show(chart: go.Figure, lesson: Lesson, *, key: str, alt: str, marks: Sequence[Mark] = ()) -> None:
    """Draws a scene's figure, for a presenter as high as the window leaves. alt: what a screen reader says. Every scene shows its
    figure through this."""
    if lesson.presenter:
        chart = go.Figure(chart)
        chart.update_layout(font_size=13 * LARGER)
        chart.for_each_annotation(lambda each: each.update(font_size=(each.font.size or 12) * LARGER))
    live_chart(chart, key=key, alt=said(alt, lesson), fill=lesson.presenter, tools=False, of="lesson", marks=marks)


def said(alt: str, lesson: Lesson) -> str:
    """What a screen reader says of a picture of the lesson."""
    return f"Noise: {alt}" if lesson.noise else alt
