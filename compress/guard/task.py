"""What a process apart is given to do."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

LOADING = 4.0  # seconds that a process apart may take for modules, where not all have been read before


@dataclass(frozen=True)
class Task:
    """A call. name: of what it reads. environment, folder: as they are where it is asked for. temporary: a folder for what it
    writes. seconds: of the processor that it may take. n_bytes: memory that it may take besides what lies in files. network:
    whether it may use one."""

    function: Callable[..., Any]
    args: tuple
    name: str
    environment: dict[str, str]
    folder: str
    temporary: str
    seconds: float
    n_bytes: int
    network: bool
