"""The memory that everything read here may hold together: what is read asks for its part before it takes it."""

import os
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from threading import RLock

import psutil

from compress.errors import InputError
from compress.files import bytes_of

VARIABLE = "FLATLAND_MEMORY"
PART = 0.5  # of the memory that is there, unless the variable says how much

held: dict["Share", int] = {}  # bytes that are spoken for
lock = RLock()  # what held them may be collected in the middle of any call


class Share:
    """What one reading takes of the budget. handed: bytes that were handed over to it by another process."""

    handed = 0

    def ask(self, n_bytes: int) -> int:
        """Bytes that it may take in all. So many are set aside for it from now on, where they are no more than that."""
        with lock:
            left = total() - sum(taken for share, taken in held.items() if share is not self)
            if n_bytes <= left:
                held[self] = max(n_bytes, held.get(self, 0))
            return max(0, left)

    def keep(self, n_bytes: int, owner: object) -> None:
        """Sets aside so many until their owner is gone."""
        kept = Share()
        with lock:
            held[kept] = n_bytes
        weakref.finalize(owner, kept.end)

    def end(self) -> None:
        """Gives all back."""
        with lock:
            held.pop(self, None)


ASKED: ContextVar[Share | None] = ContextVar("ASKED", default=None)


@contextmanager
def sharing() -> Iterator[Share]:
    """What is asked for within is asked for by this share, which gives back what it was not told to keep."""
    share = Share()
    token = ASKED.set(share)
    try:
        yield share
    finally:
        ASKED.reset(token)
        share.end()


def ask(n_bytes: int) -> int:
    """Bytes that whoever reads here may take in all, see Share.ask."""
    share = ASKED.get()
    return left() if share is None else share.ask(n_bytes)


def left() -> int:
    """Bytes that nobody has spoken for."""
    with lock:
        return max(0, total() - sum(held.values()))


def total() -> int:
    """Bytes that all may hold together: what the variable says, else half of what the system, or the container, has. Raises
    InputError where the variable says no size."""
    said = os.environ.get(VARIABLE)
    return bytes_in(said) if said else int(PART * memory())


def bytes_in(text: str) -> int:
    """The bytes of a size, as 8GB or 500 MB. Raises InputError where it is none."""
    try:
        return int(bytes_of(text))
    except ValueError:
        raise InputError(f"{VARIABLE} must be a size, say 8GB or 500MB, got {text!r}.") from None


def memory() -> int:
    """Bytes that the system has, or the container may take, which psutil does not tell."""
    try:
        limit = int(Path("/sys/fs/cgroup/memory.max").read_text())
    except (OSError, ValueError):  # no such file outside a container; the word "max" where there is no limit
        return psutil.virtual_memory().total
    return min(limit, psutil.virtual_memory().total)
