"""Robustness in a real browser."""

from playwright.sync_api import expect


def test_the_page_opens_with_its_charts_and_fits_a_wide_screen_and_a_phone(visit, app, fits):
    page = visit(f"{app}/robustness?matrix=toy&planted=20", viewport={"width": 1440, "height": 900})
    expect(page.get_by_role("heading", name="Who pulls the fit?")).to_have_count(1)
    expect(page.locator(".js-plotly-plot")).to_have_count(3)
    assert fits(page) and fits(page, 390)


def test_moving_p_changes_the_figures_and_the_address(visit, app, slide, card):
    page = visit(f"{app}/robustness?matrix=toy&planted=20&robust_p=1.5")
    shown = card(page, "Turned, ℓp")
    before = shown.inner_text()
    slide(page, "Exponent p", "robust_p=1.55")
    page.get_by_text("Turned, ℓp, p = 1.55").wait_for()
    expect(shown).not_to_have_text(before)
    assert float(shown.inner_text().strip("°")) > float(before.strip("°"))
