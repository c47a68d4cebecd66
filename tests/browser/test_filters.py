"""Filters in a real browser."""

import re

from playwright.sync_api import expect


def test_the_page_opens_with_its_charts_compares_without_being_asked_and_fits_a_wide_screen_and_a_phone(visit, app, fits):
    page = visit(f"{app}/filters?matrix=toy", viewport={"width": 1440, "height": 900})
    expect(page.get_by_role("heading", name="Which filters does a network need?")).to_have_count(1)
    expect(page.locator(".js-plotly-plot")).to_have_count(6)
    expect(page.get_by_text(re.compile("One shot, (no other way|at)"))).to_have_count(1)
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)
    assert fits(page) and fits(page, 390)


def test_moving_the_budget_changes_the_figures_and_the_address(visit, app, slide, card):
    page = visit(f"{app}/filters?matrix=toy&filters_keep=20")
    shown = card(page, "Parameters")
    before = shown.inner_text()
    slide(page, "Kept, %", "filters_keep=21")
    expect(shown).not_to_have_text(before)
    assert float(shown.inner_text().split()[0]) > float(before.split()[0])
