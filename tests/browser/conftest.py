"""A running app and a browser to look at it with."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import defaultdict
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Error, expect, sync_playwright

ROOT = Path(__file__).parents[2]
FLAGS = [
    "--no-sandbox",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-gpu-compositing",
    "--enable-unsafe-swiftshader",
]
expect.set_options(timeout=30_000)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def serve(tmp_path_factory):
    """`serve(script, *args, env=None)` runs a Streamlit script of the repository, its own `args` after `--`, and gives its address.

    A script asked for again with the same arguments and environment is not started twice. All stop with the session.
    """
    running = {}

    def start(script, *args, env=None) -> str:
        asked = (str(script), args, tuple(sorted((env or {}).items())))
        if asked in running:
            return running[asked][1]
        port = free_port()
        log = tmp_path_factory.mktemp("serve") / "log.txt"
        options = {"headless": "true", "address": "127.0.0.1", "port": port, "fileWatcherType": "none"}
        command = [sys.executable, "-m", "streamlit", "run", str(script), "--browser.gatherUsageStats", "false"]
        command += [part for name, value in options.items() for part in (f"--server.{name}", str(value))]
        with log.open("wb") as out:
            process = subprocess.Popen(
                [*command, "--", *args],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT), "FLATLAND_AHEAD": "0", **(env or {})},
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        url = f"http://127.0.0.1:{port}"
        running[asked] = process, url
        _wait_until_healthy(process, url, log)
        return url

    yield start
    for process, _ in running.values():
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_healthy(process, url, log, limit=60.0):
    end = time.monotonic() + limit
    while time.monotonic() < end and process.poll() is None:
        try:
            urllib.request.urlopen(f"{url}/_stcore/health", timeout=2).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    pytest.fail(f"the app did not start:\n{log.read_text(errors='replace')}")


@pytest.fixture(scope="session")
def app(serve, tmp_path_factory):
    """The address of the app, with a cache of the session's own."""
    return serve("app.py", env={"FLATLAND_CACHE": str(tmp_path_factory.mktemp("cache"))})


@pytest.fixture(scope="session")
def browser():
    """Chromium from the PATH, or else Playwright's own, with software WebGL."""
    with sync_playwright() as playwright:
        path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        try:
            opened = playwright.chromium.launch(executable_path=path, args=FLAGS)
        except Error as error:
            absent = pytest.fail if os.environ.get("CI") else pytest.skip
            absent(f"no Chromium to test with: {error.message.splitlines()[0]}")
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def tabs(browser):
    """Tabs that are open and free, by the options of their context: a page that is opened in a used one finds its scripts read."""
    return defaultdict(list)


@pytest.fixture
def visit(browser, tabs):
    """`visit(url, init=None, viewport=…, color_scheme="light", **context)` opens a page and waits until the app is still.

    `init` is JavaScript to run before the page's own; `context` goes to `browser.new_context`. Each page of a test has a tab of its
    own, which comes from tests before with nothing of them left, or is new where `init` is given.
    """
    taken = []

    def open_page(url, init=None, viewport=None, color_scheme="light", **context):
        free = tabs[tuple(sorted(context.items()))] if init is None else []
        page = free.pop() if free else browser.new_context(**context).new_page()
        taken.append((page, free if init is None else None))
        page.set_viewport_size(viewport or {"width": 1280, "height": 900})
        page.emulate_media(color_scheme=color_scheme)
        if init:
            page.add_init_script(init)
        page.goto(url)
        settle_page(page)
        return page

    yield open_page
    for page, free in taken:
        if free is None:
            page.context.close()
        else:
            leave(page)
            free.append(page)


def leave(page):
    """Empty the tab: nothing routed, stored, held or pointed at."""
    page.unroute_all()
    page.evaluate("localStorage.clear(); sessionStorage.clear()")
    page.context.clear_cookies()
    page.goto("about:blank")
    page.keyboard.up("Shift")
    page.mouse.up()
    page.mouse.move(0, 0)


@pytest.fixture(scope="session")
def settle():
    """`settle(page)` waits until the app has stopped running."""
    return settle_page


@pytest.fixture(scope="session")
def slide():
    """`slide(page, label, address, times=1)` presses its arrow until `address`, say "j=7", is in the link and all is still."""

    def press(page, label, address, times=1):
        thumb = page.get_by_role("slider", name=label)
        thumb.focus()
        for _ in range(times):
            thumb.press("ArrowRight")
        page.wait_for_url(re.compile(rf"[?&]{re.escape(address)}(&|$)"))
        settle_page(page)

    return press


@pytest.fixture(scope="session")
def card():
    """`card(page, label)` is where the figure of that label stands."""
    return lambda page, label: page.locator(".card:visible").filter(has_text=label).locator(".value")


@pytest.fixture(scope="session")
def figures():
    """`figures(page)` is what the cards of the page show, by label."""

    def read(page):
        cards = page.locator(".card:visible").all()
        return {each.locator(".name span").inner_text().strip(): each.locator(".value").inner_text().strip() for each in cards}

    return read


@pytest.fixture(scope="session")
def go():
    """`go(page, name)` opens another page of the app by its link."""

    def follow(page, name):
        link = page.get_by_test_id("stSidebarNav").get_by_role("link", name=name)
        path = urlsplit(link.get_attribute("href")).path
        link.click()
        page.wait_for_url(lambda url: urlsplit(url).path == path)
        settle_page(page)

    return follow


@pytest.fixture(scope="session")
def copied():
    """`copied(page)` is the link that the page gives away."""

    def read(page):
        page.get_by_role("button", name="Copy link").click()
        return page.get_by_test_id("stPopoverBody").locator("code").inner_text()

    return read


@pytest.fixture
def downloaded(tmp_path):
    """`downloaded(page, button)` is the file that one click on the button gives, in the test's own folder."""

    def press(page, button):
        with page.expect_download() as waiting:
            page.get_by_test_id("stDownloadButton").get_by_role("button", name=button).click()
        waiting.value.save_as(tmp_path / waiting.value.suggested_filename)
        return tmp_path / waiting.value.suggested_filename

    return press


@pytest.fixture(scope="session")
def fits():
    """`fits(page, width=None)` says whether nothing lies beyond its side, once narrowed to `width`, and no exception is shown."""

    def look(page, width=None):
        if width:
            page.set_viewport_size({"width": width, "height": 844})
            settle_page(page)
        expect(page.get_by_test_id("stException")).to_have_count(0)
        return page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth + 2")

    return look


def settle_page(page, quiet=300):
    """Wait until, from now on, the app has not run for `quiet` milliseconds and nothing on the page is stale.

    Stillness before the call does not count: an address may change a moment before the page shows that the app runs.
    """
    page.evaluate("window.busyAt = undefined")
    page.wait_for_function(
        """quiet => {
          const app = document.querySelector('[data-testid="stApp"]');
          const busy = app?.dataset.testScriptState !== 'notRunning'
            || document.querySelector('[data-testid="stSkeleton"], [data-testid="stSpinner"], [data-stale="true"]')
            || !document.querySelector('[data-testid="stMain"] [data-testid="stElementContainer"]');
          if (busy) window.busyAt = performance.now();
          return performance.now() - (window.busyAt ??= performance.now()) > quiet;
        }""",
        arg=quiet,
        polling=50,  # a look at every frame would have every frame drawn
        timeout=60_000,
    )
