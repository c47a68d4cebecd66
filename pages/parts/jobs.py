"""Long work: a command of `python -m compress` in a process of its own, watched and stopped from a page."""

import json
import os
import subprocess
import sys
import threading
import weakref
from pathlib import Path
from typing import Any, TextIO

import streamlit as st

from compress import EmbeddingMatrix
from pages.parts.matrix import chosen
from pages.parts.say import refused
from pages.parts.weights import weights_option

ROOT = Path(__file__).parents[2]
PATIENCE = 30.0  # seconds that work which was asked to end has for saving what is finished
POLL = 2.0  # seconds between looks at a running job: the page is still in between
QUIET = {"OPENBLAS_THREAD_TIMEOUT": "4"}  # idle threads of the linear algebra sleep at once and leave the cores to the page


class Job:
    """A running or finished command. `key` tells what it works on; `events` are the steps that it has told so far, see
    compress.errors.Step.row; `ending`: whether it was asked to end."""

    def __init__(self, key: str, arguments: list[str]):
        self.key = key
        self.events: list[dict] = []
        self.errors: list[str] = []
        self.ending = False
        self.process = subprocess.Popen(
            [sys.executable, "-m", "compress", *arguments, "--progress"],
            cwd=ROOT,
            env={**os.environ, **QUIET},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        os.setpriority(os.PRIO_PROCESS, self.process.pid, 19)  # the page that a person waits for comes first
        self.reader = threading.Thread(target=self._read, args=[self.process.stderr], daemon=True)
        self.reader.start()
        weakref.finalize(self, end, self.process)

    def _read(self, lines: TextIO) -> None:
        with lines:
            for line in lines:
                try:
                    step = json.loads(line)
                except ValueError:
                    step = None
                if isinstance(step, dict) and "words" in step:
                    self.events.append(step)
                else:
                    self.errors.append(line.strip())

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    @property
    def error(self) -> str | None:
        """What went wrong, in one sentence; None while it runs, when it is done, and when it was stopped."""
        if self.process.poll() in (None, 0) or self.process.returncode < 0:
            return None
        self.reader.join(1)
        return self.errors[-1].removeprefix("compress: ") if self.errors else "the work ended without a word"

    def stop(self) -> None:
        """Asks the work to end: at once, or after the step in hand where it then keeps what is finished."""
        self.ending = True
        if self.running:
            self.process.terminate()
            patience = threading.Timer(PATIENCE, end, [self.process])
            patience.daemon = True
            patience.start()


def end(process: subprocess.Popen) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(3)
        except subprocess.TimeoutExpired:
            process.kill()


def jobs() -> dict[str, Job]:
    return st.session_state.setdefault("jobs", {})


def run(
    verb: str,
    matrix: EmbeddingMatrix,
    *,
    name: str | None = None,
    key: str | None = None,
    source: str | None = None,
    again: bool = True,
    **options: Any,
) -> Job:
    """The job that runs a command of `python -m compress` on the matrix, started unless it is running.

    name: of the job, the verb unless given; a job of that name that works on another key is stopped first. key: what it works on,
    the matrix unless given. again: whether one that has ended is started anew. source, options: see `arguments`.
    """
    name, key = name or verb, key or matrix.key
    leave(name, key)
    if name not in jobs() or (again and not running(name)):
        jobs()[name] = Job(key, arguments(verb, matrix, source, **options))
    return jobs()[name]


def arguments(verb: str, matrix: EmbeddingMatrix, source: str | None = None, **options: Any) -> list[str]:
    """A command and its options: those given, by their names with _ for -, and the tensor and the weights in use.

    source: of the matrix, if it is not the one in use. options: None and False are left out, True is a flag, a list stands with
    commas between.
    """
    source, tensor = (source, None) if source else chosen()
    weights = {} if "weights" in options else {"weights": weights_option(matrix)}
    found = [verb, source]
    for name, value in {**options, "tensor": tensor, **weights}.items():
        if value is not None and value is not False:
            found.append(f"--{name.replace('_', '-')}")
            found += [] if value is True else [text_of(value)]
    return found


def text_of(value: Any) -> str:
    """A value as the command line reads it back."""
    if isinstance(value, list | tuple):
        return ",".join(map(text_of, value))
    return repr(float(value)) if isinstance(value, float) else str(value)


def leave(name: str, key: str) -> None:
    """Stops and forgets the job of that name if it works on something else than `key`."""
    job = jobs().get(name)
    if job is not None and job.key != key:
        job.process.terminate()  # not waited for: the page has better things to do
        del jobs()[name]


def running(name: str) -> bool:
    """Whether the job of that name is at work."""
    job = jobs().get(name)
    return job is not None and job.running


def stopped(name: str, key: str) -> bool:
    """Whether the job of that name was on `key` and ended, however it ended."""
    job = jobs().get(name)
    return job is not None and job.key == key and not job.running


def watch(name: str, title: str, redraw: bool = False) -> None:
    """A progress bar and a stop button while the job runs; what went wrong, if it did. title: what is being done, said before the
    words of the newest step. The page runs again when the job ends, and with `redraw` also when it has told something new."""
    job = jobs().get(name)
    if job is None:
        return
    if job.running:
        seen = len(job.events) if redraw else None
        st.fragment(watched, run_every=POLL)(name, title, seen)
    elif job.error:
        refused(job.error)


def watched(name: str, title: str, seen: int | None) -> None:
    """The bar of a job, drawn again while it runs."""
    job = jobs().get(name)
    if job is None or not job.running or (seen is not None and len(job.events) > seen):
        st.rerun()
    bar(name, job, title)


def bar(name: str, job: Job, title: str, ending: str | None = None) -> None:
    """How far a job is, and the button that stops it. ending: what is said once it was asked to end, where that takes a while."""
    step = job.events[-1] if job.events else {"share": 0.0, "words": "opening the matrix"}
    asked = ending is not None and job.ending
    with st.container(horizontal=True, vertical_alignment="center", key=f"job_{name}"):
        st.progress(min(max(step["share"], 0.0), 1.0), text=ending if asked else f"{title}: {step['words']}")
        st.button("Stop", key=f"stop_{name}", icon=":material/stop:", on_click=job.stop, disabled=asked)
