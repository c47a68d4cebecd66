"""How many threads the linear algebra takes, and what is computed a part at a time on all cores."""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from os import cpu_count
from threading import Lock
from typing import Any, TypeVar

Part = TypeVar("Part")
Made = TypeVar("Made")

lock = Lock()
holders: list[Any] = []


@contextmanager
def one_thread() -> Iterator[None]:
    """Products and decompositions on one thread: for work of a few milliseconds a second one gains little, and where the machine is
    busy, waiting for it costs many times the work. Holds for the whole process until the last who asked for it is done."""
    with lock:
        holders.append(pools().limit(limits=1) if not holders else holders[0])
    try:
        yield
    finally:
        with lock:
            limits = holders.pop()
            if not holders:
                limits.restore_original_limits()


def in_order(make: Callable[[Part], Made], parts: Iterable[Part]) -> Generator[Made, None, None]:
    """What is made of each part, in their order, by a thread a core, whose products take no other; few are made ahead."""
    cores = cpu_count() or 1
    coming: deque[Future[Made]] = deque()
    with one_thread(), ThreadPoolExecutor(cores) as pool:
        try:
            for part in parts:
                coming.append(pool.submit(make, part))
                if len(coming) > cores:
                    yield coming.popleft().result()
            while coming:
                yield coming.popleft().result()
        finally:  # also where what comes is wanted no more
            for each in coming:
                each.cancel()


@contextmanager
def one_torch_thread(wanted: bool = True) -> Iterator[None]:
    """Torch on one thread: its threads would wait for each other on cores that others are using."""
    if not wanted:
        yield
        return
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@cache
def pools() -> Any:
    """The thread pools of NumPy's and SciPy's BLAS; each brings its own, which must be loaded to be found."""
    import scipy.linalg
    from threadpoolctl import ThreadpoolController

    assert scipy.linalg
    return ThreadpoolController().select(user_api="blas")
