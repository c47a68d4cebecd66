"""The app in a real browser: how soon it opens, what it sends, how it answers a hand, what it holds. Run: python -m benchmarks.app

An argument names a page to look at alone. How far an ≈ lies from what is then shown, other benchmarks print.
"""

import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from statistics import median

import psutil
from playwright.sync_api import TimeoutError as PlaywrightTimeout
from playwright.sync_api import sync_playwright

from benchmarks.browser import Counted, chromium, drag, serve, sliders, step, still
from benchmarks.data import DATA, TABLES
from compress import METHODS

PAGES = {
    "": "Spectrum",
    "subspaces": "Subspaces",
    "robustness": "Robustness",
    "hash_codes": "Hash codes",
    "tradeoffs": "Trade-offs",
    "model_quality": "Model quality",
    "filters": "Filters",
    "lesson": "Lesson, scene 1",
    "lesson?scene=2": "Lesson, scene 2",
    "lesson?scene=3": "Lesson, scene 3",
    "lesson?scene=4&step=4": "Lesson, scene 4",
    "export": "Export",
}
QUICK = ("", "tradeoffs")  # pages whose sliders are held to a quarter of a second
ANSWERS = 20  # different answers that 40 moves of a dial are held to, where it has so many values
SESSIONS = 10
METHODS_SHOWN = """([methods, many]) => {
  const traces = [...document.querySelectorAll('.js-plotly-plot')].flatMap((each) => each._fullData ?? []);
  return methods.filter((method) => traces.some((trace) => trace.legendgroup === method)).length >= many;
}"""
WIDE = {"width": 1440, "height": 1000}
UP = 10  # seconds that a server has had to get ready


def main(arguments: Sequence[str] = ()) -> None:
    pages = [name for name in PAGES if not arguments or (name.partition("?")[0] or "spectrum") in arguments]
    with sync_playwright() as playwright:
        browser = chromium(playwright)
        print(f"{'what':70}{'measured':>12}{'target':>12}")
        if not arguments:
            first_looks(browser)
        with tempfile.TemporaryDirectory() as cache, serve("app.py", cache) as (server, url):
            weights(browser, url, [name for name in pages if "?" not in name])
            answers(browser, url, pages)
            answers_beside_work(browser, server, url, pages)
            if not arguments:
                memory(browser, server, url)
        browser.close()


def row(what: str, measured: str, target: str = "", least: bool = False) -> None:
    held_to = ("≥ " if least else "≤ ") + target if target else ""
    print(f"{what:70}{measured:>12}{held_to:>12}", flush=True)


def first_looks(browser) -> None:
    """Each on a server and a cache of its own."""
    table = next((path for path in sorted((DATA / TABLES[0]).glob("*.npy"))), None)
    looks = [
        ("first page with its chart after the start", "", "document.querySelector('.js-plotly-plot .scatterlayer path')", "5 s"),
        ("Trade-offs: seven methods on the chart", "tradeoffs", METHODS_SHOWN, "5 s"),
        ("Subspaces: UMAP in sight", "subspaces", by_umap(), "3 s"),
        *([(f"Subspaces of {TABLES[0]}: UMAP in sight", f"subspaces?matrix={table}", by_umap(), "8 s")] if table else []),
    ]
    at_once = [(*look, 0) for look in looks]
    later = [(f"{what}, server up for {UP} s", *look, UP) for what, *look in looks if look[1] == by_umap()]
    for what, address, sign, target, up in [*at_once, *later]:
        with tempfile.TemporaryDirectory() as cache:
            start = time.perf_counter()
            with serve("app.py", cache) as (_, url):
                page = browser.new_page(viewport=WIDE)
                time.sleep(up)
                if address:  # from opening the page, with the server up
                    start = time.perf_counter()
                page.goto(f"{url}/{address}")
                try:
                    page.wait_for_function(sign, arg=[list(METHODS), 7], timeout=120_000)
                    row(what, f"{time.perf_counter() - start:.2f} s", target)
                except PlaywrightTimeout:
                    row(what, "not in 120 s", target)
                page.close()


def by_umap() -> str:
    """Whether the map is there and says that UMAP placed its rows."""
    return """() => {
      const inside = (root) => [...root.querySelectorAll('*')]
        .flatMap((each) => [each, ...(each.shadowRoot ? inside(each.shadowRoot) : [])]);
      return inside(document).some((each) => / by UMAP/.test(each.getAttribute('aria-label') ?? ''));
    }"""


