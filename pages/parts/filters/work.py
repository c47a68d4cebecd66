"""Work on networks in a thread of the server: what it has told so far, what came of it, and a way to stop it."""

import atexit
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Condition, Event, Thread
from weakref import WeakSet

from compress.errors import Step
from pages.parts.work.queue import QUEUE

PATIENCE = 120.0  # seconds that work goes on while nobody looks at it
FAREWELL = 10.0  # seconds that a server which ends waits for the step in hand
REST = 0.02  # seconds between two looks whether a hand still moves

at_work: WeakSet = WeakSet()


class Stopped(Exception):
    """Asked to stop, or nobody has looked for a while."""


class Background:
    """`run(tell)` in a thread; `tell` keeps what it is given in `told`, and ends the work once it was asked to stop. own:
    whether a page does it by itself, and then leaves the cores to answers to a dial."""

    def __init__(self, run: Callable, patience: float = PATIENCE, own: bool = False):
        self.told: list[Step] = []
        self.result, self.own = None, own
        self.error: Exception | None = None
        self.asked, self.patience, self.looked = Event(), patience, time.monotonic()
        self.thread = Thread(target=self._run, args=[run], daemon=True)
        at_work.add(self)
        self.thread.start()

    def _run(self, run: Callable) -> None:
        try:
            self.result = run(self.tell)
        except Stopped:
            pass
        except Exception as error:  # told on the page
            self.error = error

    def tell(self, step: Step) -> None:
        self.told.append(step)
        self.rest()
        if self.asked.is_set() or time.monotonic() - self.looked > self.patience:
            raise Stopped

    def rest(self) -> None:
        """Waits while a page answers a dial, unless that waits for the end of this."""
        while self.own and QUEUE.answering and not TURNS.waiting and not self.asked.is_set():
            time.sleep(REST)

    @property
    def running(self) -> bool:
        self.looked = time.monotonic()
        return self.thread.is_alive()

    def stop(self) -> None:
        self.asked.set()


@atexit.register
def stop_all() -> None:
    """Torch aborts a process that ends while a thread of it computes."""
    for work in list(at_work):
        work.stop()
    for work in list(at_work):
        work.thread.join(FAREWELL)


class Turns:
    """Many may work together, or one alone: while torch.fx traces a network, no other network of the process can be run."""

    def __init__(self):
        self.change, self.working, self.waiting, self.taken = Condition(), 0, 0, False

    @contextmanager
    def together(self) -> Iterator[None]:
        with self.change:
            self.change.wait_for(lambda: not self.taken and not self.waiting)
            self.working += 1
        try:
            yield
        finally:
            with self.change:
                self.working -= 1
                self.change.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        with self.change:
            self.waiting += 1
            try:
                self.change.wait_for(lambda: not self.taken and not self.working)
            finally:
                self.waiting -= 1
            self.taken = True
        try:
            yield
        finally:
            with self.change:
                self.taken = False
                self.change.notify_all()


TURNS = Turns()
