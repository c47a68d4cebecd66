from compress.threads import one_thread, pools


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
