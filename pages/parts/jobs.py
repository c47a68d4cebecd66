"""Long work: a command of `python -m compress` in a process of its own, watched and stopped from a page."""

import json
import os
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

import streamlit as st

from compress import EmbeddingMatrix
from pages.parts.matrix import chosen
from pages.parts.say import literal, refused
from pages.parts.weights import weights_option

ROOT = Path(__file__).parents[2]
PATIENCE = 30.0  # seconds that work which was asked to end has for saving what is finished
POLL = 2.0  # seconds between looks at a running job: the page is still in between
AT_ONCE = 1.0  # seconds in which work that goes on tells what was finished before
SPAN, GAINED = 5.0, 0.05  # seconds and share that a guess of the time left is made from at least
RECENT = 5  # steps from which on the newer half of the time says how fast it goes
QUIET = {"OPENBLAS_THREAD_TIMEOUT": "4"}  # idle threads of the linear algebra sleep at once and leave the cores to the page


class Job:
    """A running or finished command. `key` tells what it works on; `events` are the steps that it has told so far, see
    compress.errors.Step.row, and `times` when; `ending`: whether it was asked to end."""

    def __init__(self, key: str, arguments: list[str]):
        self.key, self.arguments = key, arguments
        self.events: list[dict] = []
        self.times: list[float] = []
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
                    self.times.append(time.monotonic())
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

    @property
    def stopped(self) -> bool:
        """Whether it ended before it was done because it was asked to, or was killed."""
        whole = bool(self.events) and self.events[-1].get("share", 0) >= 1
        return not self.running and (self.process.returncode < 0 or (self.ending and not whole and not self.error))

    @property
    def left(self) -> float | None:
        """Seconds that it will still take, see `time_left`."""
        told = [(at, event.get("share", 0.0)) for at, event in zip(self.times, self.events, strict=False)]  # one may just come
        return time_left(told, time.monotonic())

    def stop(self) -> None:
        """Asks the work to end: at once, or after the step in hand where it then keeps what is finished."""
        self.ending = True
        if self.running:
            self.process.terminate()
            patience = threading.Timer(PATIENCE, end, [self.process])
            patience.daemon = True
            patience.start()


def time_left(told: Sequence[tuple[float, float]], now: float) -> float | None:
    """Seconds that work will still take, None while too little is told of it to say. told: when each step came, in seconds, and
    what share of all was done then."""
    ahead: list[tuple[float, float]] = []
    for at, share in told:
        if not ahead or share > ahead[-1][1]:
            ahead.append((at, share))
    ahead = ahead[max((row for row, (at, _) in enumerate(ahead) if at <= ahead[0][0] + AT_ONCE), default=0) :]
    if len(ahead) < 2:
        return None
    (first, begun), (last, done) = ahead[0], ahead[-1]
    if last - first < SPAN or done - begun < GAINED:
        return None
    newer = [each for each in ahead if each[0] >= (first + last) / 2]
    if len(newer) >= RECENT:
        first, begun = newer[0]
    left = (1 - done) / (done - begun) * (last - first) - (now - last)
    return left if left > 0 else None


def left_words(seconds: float | None) -> str:
    """How long that is, no more exactly than it can be known; nothing for None."""
    if seconds is None:
        return ""
    if seconds < 10:
        return ", a few seconds left"
    if seconds < 55:
        return f", about {10 * round(seconds / 10)} s left"
    if seconds < 90 * 60:
        return f", about {max(1, round(seconds / 60))} min left"
    return f", about {round(seconds / 3600)} h left"


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
    commas between, a dict as JSON.
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
    if isinstance(value, dict):
        return json.dumps(value)
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


def watch(name: str, title: str, redraw: bool = False, key: str | None = None, ending: str | None = None) -> None:
    """A progress bar and a stop button while the job runs; what went wrong, if it did; what is kept, if it was stopped. title: what
    is being done, said before the words of the newest step. The page runs again when the job ends, and with `redraw` also when it
    has told something new. key: what the page is about; nothing is said of a job that was stopped at something else. ending: see
    `bar`."""
    job = jobs().get(name)
    if job is None:
        return
    if job.running:
        seen = len(job.events) if redraw else None
        st.fragment(watched, run_every=POLL)(name, title, seen, ending)
    elif job.error:
        refused(job.error)
    elif job.stopped and key in (None, job.key):
        left_off(name, job, title)


def left_off(name: str, job: Job, title: str) -> None:
    """What a stopped job has kept, and the button that goes on from there."""
    kept = job.events[-1].get("kept") if job.events else None
    if job.events and not kept:
        st.caption(f"{title} stopped. Nothing is finished that could be kept, so it begins anew.")
        return
    with st.container(horizontal=True, vertical_alignment="center", key=f"left_off_{name}"):
        st.caption(f"{title} stopped. Kept: {literal(kept)}." if kept else f"{title} stopped before it had begun.")
        st.button("Go on", key=f"go_on_{name}", icon=":material/play_arrow:", on_click=go_on, args=[name])


def go_on(name: str) -> None:
    """Runs the command of a stopped job again, which takes up what is kept."""
    job = jobs()[name]
    jobs()[name] = Job(job.key, job.arguments)


def watched(name: str, title: str, seen: int | None, ending: str | None = None) -> None:
    """The bar of a job, drawn again while it runs."""
    job = jobs().get(name)
    if job is None or not job.running or (seen is not None and len(job.events) > seen):
        st.rerun()
    bar(name, job, title, ending)


def bar(name: str, job: Job, title: str, ending: str | None = None) -> None:
    """How far a job is, and the button that stops it. ending: what is said once it was asked to end, where that takes a while."""
    step = job.events[-1] if job.events else {"share": 0.0, "words": "opening the matrix"}
    asked = ending is not None and job.ending
    with st.container(horizontal=True, vertical_alignment="center", key=f"job_{name}"):
        words = ending if asked else f"{title}: {step['words']}{left_words(job.left)}"
        st.progress(min(max(step["share"], 0.0), 1.0), text=words)
        st.button("Stop", key=f"stop_{name}", icon=":material/stop:", on_click=job.stop, disabled=asked)
