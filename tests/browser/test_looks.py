"""How a person looks at a screen stays while settings move, and goes with what it was a look at."""

import re
from pathlib import Path

from playwright.sync_api import expect

LOOK = """key => {
  const chart = document.querySelector(`.st-key-${key} .js-plotly-plot`);
  const { xaxis, yaxis } = chart._fullLayout;
  const hidden = chart._fullData.filter((trace) => trace.visible === 'legendonly').map((trace) => trace.name);
  return { x: xaxis.range, y: yaxis.range, hidden };
}"""


def drag(page, place, *corners):
    """Over shares of a box, from the first to the last."""
    place.scroll_into_view_if_needed()
    box = place.bounding_box()
    at = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in corners]
    page.mouse.move(*at[0])
    page.mouse.down()
    for each in at[1:]:
        page.mouse.move(*each, steps=6)
    page.mouse.up()


def go(page, name, settle):
    page.get_by_test_id("stSidebarNav").get_by_role("link", name=name).click()
    page.wait_for_url(re.compile(name.lower() if name != "Spectrum" else r"/(\?|$)"))
    settle(page)


def open_demo(page, settle):
    page.get_by_role("combobox", name="Matrix").click()
    page.get_by_role("option", name="Demo: all-MiniLM").click()
    page.get_by_text("30,522 rows").first.wait_for()
    settle(page)


def test_zoom_and_hidden_lines_of_a_chart_stay_while_they_mean_something(visit, app, settle, slide):
    page = visit(f"{app}/?matrix=toy&j=3&precision=int8")
    chart = page.locator(".st-key-rank_errors")
    drag(page, chart.locator(".nsewdrag"), (0.3, 0.3), (0.7, 0.7))
    chart.locator(".legendtoggle").first.click()
    page.wait_for_function(f"({LOOK})('rank_errors').hidden.length === 1")
    look = page.evaluate(LOOK, "rank_errors")
    assert look["x"][0] > 5
    slide(page, "Dimension j of the subspace", "j=4")
    assert page.evaluate(LOOK, "rank_errors") == look
    go(page, "Subspaces", settle)
    go(page, "Spectrum", settle)
    assert page.evaluate(LOOK, "rank_errors") == look
    page.get_by_text("Log scale").click()
    settle(page)
    logged = page.evaluate(LOOK, "rank_errors")
    assert logged["x"] == look["x"] and logged["y"][0] < 0  # a power of ten
    open_demo(page, settle)
    assert page.evaluate(LOOK, "rank_errors")["x"][1] > 380


def test_lasso_search_and_tab_stay_until_another_matrix_is_opened(visit, app, settle, slide):
    page = visit(f"{app}/subspaces?matrix=toy&k=3&restarts=1&layout=PCA", viewport={"width": 1280, "height": 1000})
    page.get_by_role("tab", name="Angles").click()
    page.get_by_role("textbox", name="Find a").fill("12")
    page.keyboard.press("Enter")
    settle(page)
    page.keyboard.down("Shift")
    drag(page, page.locator(".stage"), (0.3, 0.3), (0.7, 0.3), (0.7, 0.7), (0.3, 0.7), (0.3, 0.3))
    page.keyboard.up("Shift")
    words = page.get_by_text(re.compile(r"[\d,]+ rows in the lasso"))
    lassoed = words.inner_text()

    def looked_at():
        expect(words).to_have_text(lassoed)
        expect(page.get_by_role("tab", name="Angles")).to_have_attribute("aria-selected", "true")
        expect(page.get_by_role("textbox", name="Find a")).to_have_value("12")
        expect(page.get_by_role("button", name="Clear the selection")).to_be_enabled()

    slide(page, "Dimension j of each", "flat_j=4")
    looked_at()
    page.get_by_text("Full fit: the best of").wait_for(timeout=60_000)
    looked_at()
    go(page, "Spectrum", settle)
    go(page, "Subspaces", settle)
    looked_at()
    open_demo(page, settle)
    expect(words).to_have_count(0)
    expect(page.get_by_role("button", name="Clear the selection")).to_be_disabled()


def test_a_chart_is_downloaded_as_it_is_seen_in_the_pages_colours(visit, app):
    page = visit(f"{app}/?matrix=toy&j=3", color_scheme="dark")
    place = page.locator(".st-key-rank_errors .live-chart")
    place.hover()
    chart = place.locator(".js-plotly-plot")
    drag(page, chart.locator(".nsewdrag").first, (0.1, 0.5), (0.4, 0.6))
    files = {}
    for kind in ("SVG", "PNG"):
        with page.expect_download() as told:
            chart.locator(f'[data-title="Download as {kind}"]').click()
        assert told.value.suggested_filename == f"toy-spectrum-flatland-rank-errors.{kind.lower()}"
        files[kind] = Path(told.value.path()).read_bytes()
    width, height, ground = place.evaluate(
        "e => [e.clientWidth, e.clientHeight, getComputedStyle(document.querySelector('.stApp')).backgroundColor]"
    )
    svg = files["SVG"].decode()
    assert f'width="{width}" height="{height}"' in svg
    assert f"fill: {ground}" in svg
    assert "j = 3" in svg  # the mark of a dial
    assert files["PNG"].startswith(b"\x89PNG")
    assert [int.from_bytes(files["PNG"][at : at + 4]) for at in (16, 20)] == [2 * width, 2 * height]
