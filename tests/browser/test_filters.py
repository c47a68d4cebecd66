"""Filters in a real browser."""

import re

import pytest
from playwright.sync_api import expect


@pytest.mark.parametrize("width", [1440, 390])
def test_the_page_opens_with_its_charts_and_fits_the_screen(visit, app, width):
    page = visit(f"{app}/filters?matrix=toy", viewport={"width": width, "height": 900})
    expect(page.get_by_role("heading", name="Which filters does a network need?")).to_have_count(1)
    expect(page.locator(".js-plotly-plot")).to_have_count(6)
    expect(page.locator('[data-testid="stException"]')).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth + 2")


def test_moving_the_budget_changes_the_figures_and_the_address(visit, app):
    page = visit(f"{app}/filters?matrix=toy&filters_keep=20")
    card = page.locator('[data-testid="stMetric"]').filter(has_text="Parameters").locator('[data-testid="stMetricValue"]')
    before = card.inner_text()
    thumb = page.get_by_role("slider", name="Kept, %")
    thumb.focus()
    thumb.press("ArrowRight")
    page.wait_for_url(re.compile(r"[?&]filters_keep=21"))
    expect(card).not_to_have_text(before)
    assert float(card.inner_text().split()[0]) > float(before.split()[0])


def test_the_comparison_ends_in_words_without_being_asked(visit, app):
    page = visit(f"{app}/filters?matrix=toy")
    expect(page.get_by_text(re.compile("One shot, (no other way|at)"))).to_have_count(1)
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)
