"""What takes a page more than a moment is done for one session at a time: for whoever lets go of a dial first, then for pages that
open, then what is drawn behind the rest. Many at once would each be as late as the last."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from threading import Condition, local

from streamlit.runtime.scriptrunner import get_script_run_ctx

from pages.parts.frame import give_way, let_go
from pages.parts.work.queue import QUEUE

TICK = 0.05  # seconds between two looks
PATIENCE = 60.0  # seconds after which no page waits for a turn any longer
BEHIND = 2  # the place of what is drawn behind the rest, after hands and pages that open
MOMENT = 0.25  # seconds that a step stands back at most

changed = Condition()
line: list[tuple[int, int]] = []  # who waits, the next one the least
numbers = count()
holders: list[tuple[int, int]] = []  # one at most
mine = local()  # .held: whether this thread has the turn


@contextmanager
def in_turn(behind: bool = False) -> Iterator[None]:
    """One at a time, whoever has it already goes on. A page that runs anew meanwhile, as when its dial is moved again, leaves the
    line; without a session nobody waits. behind: whether it is drawn behind the rest of its page."""
    if get_script_run_ctx(suppress_warning=True) is None or getattr(mine, "held", False):
        yield
        return
    place = (BEHIND if behind else 0 if let_go() else 1), next(numbers)
    mine.held = wait_for(place)
    try:
        yield
    finally:
        if mine.held:
            mine.held = False
            with changed:
                holders.remove(place)
                changed.notify_all()


def wait_for(place: tuple[int, int]) -> bool:
    """Whether the turn has come; it has not where that took too long."""
    until = time.monotonic() + (math.inf if place[0] == BEHIND else PATIENCE)
    line.append(place)
    try:
        while time.monotonic() < until:
            with changed:
                if not holders and place == min(line):
                    holders.append(place)
                    return True
                changed.wait(TICK)
            give_way()
    finally:
        line.remove(place)
    return False


def stand_back() -> None:
    """Between two steps: ends this run where a newer one waits, and leaves the cores to pages that answer a dial."""
    give_way()
    until = time.monotonic() + MOMENT
    while QUEUE.answers and time.monotonic() < until:
        time.sleep(TICK)
        give_way()
