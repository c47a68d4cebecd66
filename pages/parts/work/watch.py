"""What is drawn of a job: its bar while it waits and runs, what went wrong, what is kept if it was stopped."""

import streamlit as st

from pages.parts.say import literal, refused
from pages.parts.work.job import Job
from pages.parts.work.jobs import go_on, jobs, stop
from pages.parts.work.queue import QUEUE

POLL = 2.0  # seconds between looks at a running job: the page is still in between


def watch(
    name: str, title: str, redraw: bool = False, key: str | None = None, ending: str | None = None, every: float = POLL
) -> None:
    """A progress bar and a stop button while the job runs; what went wrong, if it did; what is kept, if it was stopped. title: what
    is being done, said before the words of the newest step. The page runs again when the job ends, and with `redraw` also when it
    has told something new. key: what the page is about; nothing is said of a job that was stopped at something else. ending: see
    `bar`. every: seconds between looks at it."""
    job = jobs().get(name)
    if job is None:
        return
    if job.running:
        seen = len(job.events) if redraw else None
        st.fragment(watched, run_every=every)(name, title, seen, ending)
    elif job.error:
        refused(job.error)
    elif job.stopped and key in (None, job.key):
        left_off(name, job, title)


def watched(name: str, title: str, seen: int | None, ending: str | None = None) -> None:
    """The bar of a job, drawn again while it runs."""
    job = jobs().get(name)
    if job is None or not job.running or (seen is not None and len(job.events) > seen):
        st.rerun()
    bar(name, job, title, ending)


def bar(name: str, job: Job, title: str, ending: str | None = None) -> None:
    """How far a job is, or its place among those that wait, and the button that stops it. ending: what is said once it was asked to
    end, where that takes a while."""
    step = job.events[-1] if job.events else {"share": 0.0, "words": "opening the matrix"}
    asked = ending is not None and job.ending
    with st.container(horizontal=True, vertical_alignment="center", key=f"job_{name}"):
        in_line = job.waiting and not QUEUE.rests(job)
        told = f"waiting, {ordinal(QUEUE.place(job))} in line" if in_line else f"{step['words']}{left_words(job.left)}"
        st.progress(min(max(step["share"], 0.0), 1.0), text=ending if asked else f"{title}: {told}")
        st.button("Stop", key=f"stop_{name}", icon=":material/stop:", on_click=stop, args=[name], disabled=asked)


def left_off(name: str, job: Job, title: str) -> None:
    """What a stopped job has kept, and the button that goes on from there."""
    kept = job.events[-1].get("kept") if job.events else None
    if job.events and not kept:
        st.caption(f"{title} stopped. Nothing is finished that could be kept, so it begins anew.")
        return
    with st.container(horizontal=True, vertical_alignment="center", key=f"left_off_{name}"):
        st.caption(f"{title} stopped. Kept: {literal(kept)}." if kept else f"{title} stopped before it had begun.")
        st.button("Go on", key=f"go_on_{name}", icon=":material/play_arrow:", on_click=go_on, args=[name])


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


def ordinal(place: int) -> str:
    """1st, 2nd, 3rd, 4th."""
    ending = "th" if place % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(place % 10, "th")
    return f"{place}{ending}"
