"""Maps of many rows in a real browser: frames while a hand pans, the first picture, a table of documents to its coloured map.

Points are planted clusters. Frames are those in which the map drew while it was dragged about for some seconds in headless Chromium
without a graphics card, where the map paints by itself; beside it WebGL done by the processor, which it is made to use. A hand
moves 60 times a second, whether or not the page keeps up. Pages are composed as Chromium does it by itself where there is no
graphics card, and also by SwiftShader, which stands in for one and takes the processor longer.
"""

import asyncio
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import numpy as np
import psutil
import pyarrow as pa
from playwright.async_api import Browser, Page, async_playwright
from playwright.sync_api import sync_playwright
from pyarrow import parquet

from benchmarks.browser import FLAGS, ROOT, chromium, executable, serve
from benchmarks.table import against, at_least, heading, table

HARNESS = ROOT / "tests" / "browser" / "map_harness.py"
COUNTS = {100_000: 30, 400_000: 20, 1_000_000: None}  # rows, and the frames a second that are asked for
DRAGGED, EVERY = 3.0, 1 / 60  # seconds: how long a hand drags, and from one of its moves to the next
BY_ITSELF = ["--no-sandbox", "--disable-background-networking", "--disable-gpu-compositing", "--enable-unsafe-swiftshader"]
N, DIM, LABELS = 200_000, 384, 12
# A frame is one in which points were drawn: by either painter.
WATCH = """() => {
  window.drawn = 0;
  for (const [of, name] of [
    [WebGL2RenderingContext, 'drawArrays'], [WebGL2RenderingContext, 'drawElements'], [CanvasRenderingContext2D, 'putImageData'],
  ]) {
    const draw = of.prototype[name];
    of.prototype[name] = function (...all) { window.drawn++; return draw.apply(this, all); };
  }
}"""
A_CARD = """
const told = WebGL2RenderingContext.prototype.getParameter;
WebGL2RenderingContext.prototype.getParameter = function (name) {
  return name === 0x9246 || name === this.RENDERER ? 'a graphics card' : told.call(this, name);
};"""
# Whether the map of that many rows has drawn, coloured by that.
DRAWN = """(words) => {
  const inside = (root) => [...root.querySelectorAll('*')]
    .flatMap((each) => [each, ...(each.shadowRoot ? inside(each.shadowRoot) : [])]);
  return inside(document).some((each) => each.matches('.points') && words.test(each.getAttribute('aria-label') ?? ''));
}"""


def main(arguments: Sequence[str] = ()) -> None:
    heading("Maps of many rows")
    with tempfile.TemporaryDirectory() as folder:
        with serve(HARNESS, folder) as (_, url):
            columns = ("rows", "frames a second", "by WebGL", "first picture", "by SwiftShader", "by WebGL")
            table(columns, asyncio.run(all_panned(url)))
        print()
        opened(Path(folder))


async def all_panned(url: str) -> list[tuple[str, ...]]:
    found = []
    async with async_playwright() as playwright:
        for n, asked in COUNTS.items():
            row = [f"{n:,}"]
            for flags in (BY_ITSELF, FLAGS):
                browser = await playwright.chromium.launch(executable_path=executable(), args=flags)
                seconds, rate, other = await panned(browser, url, n)
                row += [f"{rate:.0f}" if asked is None else at_least(rate, asked, ".0f"), f"{other:.0f}"]
                if flags is BY_ITSELF:
                    row.append(against(seconds, 3, ".1f") if n == 400_000 else f"{seconds:.1f}")
                await browser.close()
            found.append(tuple(row))
    return found


async def panned(browser: Browser, url: str, n: int) -> tuple[float, float, float]:
    """Seconds from opening the page of a server that has the positions to points on the map; frames a second, and by WebGL."""
    await (await visited(browser, url, n, None))[0].close()  # which plants them
    page, seconds = await visited(browser, url, n, None)
    by_itself = await frames(page)
    other, _ = await visited(browser, url, n, A_CARD)
    return seconds, by_itself, await frames(other)


