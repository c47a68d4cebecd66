"""Hash codes in a real browser."""

from playwright.sync_api import expect


def test_the_page_opens_with_its_charts_and_fits_a_wide_screen_and_a_phone(visit, app, fits):
    page = visit(f"{app}/hash_codes?matrix=toy&hash_bits=32", viewport={"width": 1440, "height": 900})
    expect(page.get_by_role("heading", name="What can bits restore?")).to_have_count(1)
    page.locator(".js-plotly-plot").nth(2).wait_for()
    assert fits(page) and fits(page, 390)


def test_moving_bits_changes_the_figures_and_the_address(visit, app, slide, card):
    page = visit(f"{app}/hash_codes?matrix=toy&hash_bits=32")
    shown = card(page, "Bits a row")
    before = shown.inner_text()
    slide(page, "Bits", "hash_bits=40")
    expect(shown).not_to_have_text(before)
    assert float(shown.inner_text()) > float(before) + 7
