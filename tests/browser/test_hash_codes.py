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


def test_bits_answer_while_they_are_dragged_and_stay_as_they_were_told(visit, app, card, settle):
    page = visit(f"{app}/hash_codes?matrix=toy&hash_bits=32")
    hand, shown, error = page.get_by_role("slider", name="Bits"), card(page, "Bits a row"), card(page, "Relative error")
    box, before = hand.bounding_box(), float(shown.inner_text())
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 8 + 24 / 504 * (box["width"] - 16), y)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.9 * box["width"], y)
    expect(error).to_contain_text(re.compile("≈|…"))  # by how much is known of the table by now
    told = float(shown.inner_text()), error.inner_text()
    assert told[0] > before + 350 and "hash_bits=32" in page.url
    expect(page.locator(".marks", has_text=re.compile(r"4\d\d bits"))).to_have_count(int("…" not in told[1]))
    page.mouse.up()
    page.wait_for_url(re.compile(r"[?&]hash_bits=4\d\d(&|$)"))
    expect(
        page.get_by_text("settings that are known", exact=False).or_(page.get_by_text("one setting that is known"))
    ).to_be_visible()
    assert (float(shown.inner_text()), error.inner_text()) == told
    settle(page)


def test_a_preview_says_what_the_full_fit_then_has(visit, app, card):
    page = visit(f"{app}/hash_codes?matrix=toy&hash_bits=448&hash_stages=4")
    shown = page.locator(".card").filter(has_text="Relative error")
    expect(shown).to_contain_text(re.compile(r"≈ [\d.e-]+"))
    expect(shown).to_contain_text(re.compile(r"± [\d.e-]+"))