async def visited(browser: Browser, url: str, n: int, script: str | None) -> tuple[Page, float]:
    page = await browser.new_page(viewport={"width": 1440, "height": 1000})
    if script:
        await page.add_init_script(script)
    began = time.perf_counter()
    await page.goto(f"{url}/?n={n}")
    await page.wait_for_function(f"() => ({DRAWN})(/{n:,} points/)")
    return page, time.perf_counter() - began


async def frames(page: Page) -> float:
    """A second, while the map is dragged about; then the page is closed."""
    await page.wait_for_timeout(1500)
    await page.locator(".points").press("+")
    await page.wait_for_timeout(1000)
    await page.evaluate(WATCH)
    box = await page.locator(".stage").bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    await page.mouse.move(x, y)
    await page.mouse.down()
    await page.evaluate("drawn = 0")
    began, moves = time.perf_counter(), []
    while (now := time.perf_counter() - began) < DRAGGED:
        turn = 60 * now
        moves.append(asyncio.ensure_future(page.mouse.move(x + 120 * np.sin(turn / 9), y + 80 * np.cos(turn / 13))))
        await asyncio.sleep(EVERY)
    found = await page.evaluate("drawn") / (time.perf_counter() - began)
    await asyncio.gather(*moves)
    await page.mouse.up()
    await page.close()
    return found


def opened(folder: Path) -> None:
    """From the address to a map coloured by a column, on a server that is up and has opened none, and the most memory that server
    and what it starts then take."""
    write(folder / "documents.parquet")
    with sync_playwright() as playwright, serve("app.py", str(folder / "cache")) as (server, url):
        time.sleep(10)
        browser = chromium(playwright)
        page = browser.new_page(viewport={"width": 1440, "height": 1000})
        with watched(server.pid) as most:
            began = time.perf_counter()
            page.goto(f"{url}/subspaces?matrix={folder / 'documents.parquet'}&colour_by=label&layout=PCA")
            page.wait_for_function(f"() => ({DRAWN})(/by PCA.*coloured by label/)", timeout=120_000)
            seconds = time.perf_counter() - began
        browser.close()
    print(f"{N:,} × {DIM} with three columns to a map coloured by a label: {against(seconds, 6, '.1f')} s")
    print(f"memory of server and its processes until then, at most: {against(most[0] / 1e9, 1.5, '.2f')} GB")


@contextmanager
def watched(pid: int) -> Iterator[list[int]]:
    """The most bytes that a process and its children hold for themselves meanwhile, shared ones counted once."""
    most, on = [0], True

    def look() -> None:
        while on:
            held = 0
            for each in [process := psutil.Process(pid), *process.children(recursive=True)]:
                try:
                    held += each.memory_full_info().pss
                except psutil.Error:  # it has just ended
                    continue
            most[0] = max(most[0], held)
            time.sleep(0.05)

    looking = Thread(target=look, daemon=True)
    looking.start()
    try:
        yield most
    finally:
        on = False
        looking.join()


def write(path: Path) -> None:
    """Planted clusters with a label, a number and a text."""
    random = np.random.default_rng(0)
    label = random.integers(0, LABELS, N)
    centres = 2 * random.standard_normal((LABELS, DIM)).astype(np.float32)
    values = centres[label] + random.standard_normal((N, DIM), np.float32)
    words = random.integers(0, 400, (N, 8))
    texts = [" ".join(f"word{word}" for word in row) + f" of topic{z}" for row, z in zip(words, label, strict=True)]
    columns = {
        "embedding": pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), DIM),
        "label": [f"topic {z}" for z in label],
        "year": 1990 + 2 * label + random.standard_normal(N),
        "text": texts,
    }
    parquet.write_table(pa.table(columns), path)


if __name__ == "__main__":
    main()
