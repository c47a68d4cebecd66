"""Who is here: a session whose browser is gone is closed after a while, and with it goes all that only it needed."""

import asyncio
import ctypes
import gc
import time
from contextlib import suppress
from threading import Barrier, Thread
from typing import Any

from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pages.parts.cached import apart

AWAY = 30.0  # seconds that a browser may be away, as without a network, and find its session
LOOK = 5.0  # seconds between looks
MOST_HEAPS, MAPPED, KEPT = -8, -3, -1  # M_ARENA_MAX, M_MMAP_THRESHOLD and M_TRIM_THRESHOLD of glibc's malloc.h
USUAL_KEPT, SOME = 64 << 20, 1 << 16  # bytes that the end of a heap may have before it is freed
HEAPS = 16  # more than there are

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


def few_heaps() -> None:
    """Has threads that begin from now on take memory from the heaps that there are: glibc gives each heaps of its own. These are
    asked for all arrays but the largest, which it comes to by itself."""
    with suppress(OSError, AttributeError):  # another C library
        library = ctypes.CDLL(None)
        library.mallopt(MOST_HEAPS, 1)
        library.mallopt(MAPPED, 32 << 20)
        library.mallopt(KEPT, USUAL_KEPT)


def give_back() -> None:
    """Frees what is held in circles, and gives the system the memory that is free: glibc would keep it."""
    gc.collect()
    with suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        library.mallopt(KEPT, SOME)
        for _ in range(2):  # one that a thread has just left may be passed over
            free_ends(library)
            library.malloc_trim(0)
        library.mallopt(KEPT, USUAL_KEPT)


def free_ends(library: ctypes.CDLL) -> None:
    """Frees the ends of all heaps, which `malloc_trim` passes over: each by a thread that it is given to, which frees something
    there."""
    library.malloc.restype, library.malloc.argtypes, library.free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]
    together = Barrier(HEAPS)

    def free_end() -> None:
        held = library.malloc(4 * SOME)
        together.wait()  # each has a heap that no other has
        library.free(held)

    threads = [Thread(target=free_end) for _ in range(HEAPS)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
