"""Children that are killed at a step of what they write."""

import os
import re
import signal
import sys
import traceback
from collections.abc import Callable

STEPS = ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "ctypes.dlsym")  # as Python's audit tells them


def killed_at(step: int, write: Callable[[], object], naming: str = "") -> bool:
    """Whether a child that writes was killed, as it came to so many of the steps. naming: a pattern of the paths whose steps
    count."""
    if not (child := os.fork()):
        seen = iter(range(step + 1))

        def dies(event: str, told: tuple) -> bool:
            return event in STEPS and bool(re.search(naming, str(told))) and next(seen) == step

        sys.addaudithook(lambda event, told: dies(event, told) and os.kill(os.getpid(), signal.SIGKILL))
        try:
            write()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
        os._exit(1)
    status = os.waitpid(child, 0)[1]
    assert status in (0, signal.SIGKILL), "the child failed"
    return os.WIFSIGNALED(status)
