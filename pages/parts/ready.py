"""What the first visitor of a new server would wait for, done as it starts: modules are read, and what pages show first of the demo
is computed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib import import_module
from pathlib import Path
from threading import Thread
from time import sleep

import streamlit as st

from compress import InputError
from compress.threads import one_thread
from pages.parts.cached import cached
from pages.parts.matrix import open_matrix
from pages.parts.work.ahead import ON

PARTS = Path(__file__).parent
LATER = ("sklearn.datasets", "torch", "transformers")  # which take seconds; Filters, Model quality and Export need them
REST = 15.0  # seconds before those, for whoever came at once


@asynccontextmanager
async def ready(app: st.App) -> AsyncIterator[None]:
    """The life of the server: a thread gets ready, unless nothing is to be done ahead."""
    if ON:
        Thread(target=get_ready, daemon=True).start()
    yield


def get_ready() -> None:
    with suppress(InputError), one_thread():  # a demo that is not there is told on the page
        open_demo()
    for file in sorted(PARTS.rglob("[a-z]*.py")):
        import_module(".".join(("pages", "parts", *file.relative_to(PARTS).with_suffix("").parts)))
    sleep(REST)
    for name in LATER:
        import_module(name)


@cached(1)  # calls inside a cached one draw no spinner, for which there is no page
def open_demo() -> None:
    """The matrix, and all that Spectrum and Trade-offs show of it; read here, for the server answers sooner without them."""
    from pages.parts.spectrum.answers import spectrum_answers
    from pages.parts.tradeoffs.budget import budgets_of
    from pages.parts.tradeoffs.chart import chart_of
    from pages.parts.tradeoffs.points import points_of
    from pages.parts.tradeoffs.settings import RELATIVE

    matrix = open_matrix("demo", None)
    spectrum_answers(matrix, 16)
    points = points_of(matrix, RELATIVE, ())
    budgets_of(matrix, points, RELATIVE, False)
    chart_of(matrix, points, RELATIVE, (), False)
