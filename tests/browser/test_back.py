"""The browser's Back, page by page."""

import pytest
from playwright.sync_api import expect


@pytest.fixture(scope="module")
def harness(serve):
    return serve("tests/browser/back_harness.py")


def go(page, name, settle):
    page.get_by_test_id("stSidebarNav").get_by_role("link", name=name).click()
    page.get_by_role("heading", name=name).wait_for()
    settle(page)


def back(page, settle):
    page.evaluate("history.back()")
    page.wait_for_timeout(100)
    settle(page)


def seen(page):
    """The page, and where its sliders stand."""
    return page.get_by_role("heading").inner_text(), [each.input_value() for each in page.get_by_role("slider").all()]


def test_back_returns_to_each_page_as_it_was_left_and_to_the_step_before(visit, harness, slide, settle):
    page = visit(harness)
    opened = page.evaluate("history.length")
    slide(page, "a", "a=3", times=3)
    slide(page, "b", "b=2", times=2)
    go(page, "second", settle)
    slide(page, "c", "c=1")
    go(page, "first", settle)
    slide(page, "a", "a=4")
    assert page.evaluate("history.length") == opened + 2
    go(page, "second", settle)
    page.get_by_role("button", name="Next").click()
    page.get_by_text("step 1").wait_for()
    settle(page)
    back(page, settle)
    expect(page.get_by_text("step 0")).to_be_visible()
    back(page, settle)
    assert seen(page) == ("first", ["4", "2"])
    back(page, settle)
    assert seen(page) == ("second", ["1"])
    back(page, settle)
    assert seen(page) == ("first", ["3", "2"])
