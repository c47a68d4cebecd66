"""How many threads the linear algebra takes."""

from contextlib import contextmanager
from functools import cache


@contextmanager
def one_thread():
    """Products and decompositions on one thread: for work of a few milliseconds a second one gains little, and where the machine is
    busy, waiting for it costs many times the work. Holds for the whole process while it lasts."""
    with pools().limit(limits=1):
        yield


@cache
def pools():
    """The thread pools of NumPy's and SciPy's BLAS; each brings its own, which must be loaded to be found."""
    import scipy.linalg
    from threadpoolctl import ThreadpoolController

    assert scipy.linalg
    return ThreadpoolController().select(user_api="blas")
