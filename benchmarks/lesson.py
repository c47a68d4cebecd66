"""A step of each scene of the lesson, and of one chart drawn in place and anew. Run: python -m benchmarks.lesson"""

import sys
import tempfile
from pathlib import Path
from statistics import median

from playwright.sync_api import sync_playwright

from benchmarks.app import row
from benchmarks.browser import chromium, serve, still

STEPS = 5  # that are timed of each
CHART = """
import streamlit as st
from compress.lesson import flats
from pages.parts.live_chart.library.library import route
from pages.parts.live_chart.live_chart import live_chart

def page():
    step = st.session_state.setdefault("step", 4)
    if st.button("Next"):
        step = st.session_state["step"] = 4 + (step + 1) % 10
    chart = flats.costs(st.cache_resource(flats.history)(3, 2, 1), step)
    if {in_place}:
        live_chart(chart, key="chart", alt="costs", of="lesson")
    else:
        st.plotly_chart(chart, key="chart")

if __name__ == "__main__":
    page()
else:
    server = st.App(__file__, routes=[route("")])
"""


def main(arguments: list[str] | None = None) -> None:
    with tempfile.TemporaryDirectory() as cache, sync_playwright() as playwright:
        browser = chromium(playwright)
        with serve("app.py", cache) as (_, url):
            for scene in range(1, 6):
                page = browser.new_page(viewport={"width": 1440, "height": 900})
                page.goto(f"{url}/lesson?scene={scene}")
                row(f"lesson, scene {scene}: a step to still page", f"{median(step(page)):.2f} s", "0.3 s")
                page.close()
        times = {in_place: alone(browser, cache, in_place) for in_place in (True, False)}
        browser.close()
        row("a chart of that page alone: in place over anew", f"{times[True] / times[False]:.2f}", "1")


def alone(browser, cache: str, in_place: bool) -> float:
    """Seconds that a step of a page with one chart takes."""
    script = Path(cache) / f"chart_{in_place}.py"
    script.write_text(CHART.format(in_place=in_place), encoding="utf-8")
    with serve(script, cache) as (_, url):
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(url)
        return median(step(page))


def step(page) -> list[float]:
    """Seconds of each step by the button or else by the first slider, the very first one left out."""
    still(page)
    seconds = []
    for _ in range(STEPS + 1):
        button = page.get_by_role("button", name="Next", exact=True)
        if not button.count():
            slider = page.get_by_role("slider").first
            slider.focus()
            slider.press("ArrowRight")
        elif button.is_enabled():
            button.click()
        else:
            break
        seconds.append(still(page))
    return seconds[1:]


if __name__ == "__main__":
    main(sys.argv[1:])
