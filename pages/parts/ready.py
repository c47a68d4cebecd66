"""What the first visitor of a new server would wait for, done as it starts: modules are read, and what pages show first of the demo
is computed or read."""

import inspect
import sys
from asyncio import create_task
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib import import_module
from pathlib import Path
from threading import Thread
from time import sleep

import streamlit as st

from compress import EmbeddingMatrix, InputError, ProjectiveClustering, cache
from compress.analysis.scatter import shipped_map
from compress.answers import tables
from compress.answers.subspaces import tables_of
from compress.guard import apart
from compress.threads import one_thread
from pages.parts.cached import cached
from pages.parts.matrix import open_matrix
from pages.parts.visitors import close_those_gone, few_heaps
from pages.parts.work.ahead import ON
from pages.parts.work.process import leave, prepare
from pages.parts.work.queue import QUEUE

PARTS = Path(__file__).parent
LATER = ("sklearn.datasets", "torch", "transformers")  # which take seconds; Filters, Model quality and Export need them
SWITCH = 0.0005  # seconds after which a session's thread lets others in: one that sends much lets go often, and waits each time
REST = 15.0  # seconds of rest for whoever came at once, and from when a dial was moved


@asynccontextmanager
async def ready(app: st.App) -> AsyncIterator[None]:
    """The life of the server: a thread gets ready, unless nothing is to be done ahead, and sessions are closed that are left."""
    few_heaps()
    sys.setswitchinterval(SWITCH)
    Thread(target=cache.tidy, daemon=True).start()
    if ON:
        Thread(target=get_ready, daemon=True).start()
    closing = create_task(close_those_gone())
    try:
        yield
    finally:
        cache.leave()
        leave()
        closing.cancel()


def get_ready() -> None:
    """One step after the other; who has come meanwhile is served first."""
    with one_thread():  # from first to last: a visitor's products would wait for those of this thread
        for step in (prepare, find_modules, open_demo, open_spectrum, open_tradeoffs, open_subspaces, open_names, *LAST):
            if QUEUE.sessions or step is LAST[-1]:
                rest()
            with suppress(InputError):  # a demo that is not there is told on the page
                step()


def rest() -> None:
    sleep(REST)
    while QUEUE.moved(REST):
        sleep(1)


def find_modules() -> None:
    """Has Python look up the file of every module, which Streamlit asks for before it draws the first element of a server."""
    inspect.stack()


def read_modules() -> None:
    for file in sorted(PARTS.rglob("[a-z]*.py")):
        import_module(".".join(("pages", "parts", *file.relative_to(PARTS).with_suffix("").parts)))


def read_libraries() -> None:
    for name in LATER:
        import_module(name)


@cached(1)  # calls inside a cached one draw no spinner, for which there is no page
def open_demo() -> EmbeddingMatrix:
    matrix = open_matrix("demo", None)
    _ = matrix.axes
    return matrix


def open_spectrum() -> None:
    from pages.parts.spectrum.answers import spectrum_answers  # read in the thread: the server answers sooner

    spectrum_answers(open_demo(), 16)


def open_tradeoffs() -> None:
    from pages.parts.tradeoffs.budget import budgets_of
    from pages.parts.tradeoffs.chart import chart_of
    from pages.parts.tradeoffs.points import points_of
    from pages.parts.tradeoffs.settings import RELATIVE

    matrix = open_demo()
    points = points_of(matrix, RELATIVE, ())
    budgets_of(matrix, points, RELATIVE, False)
    chart_of(matrix, points, RELATIVE, (), False)


def open_subspaces() -> None:
    from pages.parts.subspaces.settings import SUBSPACES

    matrix = open_demo()
    method = ProjectiveClustering(k=SUBSPACES.k.usual(matrix.shape), j=SUBSPACES.j.usual(matrix.shape))
    for name, settings in tables_of(method, matrix.shape).items():
        tables.shipped(tables.file_name(matrix.key, name, settings))


def open_names() -> None:
    """Of the groups on the demo's map."""
    from pages.parts.subspaces.group_names import Spoken, id_of, of_words, shown_id

    matrix = open_demo()
    positions = shipped_map(matrix)
    if positions is not None:
        of_words(Spoken(id_of(matrix, shown_id("UMAP", True), None), positions, matrix.tokens))


LAST = apart.prepare, read_modules, read_libraries  # which nobody waits for on a first page
