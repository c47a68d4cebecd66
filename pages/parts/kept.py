"""What is kept on disk from one day to the next: folders of results, and the trials of sweeps and advice."""

from pathlib import Path

from compress import files
from compress.tuning.sweep import Trials


def cache_folder(name: str) -> Path:
    """A folder on disk for results that are worth keeping."""
    folder = files.cache_folder() / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def trials() -> Trials:
    """What sweeps and advice have fitted, those that were stopped and those of other pages too."""
    return Trials(cache_folder("trials") / "trials.sqlite")