def weights(browser, url: str, pages: Sequence[str]) -> None:
    """Bytes that a browser is sent which was never here; each page was opened before."""
    for name in pages:
        visited(browser, url, name).close()
        counted = Counted(url)
        visited(browser, counted.url, name).close()
        row(f"{PAGES[name]}: sent to open the page", f"{counted.sent / 1e6:.2f} MB", "2 MB")


def answers(browser, url: str, pages: Sequence[str]) -> None:
    for name in pages:
        page = visited(browser, url, name)
        page.wait_for_timeout(8000)  # the full fit ends, and the browser has drawn everything once
        for label, slider in list(sliders(page)):
            what = f"{PAGES[name]}, {label}"
            row(f"{what}: to a still page", f"{median(step(page, slider) for _ in range(3)):.2f} s", target_of(name))
            seen, frame, seconds = drag(page, slider)
            answered(what, slider, seen)
            row(f"{what}: 95 % of frames while dragged", f"{frame:.0f} ms", "50 ms")
            row(f"{what}: let go to a still page", f"{seconds:.2f} s", target_of(name))
        page.close()


def answered(what: str, slider, seen: int) -> None:
    """Different answers in 40 moves. A slider of Streamlit's is no dial, and is silent until it is let go; a dial of a few values
    has no more answers than those."""
    what = f"{what}: answers in 40 moves"
    if not slider.evaluate("each => Boolean(each.closest('.dial'))"):
        row(what, "no dial")
    elif (values := round(slider.evaluate("each => 1 + (each.max - each.min) / (each.step || 1)"))) <= ANSWERS:
        row(what, f"{seen}, {values} values")
    else:
        row(what, str(seen), str(ANSWERS), least=True)


def answers_beside_work(browser, server, url: str, pages: Sequence[str]) -> None:
    """While a full fit of minutes, on all cores, is at work for another session, and what the page itself asks for waits behind
    it. A time counts only if the fit worked during it."""
    for number, name in enumerate(pages):
        page = visited(browser, url, name)
        busy = visited(browser, url, f"subspaces?k={32 - number}&j=60")  # of no fit that is kept
        page.bring_to_front()
        for label, slider in list(sliders(page)):
            times = [seconds for seconds in (beside_a_fit(page, slider, server) for _ in range(3)) if seconds is not None]
            measured = f"{median(times):.2f} s" if times else "no fit"
            row(f"{PAGES[name]}, {label}: beside a full fit", measured, "0.8 s")
        busy.close()
        page.close()


def beside_a_fit(page, slider, server) -> float | None:
    """Seconds from one step of a slider to a still page; None where no fit of the server's worked meanwhile."""
    still(page)
    before = worked(server)
    seconds = step(page, slider)
    return seconds if worked(server) > before else None


def worked(server) -> float:
    """Seconds of CPU that the fits of a server have had so far."""
    found = 0.0
    for child in psutil.Process(server.pid).children():
        with suppress(psutil.Error):  # one may just end
            if "fit" in child.cmdline():
                found += sum(child.cpu_times()[:2])
    return found


def memory(browser, server, url: str) -> None:
    """Of the server, and apart of the processes that it has started."""
    open_ones = [visited(browser, url, [*PAGES][number % len(PAGES)]) for number in range(SESSIONS)]
    process = psutil.Process(server.pid)
    children = sum(child.memory_info().rss for child in process.children(recursive=True))
    row(f"memory of the server, {SESSIONS} sessions", f"{process.memory_info().rss / 1e6:.0f} MB", "1,500 MB")
    print(f"{'memory of the jobs that it runs meanwhile':70}{children / 1e6:>9.0f} MB", flush=True)
    for page in open_ones:
        page.close()


def visited(browser, url: str, name: str):
    """A page of a new session, once it is still."""
    page = browser.new_page(viewport=WIDE)  # in a context of its own
    page.goto(f"{url}/{name}")
    still(page)
    return page


def target_of(name: str) -> str:
    return "0.25 s" if name in QUICK else "0.5 s"


if __name__ == "__main__":
    main(sys.argv[1:])
