"""The process that reads changed files, within limits: it may die of one, and then says of which.

    python -m tests.fuzz.child SEED FIRST COUNT FOLDER READER …

FOLDER/READER holds the files to begin from. It prints a line of JSON a finding, and for each reader how many it read and in
what time of the processor. FOLDER/at holds the number of the file that is being read.
A file that is read for HUNG seconds of the processor ends the process, also where a library never gives it back to Python.
"""

import faulthandler
import json
import logging
import mmap
import resource
import signal
import sys
import time
import traceback
import warnings
from pathlib import Path
from random import Random

from compress.sources import limits
from tests.fuzz.mutate import mutated
from tests.fuzz.targets import TARGETS, Target

BUDGET = 64 << 20  # bytes of memory that a file is told that it may take
TIMES = 2  # of the budget that it may really take
SECONDS, PER_BYTE = 1.0, 1e-7  # of the processor, for a file and for each of its bytes
HUNG = 10.0  # of the processor, after which it is given up
AS_MUCH = 4 << 30  # bytes of addresses beyond those at the start
LIBRARIES = ("site-packages", "/lib/python")


def main(seed: int, first: int, count: int, folder: Path, readers: list[str]) -> None:
    warnings.simplefilter("ignore")
    logging.disable()  # what readers would tell a server's log
    faulthandler.register(signal.SIGPROF, all_threads=False, chain=True)  # by default that ends a process
    with open(folder / "at", "w+b") as file:
        file.write(bytes(8))
        file.flush()
        at = mmap.mmap(file.fileno(), 8)
    for reader in readers:
        target = TARGETS[reader]
        files = {path.name: path.read_bytes() for path in sorted((folder / reader).iterdir())}
        for name, content in files.items():
            if found := judged_twice(target, folder, name, content):
                tell({"reader": reader, "number": -1, "name": name} | found)
        limits.MEMORY_LIMIT = BUDGET
        most = status("VmSize") + AS_MUCH
        resource.setrlimit(resource.RLIMIT_AS, (most, resource.getrlimit(resource.RLIMIT_AS)[1]))
        began = time.process_time()
        for number in range(first, first + count):
            at[:] = number.to_bytes(8, "little")
            name, content = changed(files, reader, seed, number)
            if found := judged_twice(target, folder, name, content):
                tell({"reader": reader, "number": number, "name": name} | found)
        tell({"reader": reader, "read": count, "seconds": time.process_time() - began})


def changed(files: dict[str, bytes], reader: str, seed: int, number: int) -> tuple[str, bytes]:
    """The changed file of a number, and its name: always the same."""
    rng = Random(f"{reader} {seed} {number}")
    name = rng.choice(sorted(files))
    return name, mutated(files[name], [*files.values()], rng)


def judged_twice(target: Target, folder: Path, name: str, content: bytes) -> dict | None:
    """What was wrong with how a file was read; where that took too much, once more, when what it needs has been imported."""
    found = judged(target, folder, name, content)
    return judged(target, folder, name, content) if found and found["kind"] in ("slow", "memory") else found


def judged(target: Target, folder: Path, name: str, content: bytes) -> dict | None:
    """What was wrong with how a file was read; None where nothing was."""
    path = folder / name
    path.write_bytes(content)
    Path("/proc/self/clear_refs").write_text("5")  # the peak is counted anew
    held, used = status("VmRSS"), time.process_time()
    signal.setitimer(signal.ITIMER_PROF, HUNG)
    found = None
    try:
        target.use(path)
    except target.refused as error:
        if not str(error).strip():
            found = {"kind": "no words", "what": type(error).__name__}
    except Exception as error:
        found = {"kind": "error", "what": named(error), "words": str(error)[:300], "where": traceback.format_exc()[-3000:]}
    signal.setitimer(signal.ITIMER_PROF, 0)
    spent, peak = time.process_time() - used, status("VmHWM") - held
    path.unlink(missing_ok=True)
    if spent > SECONDS + PER_BYTE * len(content):
        return found or {"kind": "slow", "what": f"{spent:.1f} s"}
    if peak > TIMES * BUDGET:
        return found or {"kind": "memory", "what": f"{peak >> 20} MiB"}
    return found


def named(error: Exception) -> str:
    """An error by its class and the places of our own code that it passed, the innermost last."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [
        frame
        for frame in frames
        if not any(part in frame.filename for part in LIBRARIES) and "tests/fuzz/child" not in frame.filename
    ]
    return " ".join([type(error).__name__, *(f"{Path(frame.filename).name}:{frame.name}" for frame in own[-2:])])


def status(name: str) -> int:
    """Bytes, as the kernel tells them of this process."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return 1024 * int(line.split()[1])
    raise ValueError(name)


def tell(what: dict) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    faulthandler.enable()
    main(*map(int, sys.argv[1:4]), Path(sys.argv[4]), sys.argv[5:])
