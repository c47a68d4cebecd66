"""Model quality in a real browser."""

import re

from playwright.sync_api import expect


def test_the_page_opens_with_its_tables_and_fits_a_wide_screen_and_a_phone(visit, app, fits):
    page = visit(f"{app}/model_quality?matrix=toy", viewport={"width": 1440, "height": 900})
    expect(page.get_by_role("heading", name="What does the model lose?")).to_have_count(1)
    page.locator('[data-testid="stDataFrame"]').nth(2).wait_for()
    expect(page.locator(".js-plotly-plot")).to_have_count(2)
    assert fits(page) and fits(page, 390)


def test_a_token_that_is_typed_has_other_neighbours_and_is_in_the_link(visit, app, settle):
    page = visit(f"{app}/model_quality?matrix=toy")
    told = page.locator('[data-testid="stCaptionContainer"]').filter(has_text="nearest are kept")
    before = told.inner_text()
    field = page.get_by_role("textbox", name="Find a row")
    field.fill("#7")
    field.press("Enter")
    page.wait_for_url(re.compile(r"[?&]quality_token=%237"))
    page.get_by_text("row 7:").wait_for()
    expect(told).not_to_have_text(before)
    settle(page)
    page.get_by_role("button", name="Copy link").click()
    link = page.locator("code").filter(has_text="quality_token").inner_text()
    again = visit(link)
    expect(again.locator('[data-testid="stCaptionContainer"]').filter(has_text="nearest are kept")).to_have_text(told.inner_text())
