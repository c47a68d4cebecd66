"""Long work: a command of `python -m compress` in a process of its own, watched and stopped from a page."""

import json
import os
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable
from pathlib import Path

import streamlit as st

from compress import files
from compress.tuning.sweep import Trials
from pages.parts.say import refused

ROOT = Path(__file__).parents[2]
PATIENCE = 30.0  # seconds that work which was asked to end has for saving what is finished
POLL = 2.0  # seconds between looks at a running job: the page is still in between
QUIET = {"OPENBLAS_THREAD_TIMEOUT": "4"}  # idle threads of the linear algebra sleep at once and leave the cores to the page


def cache_folder(name: str) -> Path:
    """A folder on disk for results that are worth keeping."""
    folder = files.cache_folder() / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def trials() -> Trials:
    """What sweeps and advice have fitted, those that were stopped and those of other pages too."""
    return Trials(cache_folder("trials") / "trials.sqlite")


class Job:
    """A running or finished command. `key` tells what it works on; `events` are the JSON lines it has told so far."""

    def __init__(self, key: str, arguments: list[str]):
        self.key = key
        self.events: list[dict] = []
        self.errors: list[str] = []
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

    def _read(self, lines) -> None:
        for line in lines:
            try:
                self.events.append(json.loads(line))
            except ValueError:
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


def start(name: str, key: str, arguments: list[str]) -> Job:
    """The job of that name working on `key`; one that works on something else is stopped first."""
    leave(name, key)
    if name not in jobs():
        jobs()[name] = Job(key, arguments)
    return jobs()[name]


def leave(name: str, key: str) -> None:
    """Stops and forgets the job of that name if it works on something else than `key`."""
    job = jobs().get(name)
    if job is not None and job.key != key:
        job.process.terminate()  # not waited for: the page has better things to do
        del jobs()[name]


def stopped(name: str, key: str) -> bool:
    """Whether the job of that name was on `key` and ended, however it ended."""
    job = jobs().get(name)
    return job is not None and job.key == key and not job.running


def watch(name: str, describe: Callable[[list[dict]], tuple[float, str]], redraw: bool = False) -> None:
    """A progress bar and a stop button while the job runs; what went wrong, if it did. `describe` turns its events into a share
    done and a few words. The page runs again when the job ends, and with `redraw` also when it has told something new."""
    job = jobs().get(name)
    if job is None:
        return
    if job.running:
        seen = len(job.events) if redraw else None
        st.fragment(watched, run_every=POLL)(name, describe, seen)
    elif job.error:
        refused(job.error)


def watched(name: str, describe: Callable[[list[dict]], tuple[float, str]], seen: int | None) -> None:
    job = jobs().get(name)
    if job is None or not job.running or (seen is not None and len(job.events) > seen):
        st.rerun()
    share, words = describe(job.events)
    with st.container(horizontal=True, vertical_alignment="center", key=f"job_{name}"):
        st.progress(min(max(share, 0.0), 1.0), text=words)
        st.button("Stop", key=f"stop_{name}", icon=":material/stop:", on_click=job.stop)
