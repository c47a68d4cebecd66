"""Robustness in a real browser."""

import re

import pytest
from playwright.sync_api import expect


@pytest.mark.parametrize("width", [1440, 390])
def test_the_page_opens_with_its_charts_and_fits_the_screen(visit, app, width):
    page = visit(f"{app}/robustness?matrix=toy&planted=20", viewport={"width": width, "height": 900})
    expect(page.get_by_role("heading", name="Who pulls the fit?")).to_have_count(1)
    expect(page.locator(".js-plotly-plot")).to_have_count(3)
    expect(page.locator('[data-testid="stException"]')).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth + 2")


def test_moving_p_changes_the_figures_and_the_address(visit, app, settle):
    page = visit(f"{app}/robustness?matrix=toy&planted=20&robust_p=1.5")
    card = page.locator('[data-testid="stMetric"]').filter(has_text="Turned, ℓp").locator('[data-testid="stMetricValue"]')
    before = card.inner_text()
    thumb = page.get_by_role("slider", name="Exponent p")
    thumb.focus()
    thumb.press("ArrowRight")
    page.wait_for_url(re.compile(r"[?&]robust_p=1\.55"))
    page.get_by_text("Turned, ℓp, p = 1.55").wait_for()
    expect(card).not_to_have_text(before)
    settle(page)
    assert float(card.inner_text().strip("°")) > float(before.strip("°"))
