"""Long work that a session asks for: a command of `python -m compress` by a name, run in its turn."""

import json
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from compress import EmbeddingMatrix, cache
from pages.parts.matrix import asked_texts, chosen
from pages.parts.weights import weights_option
from pages.parts.work.job import Job
from pages.parts.work.queue import QUEUE, Session


@st.cache_resource(scope="session", show_spinner=False, on_release=QUEUE.part)
def arrived() -> Session:
    """The session while its browser is connected."""
    return Session()


def here() -> Session:
    """What this session has asked for."""
    session = arrived()
    session.jobs = st.session_state.setdefault("jobs", {})
    session.closed = not connected()  # a script goes on for a moment when its browser is gone
    QUEUE.enter(session)
    return session


def connected() -> bool:
    """Whether the browser of the session is there."""
    run = get_script_run_ctx()
    return not run or not runtime.exists() or bool(runtime.get_instance().is_active_session(run.session_id))


def jobs() -> dict[str, Job]:
    return here().jobs


def run(
    verb: str,
    matrix: EmbeddingMatrix,
    *,
    name: str | None = None,
    key: str | None = None,
    again: bool = True,
    aside: bool = False,
    urgent: bool = False,
    **options: Any,
) -> Job:
    """The job that runs a command of `python -m compress` on the matrix, asked for unless it is running.

    name: of the job, the verb unless given; a job of that name that works on another key is stopped first. key: what it works on,
    the matrix unless given. again: whether one that has ended is started anew; one that is not is its page's own, and goes behind
    what is asked for while another page is looked at. aside, urgent: see Job. options: see `arguments`.
    """
    name, key = name or verb, key or matrix.key
    leave(name, key)
    session = here()
    job = session.jobs.get(name)
    if name in session.behind:
        session.behind.discard(name)
        QUEUE.turn()
    if job is None or job.lost or (again and not job.running):
        return QUEUE.ask(session, name, key, arguments(verb, matrix, **options), own=not again, aside=aside, urgent=urgent)
    return job


def arguments(verb: str, matrix: EmbeddingMatrix, **options: Any) -> list[str]:
    """A command and its options: those given, by their names with _ for -, and tensor, columns and weights in use.

    options: None and False are left out, True is a flag, a list stands with commas between, a dict as JSON.
    """
    source, tensor = chosen()
    weights = {} if "weights" in options else {"weights": weights_option(matrix)}
    found = [verb, source]
    for name, value in {**options, "tensor": tensor, **asked_texts(), **weights}.items():
        if value is not None and value is not False:
            found.append(f"--{name.replace('_', '-')}")
            found += [] if value is True else [text_of(value)]
    return found


def text_of(value: Any) -> str:
    """A value as the command line reads it back."""
    if isinstance(value, list | tuple):
        return ",".join(map(text_of, value))
    if isinstance(value, dict):
        return json.dumps(value)
    return repr(float(value)) if isinstance(value, float) else str(value)


def use(path: Path) -> None:
    """Notes that the page shows what a file of the cache holds, which then stays there."""
    cache.use(path)
    here().uses.add(str(path))


def leave(name: str, key: str) -> None:
    """Stops and forgets the job of that name if it works on something else than `key`."""
    job = jobs().get(name)
    if job is not None and job.key != key:
        del jobs()[name]
        QUEUE.turn()  # not waited for: the page has better things to do


def leave_page() -> None:
    """Lets the jobs of a page that is no longer looked at go behind all that is asked for."""
    session = here()
    session.behind = {name for name, job in session.jobs.items() if job.own}


def stop(name: str) -> None:
    """Stops the job of that name, for this session where others have asked for it too."""
    job = jobs()[name]
    if QUEUE.shared(job):
        jobs()[name] = job.parted()
    else:
        job.stop()
    QUEUE.turn()


def go_on(name: str) -> None:
    """Runs the command of a stopped job again, which takes up what is kept."""
    job = jobs()[name]
    QUEUE.ask(here(), name, job.key, job.arguments)


def running(name: str) -> bool:
    """Whether the job of that name is at work, or waits for it."""
    job = jobs().get(name)
    return job is not None and job.running


def stopped(name: str, key: str) -> bool:
    """Whether the job of that name was on `key` and ended, however it ended."""
    job = jobs().get(name)
    return job is not None and job.key == key and not job.running
