"""Hash codes in a real browser."""

import re

import pytest
from playwright.sync_api import expect


@pytest.mark.parametrize("width", [1440, 390])
def test_the_page_opens_with_its_charts_and_fits_the_screen(visit, app, width):
    page = visit(f"{app}/hash_codes?matrix=toy&hash_bits=32", viewport={"width": width, "height": 900})
    expect(page.get_by_role("heading", name="What can bits restore?")).to_have_count(1)
    page.locator(".js-plotly-plot").nth(2).wait_for()
    expect(page.locator('[data-testid="stException"]')).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth + 2")


def test_moving_bits_changes_the_figures_and_the_address(visit, app):
    page = visit(f"{app}/hash_codes?matrix=toy&hash_bits=32")
    card = page.locator('[data-testid="stMetric"]').filter(has_text="Bits a row").locator('[data-testid="stMetricValue"]')
    before = card.inner_text()
    thumb = page.get_by_role("slider", name="Bits")
    thumb.focus()
    thumb.press("ArrowRight")
    page.wait_for_url(re.compile(r"[?&]hash_bits=40"))
    expect(card).not_to_have_text(before)
    assert float(card.inner_text()) > float(before) + 7
