"""Many sessions at once, each moving sliders on a matrix of its own: python -m benchmarks.visitors [--sessions 20] [--minutes 5]

A session is a websocket on loopback that says what a browser would. It uploads its matrix, whose name and tokens carry its number
and whose spectrum no other has, and goes round the pages; nothing that it is sent may name another's, or be an error.
"""

import argparse
import asyncio
import os
import re
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil

from benchmarks.browser import serve
from benchmarks.stream import Stream
from compress import EmbeddingMatrix, spectrum

PAGES = ("", "subspaces", "robustness", "hash_codes", "tradeoffs")
MOVES = 8  # on a page, before the next one
ROWS, COLUMNS = 10_000, 100
QUICK = 2.0  # seconds in which a move is to be answered
LATE, LATEST = 60.0, 120.0  # seconds after which it is given up, and a page that is opened
STEADY = 20.0  # seconds in which a server that has got ready takes no more memory
FIRST = 45.0  # seconds that one visitor goes round the pages before the others come, with a move on each
AFTER = 60.0  # seconds after which what the sessions held is to be free


@dataclass
class Found:
    """Seconds that moves took, by page and dial, and pages until they were drawn; and what was wrong."""

    moved: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    opened: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    wrong: list[str] = field(default_factory=list)


def main() -> None:
    parser = argparse.ArgumentParser(description="Many sessions at once, each on a matrix of its own.")
    parser.add_argument("--sessions", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--rest", type=float, default=4, help="seconds between an answer and the next move, on the average")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TMPDIR"] = folder  # where the server keeps uploads
        with serve("app.py", f"{folder}/cache") as (server, url):
            measure(psutil.Process(server.pid), url.removeprefix("http://"), asked, Path(folder))


def measure(server: psutil.Process, address: str, asked: argparse.Namespace, folder: Path) -> None:
    print(f"memory of the server once it has got ready: {at_rest(server) / 1e6:.0f} MB")
    asyncio.run(visits(address, argparse.Namespace(sessions=1, minutes=FIRST / 60, rest=1), Found(), server, moves=1))
    time.sleep(AFTER)
    before = server.memory_info().rss  # with the modules that pages need and the demo, which the first visitor had read
    used, jobs, own, start = cpu_of(server), children_of(server), time.process_time(), time.perf_counter()
    found = Found()
    most = asyncio.run(visits(address, asked, found, server))
    seconds = time.perf_counter() - start
    end = server.memory_info().rss
    spent = (cpu_of(server) - used, children_of(server) - jobs, time.process_time() - own)
    told = [f"{name} {each / seconds:.0%}" for name, each in zip(("server", "its jobs", "these sessions"), spent, strict=True)]
    print(f"CPU over {seconds:.0f} s, of a core: {', '.join(told)}")
    time.sleep(AFTER)
    after = server.memory_info().rss
    for what, by_name in (("openings", found.opened), ("moves", found.moved)):
        for name, times in sorted(by_name.items()):
            print(f"{name:30} {len(times):5} {what}, median {np.median(times):.2f} s, 95 % in {np.quantile(times, 0.95):.2f} s")
    every = [each for times in found.moved.values() for each in times]
    print(f"errors and what was another's: {len(found.wrong)} (0)", *found.wrong[:10], sep="\n  ")
    if not every:
        return
    share = np.mean(np.array(every) <= QUICK)
    print(f"{len(every)} moves, answered within {QUICK:.0f} s: {share:.1%} (≥ 95 %); 95 % in {np.quantile(every, 0.95):.2f} s")
    print(f"memory of the server: {before / 1e6:.0f} MB before, at most {most / 1e6:.0f}, {end / 1e6:.0f} at the end, "
          f"{after / 1e6:.0f} a minute after: {after / before - 1:+.0%} (≤ +20 %)")  # fmt: skip
    held = [path for path in folder.glob("flatland-*/*/*")]
    print(f"a minute after: {len(held)} uploads on disk (0), {len(working(server))} jobs (0)")


def at_rest(server: psutil.Process) -> int:
    """Bytes of a server once it has got ready."""
    held, since = server.memory_info().rss, time.monotonic()
    while time.monotonic() - since < STEADY or working(server):
        time.sleep(1)
        now = server.memory_info().rss
        if abs(now - held) > 0.005 * held:
            held, since = now, time.monotonic()
    return held


def cpu_of(server: psutil.Process) -> float:
    return sum(server.cpu_times()[:2])


def children_of(server: psutil.Process) -> float:
    """Seconds of CPU of processes that have ended, and of those that are there."""
    return sum(server.cpu_times()[2:4]) + sum(sum(each.cpu_times()[:2]) for each in server.children())


