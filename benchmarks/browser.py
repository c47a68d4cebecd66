"""A running app and a browser beside it: when a page is still, its sliders, dragged or stepped, and the bytes it was sent."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from threading import Thread

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
SLIDERS = '[data-testid="stMain"] :is(input[type="range"], [role="slider"])'
# How far along a slider stands, from 0 to 1.
SHARE = """each => {
  const [low, high, value] = each.matches('input') ? [each.min, each.max, each.value]
    : ['aria-valuemin', 'aria-valuemax', 'aria-valuenow'].map((name) => each.getAttribute(name));
  return (value - low) / (high - low || 1);
}"""
# Every frame until `dragged` is called: what the page says, apart from sliders.
WATCH = """() => {
  const seen = new Set(), times = [];
  let on = true;
  const beside = '[data-testid="stSlider"], [role="slider"], label, output';
  const words = (root) => [...root.querySelectorAll('*')].flatMap((each) => [
    ...(each.shadowRoot ? words(each.shadowRoot) : []),
    ...(each.closest(beside) ? [] : [...each.childNodes].filter((node) => node.nodeType === 3).map((node) => node.data)),
  ]);
  const frame = (time) => {
    if (!on) return;
    times.push(time);
    seen.add(words(document.querySelector('[data-testid="stMain"]')).join('|'));
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
  window.dragged = () => { on = false; return [seen.size - 1, times]; };
}"""


def chromium(playwright):
    return playwright.chromium.launch(executable_path=executable(), args=FLAGS)


def executable() -> str | None:
    """The Chromium of the PATH; None for Playwright's own."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


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


def sliders(page) -> Iterator[tuple[str, object]]:
    """Every slider in sight, after its name."""
    found = page.locator(SLIDERS)
    for at in range(found.count()):
        slider = found.nth(at)
        if slider.is_visible() and slider.is_enabled():
            yield slider.get_attribute("aria-label") or f"slider {at + 1}", slider


def step(page, slider) -> float:
    """Seconds from one step of a slider to a still page: to the right, from its end to the left."""
    slider.focus()
    slider.press("ArrowLeft" if slider.evaluate(SHARE) >= 1 else "ArrowRight")
    return still(page)


def drag(page, slider) -> tuple[int, float, float]:
    """A slider is dragged in 40 moves of 4 pixels: how many different answers the page gave meanwhile, the frame that 95 % are not
    longer than, in ms, and the seconds from letting go to a still page."""
    slider.scroll_into_view_if_needed()
    still(page)
    box = slider.bounding_box()
    share = slider.evaluate(SHARE)
    x, y = box["x"] + box["width"] * (share if box["width"] > 60 else 0.5), box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.evaluate(WATCH)
    for move in range(1, 41):
        page.mouse.move(x + (-4 if share > 0.5 else 4) * move, y)
        page.wait_for_timeout(30)
    answers, times = page.evaluate("dragged()")
    page.mouse.up()
    seconds = still(page)
    gaps = sorted(after - before for before, after in pairwise(times))
    return answers, gaps[int(0.95 * len(gaps))] if gaps else float("inf"), seconds


class Counted:
    """A door before a server that counts what comes out: headers, files and messages as they go over the wire."""

    def __init__(self, url: str) -> None:
        self.server = ("127.0.0.1", int(url.rsplit(":", 1)[1]))
        self.sent = 0
        self.door = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.door.getsockname()[1]}"
        Thread(target=self._open, daemon=True).start()

    def _open(self) -> None:
        while True:
            inside, outside = self.door.accept()[0], socket.create_connection(self.server)
            Thread(target=self._pass, args=(inside, outside), daemon=True).start()
            Thread(target=self._pass, args=(outside, inside, True), daemon=True).start()

    def _pass(self, giver: socket.socket, taker: socket.socket, counted: bool = False) -> None:
        try:
            while part := giver.recv(1 << 16):
                self.sent += len(part) if counted else 0
                taker.sendall(part)
            taker.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # either side has gone
