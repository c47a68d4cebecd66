"""The app in a real browser: first chart after a start, sliders to a still page, memory. Run: python -m benchmarks.app"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import psutil
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[1]
FLAGS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
]
STILL = """() => {
  if (!window.changed) {
    window.changed = performance.now();
    new MutationObserver(() => { window.changed = performance.now(); })
      .observe(document.body, {childList: true, subtree: true, attributes: true, characterData: true});
  }
  const app = document.querySelector('[data-testid="stApp"]');
  const busy = app?.dataset.testScriptState !== 'notRunning' || document.querySelector('[data-stale="true"]');
  return [performance.now() - window.changed, Boolean(busy)];
}"""


def main(arguments: list[str] | None = None) -> None:
    with tempfile.TemporaryDirectory() as cache, sync_playwright() as playwright:
        browser = chromium(playwright)
        print(f"{'what':52}{'measured':>12}{'target':>12}")
        start = time.perf_counter()
        with serve("app.py", cache) as (server, url):
            page = browser.new_page(viewport={"width": 1440, "height": 1000})
            page.goto(url)
            page.locator(".js-plotly-plot .scatterlayer path").first.wait_for(timeout=60_000)
            row("first page with its chart after the start", f"{time.perf_counter() - start:.2f} s", "5 s")
            page.close()
            page = browser.new_page(viewport={"width": 1440, "height": 1000})
            for address, label, target in (
                ("", "Dimension j of the subspace", "0.5 s"),
                ("subspaces", "Number of subspaces k", "1.0 s"),
                ("subspaces", "Dimension j of each", "1.0 s"),
            ):
                page.goto(f"{url}/{address}")
                still(page)
                page.wait_for_timeout(8000)  # the full fit ends, and the browser has drawn everything once
                row(f"{label}: slider to still page", f"{median(slide(page, label) for _ in range(3)):.2f} s", target)
            page.wait_for_timeout(8000)
            times = [recolour(page, name) for name in ("error", "norm", "subspace")]
            row("recolouring the map of 30,522 rows", f"{median(times):.2f} s", "0.5 s")
            memory = psutil.Process(server.pid).memory_info().rss / 1e6
            row("memory of the app, demo open and fitted", f"{memory:.0f} MB", "1,500 MB")
        browser.close()


def row(what: str, measured: str, target: str) -> None:
    print(f"{what:52}{measured:>12}{'≤ ' + target:>12}", flush=True)


def chromium(playwright):
    """The Chromium of the PATH, or else Playwright's own."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    return playwright.chromium.launch(executable_path=path, args=FLAGS)


@contextmanager
def serve(script: Path | str, cache: str) -> Iterator[tuple[subprocess.Popen, str]]:
    """A Streamlit script on a server of its own, from when that answers: the server, its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    server = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", str(script), "--server.headless", "true", "--server.port", str(port)],
        cwd=ROOT,
        env={**os.environ, "FLATLAND_CACHE": cache, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        answers = False
        while not answers:
            try:
                urllib.request.urlopen(f"{url}/_stcore/health", timeout=1).close()
                answers = True
            except OSError:
                time.sleep(0.05)
        yield server, url
    finally:
        server.terminate()
        server.wait()


def still(page, quiet: float = 0.35, limit: float = 60) -> float:
    """Seconds from now until the app has stopped running and the page has not changed for a while; that while not counted."""
    start = time.perf_counter()
    page.evaluate("window.changed &&= performance.now()")  # how still it was before does not count
    while time.perf_counter() - start < limit:
        idle, busy = page.evaluate(STILL)
        if idle > quiet * 1000 and not busy:
            return time.perf_counter() - start - quiet
        page.wait_for_timeout(20)
    return float("inf")


def slide(page, label: str) -> float:
    thumb = page.get_by_role("slider", name=label)
    thumb.focus()
    thumb.press("ArrowRight")
    seconds = still(page)
    page.wait_for_timeout(8000)
    return seconds


def recolour(page, name: str) -> float:
    page.locator(".st-key-colour").get_by_text(name, exact=True).click()
    return still(page)


if __name__ == "__main__":
    main()
