"""What takes pages long is done for one session at a time, and steps back where a page answers a dial."""

import math
from threading import Event, Thread

import pytest

from pages.parts.work import turns
from pages.parts.work.queue import Queue, Session


class Ended(Exception):
    """As Streamlit ends a run that a newer one follows."""


@pytest.fixture
def asked(monkeypatch):
    """`asked(moved, behind)` is a thread that asks for a turn; `told` gets its name when it has it."""
    monkeypatch.setattr(turns, "get_script_run_ctx", lambda **_: object())
    monkeypatch.setattr(turns, "give_way", lambda: None)
    monkeypatch.setattr(turns, "let_go", lambda: turns.mine.moved)

    def begin(name, told, moved=False, behind=False):
        def draw():
            turns.mine.moved = moved
            with turns.in_turn(behind), turns.in_turn():
                told.append(name)

        thread, before = Thread(target=draw, daemon=True), len(turns.line)
        thread.start()
        while len(turns.line) == before and thread.is_alive():
            pass
        return thread

    turns.mine.moved = False
    return begin


def test_turns_come_one_at_a_time_those_of_a_dial_first_and_what_is_drawn_behind_last(asked):
    told = []
    with turns.in_turn():
        ways = {"behind": {"behind": True}, "opens": {}, "opens too": {}, "moved": {"moved": True}}
        threads = [asked(name, told, **how) for name, how in ways.items()]
        assert not told and len(turns.line) == 4
    for each in threads:
        each.join(10)
    assert told == ["moved", "opens", "opens too", "behind"] and not turns.line and not turns.holders


def test_a_page_that_runs_anew_leaves_the_line(asked, monkeypatch):
    held, over, told = Event(), Event(), []

    def hold():
        turns.mine.moved = False
        with turns.in_turn():
            held.set()
            over.wait(10)

    def end():
        raise Ended

    holder = Thread(target=hold)
    holder.start()
    assert held.wait(10)
    monkeypatch.setattr(turns, "give_way", end)
    with pytest.raises(Ended), turns.in_turn():
        told.append("drawn")
    assert not told and not turns.line and turns.holders
    over.set()
    holder.join()
    assert not turns.holders


def test_no_page_waits_for_ever_and_what_is_drawn_behind_it_as_long_as_need_be(asked, monkeypatch):
    monkeypatch.setattr(turns, "PATIENCE", turns.TICK)
    told = []
    with turns.in_turn():
        asked("late", told).join(10)
        assert told == ["late"] and turns.holders
        behind = asked("behind", told, behind=True)
        behind.join(3 * turns.TICK)
        assert told == ["late"] and turns.holders
    behind.join(10)
    assert told == ["late", "behind"] and not turns.holders


def test_a_step_stands_back_while_a_dial_is_answered_and_not_longer(asked, monkeypatch):
    queue, session, waits = Queue(1), Session(rests=math.inf), []
    queue.enter(session)

    def sleep(seconds):
        waits.append(seconds)
        session.rests = 0.0

    monkeypatch.setattr(turns, "QUEUE", queue)
    monkeypatch.setattr(turns.time, "sleep", sleep)
    turns.stand_back()
    turns.stand_back()
    assert waits == [turns.TICK]
