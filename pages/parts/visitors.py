"""Who is here: a session whose browser is gone is closed after a while, and with it goes all that only it needed."""

import asyncio
import ctypes
import gc
import time
from contextlib import suppress
from typing import Any

from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pages.parts.cached import apart

AWAY = 30.0  # seconds that a browser may be away, as without a network, and find its session
LOOK = 5.0  # seconds between looks
MOST_HEAPS = -8  # M_ARENA_MAX of glibc's malloc.h

seen: dict[str, float] = {}  # when each session was last known to be connected, in seconds of time.monotonic()
states: dict[str, Any] = {}  # what each holds


def note_visitor() -> None:
    """The session of this run is there."""
    run = get_script_run_ctx()
    if run:
        seen[run.session_id], states[run.session_id] = time.monotonic(), run.session_state


async def close_those_gone() -> None:
    """Streamlit keeps such a session, its uploads and its state, until another comes after two minutes, and may be none does."""
    while True:
        await asyncio.sleep(LOOK)
        if runtime.exists():
            gone = [session for session in list(seen) if is_gone(session)]
            for session in gone:
                close(session)
            if gone:
                await asyncio.to_thread(give_back)


def close(session: str) -> None:
    """Ends it; Streamlit's loop would hold what the last one had until another comes."""
    runtime.get_instance().close_session(session)
    del seen[session]
    apart.discard(session)
    state = states.pop(session)
    for key in state.filtered_state:
        with suppress(KeyError):
            del state[key]


def is_gone(session: str) -> bool:
    """Whether its browser has been away for long enough."""
    if runtime.get_instance().is_active_session(session):
        seen[session] = time.monotonic()
    return time.monotonic() - seen[session] > AWAY


def one_heap() -> None:
    """Has all threads take memory from one heap: glibc gives threads heaps of their own, and keeps up to 64 MB of the free end of
    each, whatever is asked of it."""
    with suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL(None).mallopt(MOST_HEAPS, 1)


def give_back() -> None:
    """Frees what is held in circles, and gives the system the memory that is free: glibc would keep it."""
    gc.collect()
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
