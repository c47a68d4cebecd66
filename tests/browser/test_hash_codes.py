"""Hash codes in a real browser."""

import re

from playwright.sync_api import expect


def test_the_page_opens_with_its_charts_and_fits_a_wide_screen_and_a_phone(visit, app, fits, card):
    page = visit(f"{app}/hash_codes?matrix=toy&hash_bits=32", viewport={"width": 1440, "height": 900})
    expect(page.get_by_role("heading", name="What can bits restore?")).to_have_count(1)
    page.locator(".js-plotly-plot").nth(2).wait_for()
    svd = page.locator(".card").filter(has_text="SVD at the same bytes")
    expect(svd.get_by_text("SVD, j = 8, int4")).to_be_visible()
    page.get_by_text("Full fit over all rows").wait_for()
    expect(card(page, "Relative error")).not_to_contain_text("≈")
    assert fits(page) and fits(page, 390)


def test_moving_bits_changes_the_figures_and_the_address(visit, app, slide, card):
    page = visit(f"{app}/hash_codes?matrix=toy&hash_bits=32")
    shown = card(page, "Bits a row")
    before = shown.inner_text()
    slide(page, "Bits", "hash_bits=40")
    expect(shown).not_to_have_text(before)
    assert float(shown.inner_text()) > float(before) + 7


def test_a_preview_says_what_the_full_fit_then_has(visit, app, card):
    page = visit(f"{app}/hash_codes?matrix=toy&hash_bits=448&hash_stages=4")
    shown = page.locator(".card").filter(has_text="Relative error")
    expect(shown).to_contain_text(re.compile(r"≈ [\d.e-]+"))
    expect(shown).to_contain_text(re.compile(r"± [\d.e-]+"))