def working(server: psutil.Process) -> list[psutil.Process]:
    return [each for each in server.children() if each.status() != psutil.STATUS_ZOMBIE and "wait" not in each.cmdline()]


async def visits(address: str, asked: argparse.Namespace, found: Found, server: psutil.Process, moves: int = MOVES) -> int:
    """The most bytes that the server held meanwhile."""
    until = time.monotonic() + 60 * asked.minutes
    given = address, until, asked.rest, moves, found
    at_work = [asyncio.create_task(visit(number, *given)) for number in range(asked.sessions)]
    most = 0
    while not all(task.done() for task in at_work):
        most = max(most, server.memory_info().rss)
        await asyncio.sleep(0.5)
    for number, task in enumerate(at_work):
        if task.exception():
            found.wrong.append(f"visitor{number:02}: {task.exception()!r}")
    return most


async def visit(number: int, address: str, until: float, rest: float, moves: int, found: Found) -> None:
    name, rng = f"visitor{number:02}", np.random.default_rng(number)
    values = values_of(number)
    kept = spectrum(EmbeddingMatrix(values)).kept_energy
    await asyncio.sleep(rng.uniform(0, rest))  # they do not come at the same moment
    stream = await Stream.open(address)
    try:
        await stream.until(lambda: stream.runs and not stream.running)
        await stream.choose("Matrix", "Upload")
        await stream.until(lambda: "File" in stream.choices and not stream.running)
        await stream.upload("File", f"{name}.bin", word2vec(name, values))
        await stream.until(lambda: stream.runs > 2 and not stream.running)
        stream.texts.clear()
        at = number
        while time.monotonic() < until:
            page = PAGES[at % len(PAGES)]
            await opened(stream, page, found)
            for _ in range(moves):
                await asyncio.sleep(rng.uniform(0.5, 1.5) * rest)
                if time.monotonic() > until:
                    break
                key = str(rng.choice(sorted(stream.dials)))
                await moved(stream, key, rng, f"{page or 'spectrum'}, {key}", found)
                if page == "":
                    j, card = round(stream.dials["j"]["value"]), stream.figures["cards"][0]["value"]
                    if card != f"{kept[j]:.1%}":
                        found.wrong.append(f"{name}: at j = {j} {card}, not {kept[j]:.1%}")
                look(stream, name, found)
            at += 1
    finally:
        await stream.close()


async def opened(stream: Stream, page: str, found: Found) -> None:
    """Turns to a page and waits until it has run."""
    runs, start = stream.runs, time.perf_counter()
    stream.dials.clear()
    await stream.turn_to(page)
    try:
        await stream.until(lambda: stream.runs > runs and not stream.running, LATEST)
    except TimeoutError:
        found.wrong.append(f"{page or 'spectrum'}: not drawn in {LATEST:.0f} s")
    found.opened[page or "spectrum"].append(time.perf_counter() - start)


async def moved(stream: Stream, key: str, rng: np.random.Generator, what: str, found: Found) -> None:
    """Moves a dial and waits for the answer."""
    dial, runs, start = stream.dials[key], stream.runs, time.perf_counter()
    steps = round((dial["high"] - dial["low"]) / dial["step"])
    move = await stream.move(key, dial["low"] + dial["step"] * int(rng.integers(steps + 1)))
    try:
        await stream.until(lambda: stream.dials[key]["move"] >= move and stream.runs > runs, LATE)
    except TimeoutError:
        found.wrong.append(f"{what}: no answer in {LATE:.0f} s")
    found.moved[what].append(time.perf_counter() - start)


def look(stream: Stream, name: str, found: Found) -> None:
    """Whether all that was said since the last look is the session's own."""
    named = {each.decode() for each in re.findall(rb"visitor\d\d", b"".join(stream.texts))}
    found.wrong += [f"{name}: {error}" for error in stream.errors] + [f"{name} sees {other}" for other in named - {name}]
    stream.errors.clear()
    stream.texts.clear()


def values_of(number: int) -> np.ndarray:
    """(ROWS, COLUMNS) whose directions fall off at a rate that only this number has."""
    rng = np.random.default_rng(1000 + number)
    scales = np.arange(1, COLUMNS + 1) ** -(0.3 + 0.02 * number)
    turn = np.linalg.qr(rng.normal(size=(COLUMNS, COLUMNS)))[0]
    return ((rng.normal(size=(ROWS, COLUMNS)) * scales) @ turn).astype(np.float32)


def word2vec(name: str, values: np.ndarray) -> bytes:
    """A binary word2vec file whose words carry the name."""
    rows = (f"{name}word{at} ".encode() + row.tobytes() + b"\n" for at, row in enumerate(values))
    return f"{values.shape[0]} {values.shape[1]}\n".encode() + b"".join(rows)


if __name__ == "__main__":
    main()
