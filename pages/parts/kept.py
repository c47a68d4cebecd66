"""What is kept on disk from one day to the next: folders of results, and the trials of sweeps and advice."""

from pathlib import Path

from compress import files
from compress.tuning.sweep import Trial, Trials
from pages.parts.cached import cached


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


@cached(8)
def read_trials(path: str, written: int, digest: str) -> tuple[Trial, ...]:
    return tuple(Trials(path).of(digest))
