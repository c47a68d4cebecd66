"""A session whose browser is gone is closed after a while, and what only it held is let go."""

import ctypes
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from pages.parts import visitors
from pages.parts.cached import apart


class State(dict):
    filtered_state = property(dict.copy)


@pytest.fixture
def server(monkeypatch):
    """Of two sessions; what is closed is noted."""
    made = SimpleNamespace(connected={"a", "b"}, closed=[])
    made.is_active_session = lambda session: session in made.connected
    made.close_session = made.closed.append
    monkeypatch.setattr(visitors.runtime, "get_instance", lambda: made)
    made.states = {"a": State(uploads="x"), "b": State(uploads="y")}
    monkeypatch.setattr(visitors, "seen", dict.fromkeys(made.connected, 0.0))
    monkeypatch.setattr(visitors, "states", dict(made.states))
    monkeypatch.setattr(visitors.time, "monotonic", lambda: made.now)
    made.now = 0.0
    return made


def test_a_session_is_gone_when_its_browser_has_been_away_for_long_and_not_before(server):
    server.now = 100.0
    assert not visitors.is_gone("a") and not visitors.is_gone("b")
    server.connected = {"b"}
    server.now += visitors.AWAY
    assert not visitors.is_gone("a")
    server.now += 1
    assert visitors.is_gone("a") and not visitors.is_gone("b")
    server.connected = {"a", "b"}
    assert not visitors.is_gone("a")


def test_what_a_closed_session_held_is_let_go_and_no_one_elses(server):
    apart.update("ab")
    visitors.close("a")
    assert server.closed == ["a"] and server.states == {"a": {}, "b": {"uploads": "y"}}
    assert "a" not in apart and "b" in apart and [*visitors.seen] == ["b"] == [*visitors.states]
    apart.discard("b")


FREED = """
import random, threading, time
import numpy as np
import psutil
from pages.parts.visitors import few_heaps, give_back

def take():
    kept = []
    for _ in range(30):
        held = [np.ones(random.randrange(10**4, 4 * 10**6), np.uint8) for _ in range(10)]
        kept.append(bytes(2000))
        time.sleep(0.001)

over = threading.Event()
early = [threading.Thread(target=over.wait) for _ in range(5)]  # as a server's, which have heaps of their own
for each in early: each.start()
few_heaps()
before = psutil.Process().memory_info().rss
threads = [threading.Thread(target=take) for _ in range(8)]
for each in threads: each.start()
for each in threads: each.join()
give_back()
over.set()
print((psutil.Process().memory_info().rss - before) / 1e6)
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="another C library")
def test_memory_that_threads_took_goes_back_to_the_system():
    ran = subprocess.run([sys.executable, "-c", FREED], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True)
    assert float(ran.stdout) < 15
