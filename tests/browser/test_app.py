"""The whole app in a real browser, on the toy and on the demo matrix."""

import re
from urllib.parse import urlsplit

import numpy as np
import pytest
from playwright.sync_api import expect


@pytest.fixture
def page(visit, app):
    return visit(f"{app}/?matrix=toy&j=3&restarts=1&layout=PCA", viewport={"width": 1440, "height": 1000})


def slid(page, label):
    """Where a slider stands."""
    return page.get_by_role("slider", name=label).input_value()


def test_the_first_page_opens_on_the_demo_matrix(visit, app, figures):
    page = visit(app)
    expect(page.get_by_text("30,522 rows × 384 columns")).to_have_count(1)
    expect(page.locator(".js-plotly-plot")).to_have_count(2)
    assert figures(page)["Relative error"] == "0.567"


def test_a_page_that_is_the_first_address_asked_for_has_its_frame(visit, serve, tmp_path):
    fresh = serve("app.py", env={"FLATLAND_CACHE": str(tmp_path)})
    page = visit(f"{fresh}/subspaces?matrix=toy&k=3")
    expect(page.get_by_text("3,000 rows")).to_have_count(1)
    assert slid(page, "Number of subspaces k") == "3"


def test_moving_a_slider_changes_the_numbers_and_the_address(page, slide, card, figures):
    before = figures(page)
    slide(page, "Dimension j of the subspace", "j=7", times=4)
    for label in ("Kept energy", "Size"):
        expect(card(page, label)).not_to_have_text(before[label])
    expect(card(page, "Effective rank")).to_have_text(before["Effective rank"])


def test_the_full_fit_takes_the_previews_place_and_a_lasso_lists_tokens_with_their_subspace_and_error(page, settle, go):
    go(page, "Subspaces")
    page.get_by_text("Full fit: the best of").wait_for(timeout=60_000)
    settle(page)
    page.locator(".stage").scroll_into_view_if_needed()
    box = page.locator(".stage").bounding_box()
    corners = [(0.3, 0.3), (0.7, 0.3), (0.7, 0.7), (0.3, 0.7), (0.3, 0.3)]
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in corners]
    page.keyboard.down("Shift")
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=8)
    page.mouse.up()
    page.keyboard.up("Shift")
    words = page.get_by_text(re.compile(r"[\d,]+ rows in the lasso"))
    words.wait_for()
    assert int(words.inner_text().split(" ")[0].replace(",", "")) > 100
    expect(page.locator('[data-testid="stDataFrame"]')).to_have_count(1)


def test_recolouring_keeps_the_map_and_changes_its_legend(page, go):
    go(page, "Subspaces")
    expect(page.locator(".legend")).to_contain_text("subspace")
    page.locator(".st-key-colour").get_by_text("error", exact=True).click()
    page.locator(".legend", has_text="relative error of the row").wait_for()


def test_a_link_is_kept_on_the_way_to_other_pages(visit, app, go, copied):
    page = visit(f"{app}/?matrix=toy&j=4&k=3&seed=7&lesson_scene=2&lesson_seed=9&lesson_outlier_distance=6")
    go(page, "Lesson")
    expect(page.get_by_role("heading", name="2. How far can one point turn a line?")).to_be_visible()
    assert page.get_by_role("spinbutton", name="Seed").input_value() == "9"
    assert slid(page, "Distance of the far point") == "6"
    go(page, "Subspaces")
    assert slid(page, "Number of subspaces k") == "3"
    page.wait_for_url(re.compile(r"[?&]k=3"))
    link = copied(page)
    assert {"spectrum_j=4", "k=3", "seed=7", "lesson_scene=2", "lesson_seed=9"} <= {*urlsplit(link).query.split("&")}
    other = visit(link.replace("/subspaces", "/lesson"))
    assert other.get_by_role("spinbutton", name="Seed").input_value() == "9"


@pytest.mark.parametrize("name", ["", "subspaces", "tradeoffs", "export"])
def test_a_page_fits_a_phone_and_shows_no_exception(visit, app, fits, name):
    page = visit(f"{app}/{name}?matrix=toy", viewport={"width": 390, "height": 844})
    assert fits(page)
    if not name:  # the card below the others is as wide as they are
        assert page.locator(".worst").bounding_box()["width"] == page.locator(".figures").first.bounding_box()["width"]


def test_a_sweep_that_is_stopped_says_what_is_kept_and_goes_on(visit, app, tmp_path):
    np.save(tmp_path / "x.npy", np.random.default_rng(0).standard_normal((3000, 96)).astype(np.float32))
    page = visit(f"{app}/tradeoffs?matrix={tmp_path / 'x.npy'}")
    page.get_by_role("button", name=re.compile("^Fit k subspaces at ")).click()
    page.get_by_test_id("stProgress").get_by_text(re.compile(r"Sweep: [1-9]\d* of \d+ settings fitted")).wait_for()
    page.get_by_role("button", name="Stop").click()
    kept = page.get_by_text(re.compile(r"Sweep stopped\. Kept: [1-9]\d* of \d+ settings\."))
    kept.wait_for()
    before = int(re.search(r"Kept: (\d+)", kept.inner_text())[1])
    page.get_by_role("button", name="Go on").click()
    expect(kept).to_have_count(0)
    fitted = page.get_by_test_id("stProgress").get_by_text(re.compile(r"Sweep: [1-9]\d* of \d+ settings fitted"))
    assert int(re.search(r"Sweep: (\d+)", fitted.inner_text())[1]) >= before
    page.get_by_role("button", name="Stop").click()
    kept.wait_for()
    expect(page.get_by_test_id("stException")).to_have_count(0)
