"""Work done before it is asked for: tables of answers and fits that a page, or a pin, is likely to ask for next, kept on disk."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from compress import EmbeddingMatrix, InputError, cache
from compress.answers import tables
from pages.parts.cached import cached
from pages.parts.frame import ARRIVED, MOVED, let_go
from pages.parts.work.jobs import arguments, here, leave_page, use
from pages.parts.work.queue import QUEUE, Wish
from pages.parts.work.watch import POLL

ON = os.environ.get("FLATLAND_AHEAD", "1") != "0"
KEEP = 300  # tables on disk
REST = 1.0  # seconds that a hand may stay still between two moves
RATHER = 8.0  # seconds after which a table that grows is taken up again
COMING, SEEN, TOGGLE = "wishes of this run", "tables seen", "work_ahead"  # in the session's state


@dataclass(frozen=True)
class Seen:
    """How a page that is drawn found a table: what tells that it is another now, and when that was, in seconds."""

    written: tuple | None
    at: float


def ahead(matrix: EmbeddingMatrix, table: str, *, name: str | None = None, **settings: Any) -> dict[str, np.ndarray] | None:
    """What there is by now of a table of answers of the matrix; None while there is nothing. Not to be written to. One that is not
    finished is worked on, and the page that asked runs again when there is more.

    name: of the wish, the table unless given; it takes the place of the one of that name. settings: of the table.
    """
    path = answers_path(matrix.key, table, settings)
    shipped = tables.shipped(path.stem)
    if shipped is not None:
        return shipped
    command = arguments("answers", matrix, table=table, settings=settings, out=path)
    written = await_file(name or table, path, command)
    try:
        return used(path, written) if written else None
    except InputError:
        path.unlink(missing_ok=True)  # cut short by a full disk, say: made anew
        return None


def await_file(name: str, path: Path, command: list[str]) -> tuple | None:
    """Wishes for the command that makes a file, unless it is there, and has the page run again when there is more of it than now.
    What changes with the file: see `stamp`."""
    written = stamp(path)
    st.session_state.setdefault(SEEN, {})[path] = Seen(written, time.monotonic())
    wish(name, path, command)
    return written


def answers_path(key: str, table: str, settings: dict[str, Any]) -> Path:
    return cache.folder("answers") / f"{tables.file_name(key, table, settings)}.safetensors"


def stamp(path: Path) -> tuple | None:
    """What changes when a table does; None while there is nothing of it."""
    for file in (path, tables.growing(path)):
        try:
            return file.name, file.stat().st_mtime_ns
        except OSError:
            continue
    return None


def used(path: Path, written: tuple) -> dict[str, np.ndarray]:
    use(path)
    return read(str(path), written)


@cached(24)
def read(path: str, written: tuple) -> dict[str, np.ndarray]:
    """written: so that a table that has grown is read again. Of all tables only the last few are kept on disk."""
    with suppress(FileNotFoundError):  # another session may be tidying too
        for old in sorted(Path(path).parent.glob("*.safetensors"), key=lambda each: each.stat().st_mtime_ns)[:-KEEP]:
            old.unlink()
    return tables.read(Path(path)).arrays


def wish(name: str, path: Path, command: list[str]) -> None:
    """Asks for a command to be run when nothing else is to be done, by the name of the wish, unless its file is there."""
    if path.exists() or not working():
        return
    coming = st.session_state.get(COMING)
    if coming is not None:
        coming[name] = Wish(path, command)
    else:  # a part of the page runs
        here().wishes[name] = Wish(path, command)
        QUEUE.turn()


def under_way(name: str) -> bool:
    """Whether what is wished by that name is still to be done, or at work."""
    wishes = {**here().wishes, **(st.session_state.get(COMING) or {})}
    return name in wishes and not wishes[name].path.exists() and wishes[name].path not in QUEUE.failed


def working() -> bool:
    """Whether anything is done ahead."""
    return ON and st.session_state.get(TOGGLE, True) and not QUEUE.crowded


def work_toggle() -> None:
    """The switch that stops what is done ahead."""
    if ON:
        st.toggle("Work ahead", True, key=TOGGLE, help="Idle cores compute what this page is likely to ask for next.")


@contextmanager
def whole_run() -> Iterator[None]:
    """A run of the page from its first line to its last: what it wishes takes the place of what was wished before."""
    if st.session_state[ARRIVED]:
        leave_page()
    moved, here().ran = let_go(), time.monotonic()
    if moved:
        QUEUE.rest(here())
    coming: dict[str, Wish] = {}
    st.session_state[COMING], st.session_state[SEEN] = coming, {}
    here().uses, before = set(), here().uses
    try:
        yield
        here().wishes = coming
    except BaseException:  # a page that another run ends shows still what it showed
        here().uses |= before
        raise
    finally:
        st.session_state[COMING] = None
        st.session_state.pop(MOVED, None)
        if moved:
            QUEUE.rest(here(), REST)
        else:
            QUEUE.turn()


def take_up() -> None:
    """Runs the page again when there is more of a table than it has seen; drawn while there may be."""
    if working() and any(not path.exists() and path not in QUEUE.failed for path in st.session_state.get(SEEN, {})):
        st.fragment(more, run_every=POLL)()


def more() -> None:
    for path, seen in st.session_state[SEEN].items():
        late = path.exists() or seen.written is None or time.monotonic() - seen.at > RATHER
        if late and stamp(path) != seen.written:
            st.rerun()
