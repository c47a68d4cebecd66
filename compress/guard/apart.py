"""A call made in a process of its own, so that what it reads can harm nothing else: it is ended when it takes too much."""

import json
import os
import pickle
import select
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from threading import Lock
from typing import Any

import psutil

from compress import cache
from compress.errors import InputError
from compress.files import Temporary, bytes_text
from compress.guard import budget, handover
from compress.guard.task import LOADING, Task

ROOT = Path(__file__).parents[2]
ABLE = hasattr(os, "fork") and hasattr(socket, "send_fds")  # elsewhere calls are made in this process
TICK = 0.05  # seconds between two looks at a process
SECONDS, A_SECOND = 0.8, 10e6  # of the processor that reading takes at most, and bytes for each of which it may take one more
ONLINE = 120.0  # seconds where the size is not known before
FREE = 128 << 20  # bytes of memory that reading may take in any case
TIMES = 200  # as much memory as a file has bytes

NOT_NOW = "Files cannot be read here now: the process that reads them does not begin; free some memory."

lock = Lock()
nurseries: list["Nursery"] = []  # one at most


class Unborn(Exception):
    """A process that was asked for ended before it began with its task, as where the one that it is forked from just ends."""


class Nursery:
    """The process that others are forked from, see nursery.py."""

    def __init__(self) -> None:
        self.control, theirs = socket.socketpair()
        known = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "compress.guard.nursery", str(theirs.fileno())],
                env={**os.environ, "PYTHONPATH": known, "ARROW_DEFAULT_MEMORY_POOL": "system"},  # which sets nothing aside
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                process_group=0,
            )

    def bear(self, channel: socket.socket) -> None:
        """Has a child forked that is told through this channel what to do."""
        socket.send_fds(self.control, [b"1"], [channel.fileno()])


def prepare() -> None:
    """Begins the process that others are forked from, so that nobody waits for it."""
    with lock:
        if ABLE and not nurseries:
            nurseries.append(Nursery())


def born() -> socket.socket:
    """The channel to a new child."""
    mine, theirs = socket.socketpair()
    with theirs:
        for _ in range(2):
            prepare()
            with lock, suppress(OSError):
                nurseries[0].bear(theirs)
                return mine
            with lock:
                nurseries.clear()  # it has been ended
    mine.close()
    raise InputError(NOT_NOW)


def apart(function: Callable[..., Any], *args: Any, name: str, size: int | None, share: budget.Share) -> Any:
    """What a function of this program gives for these arguments, called in a process of its own. Its arrays are mapped, not copied,
    and can only be read.

    name: of what it reads, for messages. size: bytes of that, which time and memory are allowed by; None for what is fetched, which
    alone may use a network. share: of the budget, of which it asks what it takes.
    Raises InputError as the function does, and in one sentence where its process takes too much, or ends without an answer.
    """
    if not ABLE:
        return function(*args)
    seconds = ONLINE if size is None else SECONDS + size / A_SECOND
    most = budget.left() if size is None else min(budget.left(), max(FREE, TIMES * size))
    with Temporary() as folder:
        surroundings = {**os.environ, "FLATLAND_CACHE": str(cache.root())}  # or what stands in for it here
        task = Task(function, args, name, surroundings, os.getcwd(), folder, seconds, most, size is None)
        for _ in range(2):
            with suppress(Unborn), ExitStack() as stack:
                child = Child(stack.enter_context(born()), task)
                stack.callback(child.end)
                return child.answer(share)
            with lock:
                nurseries.clear()
    raise InputError(NOT_NOW)


class Child:
    """A process at work on a task."""

    def __init__(self, channel: socket.socket, task: Task):
        self.channel, self.name, self.task = channel, task.name, task
        self.line, self.files = b"", list[int]()
        self.process: psutil.Process | None = None
        self.seconds, self.before = 0.0, 0
        with suppress(OSError):  # it may have ended, which is told when it is asked
            channel.sendall(pickle.dumps(task))

    def answer(self, share: budget.Share) -> Any:
        """What the task gave. Memory that it asks for is asked of the share, which in the end keeps what was handed over. Raises
        Unborn where the process never began."""
        began = False
        while word := self.word():
            if "pid" in word:
                began = True
                with suppress(psutil.Error):
                    self.process = psutil.Process(word["pid"])
                    self.seconds, self.before = self.used()
            elif "ask" in word:
                with suppress(OSError):
                    self.channel.sendall(json.dumps({"left": share.ask(word["ask"])}).encode())
            elif "refused" in word:
                raise InputError(word["refused"])
            else:
                share.handed = word["n_bytes"]
                return handover.unpacked(self.files, word["places"])
        if not began:
            raise Unborn
        if self.seconds > 0.8 * self.task.seconds:
            raise self.slow()
        raise InputError(f"{self.name} ended the process that was to read it: it is damaged, or made to; write or fetch it again.")

    def word(self) -> dict[str, Any] | None:
        """The next that the process tells, None where it has ended. Raises InputError, and ends it, where it takes too much."""
        while b"\n" not in self.line:
            if not select.select([self.channel], [], [], TICK)[0]:
                self.look()
                continue
            try:
                data, files, *_ = socket.recv_fds(self.channel, 1 << 16, 64)
            except OSError:
                return None
            self.files += files
            self.line += data
            if not data:
                return None
        line, _, self.line = self.line.partition(b"\n")
        return json.loads(line)

    def look(self) -> None:
        """Raises InputError where the process takes too much."""
        if self.process is None:  # it is not there yet
            return
        with suppress(psutil.Error):
            self.seconds, n_bytes = self.used()
            if self.seconds > self.task.seconds + LOADING:
                raise self.slow()
            if n_bytes - self.before > self.task.n_bytes:
                told = bytes_text(self.task.n_bytes)
                raise InputError(
                    f"{self.name} takes more than {told} of memory to read, as a trap does; write it anew, or take fewer rows."
                )

    def used(self) -> tuple[float, int]:
        """Seconds of the processor, and bytes of memory that are not a file's."""
        assert self.process is not None
        times, memory = self.process.cpu_times(), self.process.memory_info()
        return times.user + times.system, memory.rss - getattr(memory, "shared", 0)

    def slow(self) -> InputError:
        told = f"{self.task.seconds:.1f}".removesuffix(".0")
        return InputError(f"{self.name} takes more than {told} s to read, as a trap does; write it anew, or in another format.")

    def end(self) -> None:
        """Ends the process, where it is still at work, and closes its files."""
        for file in self.files:
            os.close(file)
        if self.process is not None:
            with suppress(psutil.Error):
                self.process.kill()
