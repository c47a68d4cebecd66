import os
from itertools import count, islice

from compress.threads import in_order, one_thread, pools


def threads():
    return [pool["num_threads"] for pool in pools().info()]


def test_one_thread_is_held_until_the_last_who_asked_is_done():
    before = threads()
    assert before
    first, second = one_thread(), one_thread()
    first.__enter__()
    second.__enter__()
    assert set(threads()) == {1}
    first.__exit__(None, None, None)
    assert set(threads()) == {1}
    second.__exit__(None, None, None)
    assert threads() == before


def test_parts_come_in_their_order_and_few_are_made_ahead_on_one_thread_each():
    before, made = threads(), []

    def make(part):
        made.append(part)
        return part, threads()

    parts = in_order(make, count())
    found = [*islice(parts, 30)]
    parts.close()
    assert [part for part, _ in found] == [*range(30)] and all(set(each) == {1} for _, each in found)
    assert len(made) <= 31 + (os.cpu_count() or 1) and threads() == before
