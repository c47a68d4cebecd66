"""What is kept on disk from one day to the next: files in the cache's folders, and the trials of sweeps and advice."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import streamlit as st

from compress import InputError, cache
from compress.tuning.sweep import Trial, Trials
from pages.parts.cached import cached
from pages.parts.frame import PAGE
from pages.parts.say import sentence

Result = TypeVar("Result")
LACKED = "cache lacked"  # in the session's state: the page on which that was told


def again(run: Callable[[], Result]) -> Result:
    """What a call gives; where the cache refuses to be written meanwhile, once more with what then stands in for it."""
    try:
        return run()
    except (OSError, InputError) as error:
        if not cache.refused(error):
            raise
    return run()


def kept_file(folder: str, name: str, write: Callable[[Path], object]) -> Path:
    """A file in a folder of the cache, written where there is none yet."""

    def find() -> Path:
        path = cache.folder(folder) / name
        if not path.exists():
            write(path)
        return path

    return again(find)


def cache_notice() -> None:
    """Why the cache is not in use, once in a session, while the page that was open then is shown."""
    cache.folder("fits")
    lack = cache.lack()
    if lack and st.session_state.setdefault(LACKED, st.session_state[PAGE]) == st.session_state[PAGE]:
        st.warning(sentence(lack), icon=":material/hard_drive:")


def trials() -> Trials:
    """What sweeps and advice have fitted, those that were stopped and those of other pages too."""
    return again(lambda: Trials(trials_file()))


def keep(key: str, trial: Trial) -> None:
    """Keeps a trial of a matrix, by its key."""
    again(lambda: trials().keep(key, trial))


def trials_file() -> Path:
    return cache.folder("trials") / "trials.sqlite"


def known(key: str) -> tuple[Trial, ...]:
    """The trials of a matrix, by its key."""
    return again(lambda: read_trials(str(trials_file()), written(), key))


def written() -> int:
    """What changes when a trial is kept."""
    path = trials_file()
    return path.stat().st_mtime_ns if path.exists() else 0


@cached(8)
def read_trials(path: str, written: int, digest: str) -> tuple[Trial, ...]:
    return tuple(Trials(path).of(digest))
