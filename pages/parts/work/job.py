"""A job: a command of `python -m compress` in a process of its own, which waits for its turn, can be paused, and is stopped."""

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from copy import copy
from typing import TextIO

from compress import cache
from pages.parts.work.process import ONE_CORE, begin, begin_soon

PATIENCE = 30.0  # seconds that work which was asked to end has for saving what is finished
AT_ONCE = 1.0  # seconds in which work that goes on tells what was finished before
SPAN, GAINED = 5.0, 0.05  # seconds and share that a guess of the time left is made from at least
RECENT = 5  # steps from which on the newer half of the time says how fast it goes


class Job:
    """A command that waits, is at work, or has ended. `key` tells what it works on; `events` are the steps that it has told so far,
    see compress.errors.Step.row, and `times` when; `ending`: whether it was asked to end; `lost`: whether that was since no session
    wanted it any more; `own`: whether a page started it by itself. ahead: whether not even a page has asked for it; aside: whether
    it is shown but lets all that is asked for go first. Either takes one core. urgent: whether the first picture of a page waits
    for it, so that it takes its turns with the page itself."""

    def __init__(self, key: str, arguments: list[str], ahead: bool = False, aside: bool = False, urgent: bool = False):
        self.key, self.arguments, self.ahead, self.aside, self.urgent = key, arguments, ahead, aside, urgent
        self.events: list[dict] = []
        self.times: list[float] = []
        self.errors: list[str] = []
        self.ending = self.lost = self.paused = self.own = False
        self.process: subprocess.Popen | None = None
        self.over = threading.Event()
        self.gives_way: bool | None = None  # until it begins

    def go(self, ended: Callable[[], None]) -> None:
        """Begins, or goes on where it was paused. ended: called when it is over."""
        if self.paused:
            self.paused = False
            self._send(signal.SIGCONT)
            return
        command = ["--attached", *self.arguments, "--progress"]
        one_core = ONE_CORE if self.ahead or self.aside else {}
        self.process = begin_soon(command) if self.urgent and not one_core else begin(command, one_core)
        threading.Thread(target=self._follow, args=[self.process, ended], daemon=True).start()

    def give_way(self, to_all: bool) -> None:
        """The page that a person waits for comes first; what nobody waits for gives way to everything."""
        if self.process and to_all != self.gives_way:
            self.gives_way = to_all
            with suppress(OSError):
                own = os.getpriority(os.PRIO_PROCESS, 0)
                os.setpriority(os.PRIO_PROCESS, self.process.pid, own if self.urgent else 19)
                if hasattr(os, "SCHED_IDLE"):
                    os.sched_setscheduler(self.process.pid, os.SCHED_IDLE if to_all else os.SCHED_OTHER, os.sched_param(0))

    def _follow(self, process: subprocess.Popen, ended: Callable[[], None]) -> None:
        self._read(process.stderr)
        process.wait()
        process.stdin.close()
        if process.returncode > 0 and self.errors and cache.refused(self.errors[-1]) and self.own:
            self.lost = True  # its page asks for it anew, with what then stands in for the cache
        ended()
        self.over.set()

    def _read(self, lines: TextIO) -> None:
        with lines:
            for line in lines:
                try:
                    step = json.loads(line)
                except ValueError:
                    step = None
                if isinstance(step, dict) and "words" in step:
                    self.times.append(time.monotonic())
                    self.events.append(step)
                else:
                    self.errors.append(line.strip())

    @property
    def waiting(self) -> bool:
        """Whether it is to be done, and others are at work."""
        return self.running and (self.process is None or self.paused)

    @property
    def running(self) -> bool:
        """Whether it is at work or waits for it."""
        return self.process.poll() is None if self.process else not self.ending

    @property
    def error(self) -> str | None:
        """What went wrong, in one sentence; None while it runs, when it is done, and when it was stopped."""
        if self.running or self.process is None or self.process.returncode <= 0:
            return None
        self.over.wait(1)
        return self.errors[-1].removeprefix("compress: ") if self.errors else "the work ended without a word"

    @property
    def stopped(self) -> bool:
        """Whether it ended before it was done because it was asked to, or was killed."""
        if self.running or self.process is None:
            return not self.running
        whole = bool(self.events) and self.events[-1].get("share", 0) >= 1
        return self.process.returncode < 0 or (self.ending and not whole and not self.error)

    @property
    def left(self) -> float | None:
        """Seconds that it will still take, as it told by "left", else see `time_left`."""
        newest = self.events[-1] if self.events and not self.waiting else {}
        if "left" in newest:
            return max(0.0, newest["left"] - (time.monotonic() - self.times[-1]))
        told = [(at, event.get("share", 0.0)) for at, event in zip(self.times, self.events, strict=False)]  # one may just come
        return None if self.waiting else time_left(told, time.monotonic())

    def pause(self) -> None:
        self.paused = True
        self._send(signal.SIGSTOP)

    def stop(self) -> None:
        """Asks the work to end: at once, or after the step in hand where it then keeps what is finished."""
        self._give_up()
        if self.process and self.running:
            self._send(signal.SIGTERM)
            self._send(signal.SIGCONT)
            patience = threading.Timer(PATIENCE, self.kill)
            patience.daemon = True
            patience.start()

    def kill(self) -> None:
        self._give_up()
        self._send(signal.SIGKILL)

    def _give_up(self) -> None:
        self.ending, self.paused = True, False
        if not self.process:
            self.over.set()

    def parted(self) -> "Job":
        """The same as one who stops it sees it, while it goes on for others."""
        mine = copy(self)
        mine.events, mine.process, mine.ending = list(self.events), None, True
        return mine

    def wait(self, seconds: float) -> bool:
        """Waits until it is over, so many seconds at most; whether it is."""
        return self.over.wait(seconds)

    def _send(self, number: int) -> None:
        if self.process:
            self.process.send_signal(number)


def time_left(told: Sequence[tuple[float, float]], now: float) -> float | None:
    """Seconds that work will still take, None while too little is told of it to say. told: when each step came, in seconds, and
    what share of all was done then."""
    ahead: list[tuple[float, float]] = []
    for at, share in told:
        if not ahead or share > ahead[-1][1]:
            ahead.append((at, share))
    ahead = ahead[max((row for row, (at, _) in enumerate(ahead) if at <= ahead[0][0] + AT_ONCE), default=0) :]
    if len(ahead) < 2:
        return None
    (first, begun), (last, done) = ahead[0], ahead[-1]
    if last - first < SPAN or done - begun < GAINED:
        return None
    newer = [each for each in ahead if each[0] >= (first + last) / 2]
    if len(newer) >= RECENT:
        first, begun = newer[0]
    left = (1 - done) / (done - begun) * (last - first) - (now - last)
    return left if left > 0 else None
