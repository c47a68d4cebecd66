"""What is kept on disk from one day to the next: folders of results, and the trials of sweeps and advice."""

from pathlib import Path

import streamlit as st

from compress import files
from compress.tuning.sweep import Trial, Trials


def cache_folder(name: str) -> Path:
    """A folder on disk for results that are worth keeping."""
    folder = files.cache_folder() / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def trials() -> Trials:
    """What sweeps and advice have fitted, those that were stopped and those of other pages too."""
    return Trials(trials_file())


def trials_file() -> Path:
    return cache_folder("trials") / "trials.sqlite"


def known(key: str) -> tuple[Trial, ...]:
    """The trials of a matrix, by its key."""
    return read_trials(str(trials_file()), written(), key)


def written() -> int:
    """What changes when a trial is kept."""
    path = trials_file()
    return path.stat().st_mtime_ns if path.exists() else 0


@st.cache_resource(max_entries=8, show_spinner=False)
def read_trials(path: str, written: int, key: str) -> tuple[Trial, ...]:
    return tuple(Trials(path).of(key))
