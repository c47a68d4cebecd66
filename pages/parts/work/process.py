"""The processes of jobs, and a spare one, which has loaded what a map needs before anybody asks for one."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from threading import Timer

from compress import cache

ROOT = Path(__file__).parents[3]
QUIET = {"OPENBLAS_THREAD_TIMEOUT": "4"}  # idle threads of the linear algebra sleep at once and leave the cores to the page
ONE_CORE = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")
UNUSED = 600.0  # seconds after which a spare process gives its memory back

spares: list[subprocess.Popen] = []  # one at most


def begin(arguments: Sequence[str], environment: dict[str, str]) -> subprocess.Popen:
    """A process that runs a command of `python -m compress`, with more in its environment than here."""
    return subprocess.Popen(
        [sys.executable, "-m", "compress", *arguments],
        cwd=ROOT,
        env={**os.environ, "FLATLAND_CACHE": str(cache.root()), **QUIET, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,  # where the server is killed, the system then ends also what is paused
    )


def prepare() -> None:
    """Begins one, which loads while a core is idle and ends with this process. It has one thread: others would stay idle ones."""
    spare = begin(["wait"], ONE_CORE)
    if hasattr(os, "SCHED_IDLE"):
        with suppress(OSError):
            os.sched_setscheduler(spare.pid, os.SCHED_IDLE, os.sched_param(0))
    spares.append(spare)
    later = Timer(UNUSED, give_up, [spare])
    later.daemon = True
    later.start()


def give_up(spare: subprocess.Popen) -> None:
    """Ends one that nobody has taken."""
    with suppress(ValueError):
        spares.remove(spare)
        spare.kill()


def leave() -> None:
    """Ends the spare one, as this program ends."""
    for spare in [*spares]:
        give_up(spare)


def begin_soon(arguments: Sequence[str]) -> subprocess.Popen:
    """The same as `begin` by the one that is there, if there is one."""
    while spares and not cache.lack():
        spare = spares.pop()
        with suppress(OSError):  # it has ended
            print(json.dumps(list(arguments)), file=spare.stdin, flush=True)
            return spare
    return begin(arguments, {})
