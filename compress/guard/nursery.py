"""The process that others are forked from, each to read one thing: it reads the modules that they need, and does nothing else.

`python -m compress.guard.nursery FILE`, a socket that comes by its number and brings a socket for every child.
"""

import gc
import json
import os
import pickle
import select
import signal
import socket
import sys
import tempfile
import time
from contextlib import suppress
from importlib import import_module
from typing import Any

from compress.errors import InputError, reading
from compress.guard import budget, handover, rooms
from compress.guard.task import LOADING, Task

AHEAD = ("compress.archive", "pyarrow.parquet", "pyarrow.csv", "h5py", "torch", "tokenizers")  # read while nothing is asked for
REST = 15.0  # seconds that whoever began it has the cores for itself
NEW_USER, NEW_NETWORK = 0x10000000, 0x40000000
STACKS = 3 * 9 << 20  # bytes that threads which wait set aside, for each core


class Asking(budget.Share):
    """A share of the budget of the process that asked."""

    def __init__(self, channel: socket.socket):
        self.channel = channel

    def ask(self, n_bytes: int) -> int:
        tell(self.channel, {"ask": n_bytes})
        return json.loads(self.channel.recv(64))["left"]


def main(number: int) -> None:
    """Serves with few modules at first, and with more by a process that reads them meanwhile. number: of the socket."""
    control = socket.socket(fileno=number)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system buries children
    import_module("compress.sources")
    older, younger = socket.socketpair()
    if os.fork() == 0:
        older.close()
        time.sleep(REST)
        for name in AHEAD:
            with suppress(ImportError):
                import_module(name)
        gc.freeze()
        with suppress(OSError):
            younger.send(b"1")
            younger.recv(1)  # until the older has ended
        serve(control, None)
    younger.close()
    serve(control, older)


def serve(control: socket.socket, younger: socket.socket | None) -> None:
    """Forks a child for every socket that comes, until the one who asks has ended. younger: tells when a process that has read more
    modules is there, which then takes over."""
    while True:
        if younger and control not in select.select([control, younger], [], [])[0]:
            os._exit(0)
        data, files, *_ = socket.recv_fds(control, 1, 1)
        if not data:
            os.killpg(os.getpgrp(), signal.SIGKILL)  # children too
        if os.fork() == 0:
            control.close()
            child(socket.socket(fileno=files[0]), LOADING if younger else 0.0)
        os.close(files[0])


def child(channel: socket.socket, more: float) -> None:
    """Does the task that comes, tells what it gave, and ends. more: seconds beyond those of the task."""
    try:
        tell(channel, {"pid": os.getpid()})
        with channel.makefile("rb") as lines:
            task = pickle.load(lines)
        os.environ.clear()
        os.environ.update(task.environment)
        os.chdir(task.folder)
        tempfile.tempdir = task.temporary
        rooms.make = rooms.shared
        confine(task, more)
        budget.ASKED.set(Asking(channel))
        try:
            with reading(task.name):
                files, places, n_bytes = handover.packed(task.function(*task.args))
        except InputError as error:
            tell(channel, {"refused": str(error)})
        else:
            tell(channel, {"places": places, "n_bytes": n_bytes}, files)
    finally:
        os._exit(0)


def tell(channel: socket.socket, word: dict[str, Any], files: list[int] | None = None) -> None:
    """Sends a line, and files with it."""
    line = f"{json.dumps(word)}\n".encode()
    sent = socket.send_fds(channel, [line], files) if files else 0
    channel.sendall(line[sent:])


def confine(task: Task, more: float) -> None:
    """Sets the limits of this process, those that the system knows: it is ended when its time is over, and gets no more memory."""
    import resource

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_PROF, task.seconds + more)
    taken = memory_taken()
    if taken is not None:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_DATA, (taken + task.n_bytes + STACKS * (os.cpu_count() or 1),) * 2)
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if not task.network:
        shut_off()


def memory_taken() -> int | None:
    """Bytes of data of this process, as their limit counts them; None where the system does not say."""
    import psutil

    return getattr(psutil.Process().memory_info(), "data", None)


def shut_off() -> None:
    """Leaves this process without a network, by the system where it lets itself be asked, and by Python."""
    import ctypes

    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).unshare(NEW_USER | NEW_NETWORK)
    sys.addaudithook(refuse_network)


def refuse_network(event: str, _: tuple) -> None:
    """An audit hook, which Python asks before it does any of this."""
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto", "socket.bind"):
        raise PermissionError("a file is read without a network")


if __name__ == "__main__":
    main(int(sys.argv[1]))
