"""Files made to harm, given to a running app: python -m benchmarks.hostile FOLDER

Each is uploaded, and named by its path, in a session of its own; a folder by its path alone. The page is to say one sentence within
a second of when it has the file, while `/_stcore/health` is asked over and over.
"""

import argparse
import asyncio
import os
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread

from benchmarks.browser import serve
from benchmarks.stream import Stream
from benchmarks.table import against, heading, table

PAUSE = 0.02  # seconds between two questions after the server's health
ASKED = 1.0  # seconds, of either
LONG = 60.0  # seconds after which nobody waits any longer
UP = 45.0  # seconds that a server has had to get ready
FEW = 100  # letters of a sentence that are printed


def main() -> None:
    parser = argparse.ArgumentParser(description="Files made to harm, given to a running app.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--up", type=float, default=UP, help="seconds that the server has had to get ready")
    asked = parser.parse_args()
    files = [path for path in sorted(asked.folder.resolve().iterdir()) if path.suffix != ".md"]
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TMPDIR"] = folder  # where the server keeps uploads
        with serve("app.py", f"{folder}/cache") as (server, url):
            time.sleep(asked.up)
            given = [(path, by_path) for path in files for by_path in (False, True) if by_path or path.is_file()]
            rows = [asyncio.run(tried(url.removeprefix("http://"), *each)) for each in given]
            alive = server.poll() is None
    heading(f"{len(rows)} files given; the server {'is there' if alive else 'has ended'}")
    table(("file", "given by", "seconds", "health", "what is said"), rows)


async def tried(address: str, path: Path, by_path: bool) -> tuple[str, ...]:
    """What the page said of one, the seconds it took, and the slowest answer about the server's health meanwhile."""
    stream = await Stream.open(address)
    try:
        await stream.until(lambda: stream.runs and not stream.running)
        await stream.choose("Matrix", "File or model folder here" if by_path else "Upload")
        await stream.until(lambda: ("Path" if by_path else "File") in stream.choices and not stream.running)
        stream.errors.clear()
        with asking(address) as slow:
            if by_path:
                start = time.perf_counter()
                await stream.write("Path", str(path))
            else:
                await stream.upload("File", path.name, path.read_bytes())
                start = stream.had
            with suppress(TimeoutError):
                await stream.until(lambda: stream.errors, LONG)
            seconds = time.perf_counter() - start
        said = "; ".join(dict.fromkeys(stream.errors)) or f"nothing in {LONG:.0f} s"
        way = "path" if by_path else "upload"
        return path.name, way, against(seconds, ASKED, ".2f"), against(max(slow), ASKED, ".2f"), said[:FEW]
    finally:
        await stream.close()


@contextmanager
def asking(address: str) -> Iterator[list[float]]:
    """Seconds of each answer about the server's health, while it is asked for."""
    times, over = [0.0], Event()

    def ask() -> None:
        while not over.wait(PAUSE):
            start = time.perf_counter()
            try:
                urllib.request.urlopen(f"http://{address}/_stcore/health", timeout=LONG).close()
            except OSError:
                times.append(float("inf"))
                return
            times.append(time.perf_counter() - start)

    asker = Thread(target=ask, daemon=True)
    asker.start()
    try:
        yield times
    finally:
        over.set()
        asker.join(LONG)


if __name__ == "__main__":
    main()
