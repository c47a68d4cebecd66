"""The figures that matter, side by side in cards, and sentences; both are answered while a dial moves."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict

import streamlit as st

from pages.parts.dial.answers import Answers, Figure, source, stands, tell_all

BESIDE = 330  # pixels
NARROW = """<style>@media (max-width: 480px) {
[data-testid="stLayoutWrapper"]:has(> [class*="-beside"]) { flex: 1 1 100%; }
}</style>"""  # what stands below the cards is as wide as they are

_figures = st.components.v2.component(
    "flatland_figures",
    html='<div class="figures"></div>',
    css=source("shared.css", "figures.css"),
    js=source("answers.js", "help.js", "figures.js"),
)
_sentence = st.components.v2.component(
    "flatland_sentence",
    html='<p class="sentence"></p>',
    css=source("shared.css", "figures.css"),
    js=source("answers.js", "sentence.js"),
)


def figures(
    cards: Sequence[Figure],
    key: str = "cards",
    answers: Mapping[str, Answers] | None = None,
    beside: Callable[[], None] | None = None,
) -> None:
    """A row of cards. answers: what the page shows for every value of a dial, by the key of its setting. beside: what draws a card
    of another kind, which stands to the right of them, or below where there is no room."""
    with st.container(horizontal=True, key=f"{key} row") if beside else nullcontext():
        with st.container(gap=None, key=key, width="stretch"):
            _figures(key=f"{key} figures", data={"key": key, "at": dict(stands()), "cards": [asdict(card) for card in cards]})
            tell_all(answers or {})
        if beside:
            st.html(NARROW)
            with st.container(gap=None, key=f"{key} beside", width=BESIDE):
                beside()


def sentence(text: str, key: str, strong: bool = False) -> None:
    """A sentence in small print, or a strong one, that a dial's answers may say otherwise; plain text."""
    _sentence(key=f"{key} sentence", data={"key": key, "at": dict(stands()), "text": text, "strong": strong})
