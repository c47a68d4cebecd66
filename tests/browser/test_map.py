"""The map as a person meets it: drawn, recoloured, moved, hovered, lassoed, cleared."""

import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from compress.charts.palette import CATEGORIES

HARNESS = Path(__file__).with_name("map_harness.py")
A_CARD = """
const told = WebGL2RenderingContext.prototype.getParameter;
WebGL2RenderingContext.prototype.getParameter = function (name) {
  return name === 0x9246 || name === this.RENDERER ? 'a graphics card' : told.call(this, name);
};"""
COUNT_CONTEXTS = (
    A_CARD
    + """
window.contexts = [];
const get = HTMLCanvasElement.prototype.getContext;
HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
  const context = get.call(this, kind, ...rest);
  if (kind === 'webgl2' && !window.contexts.includes(context)) window.contexts.push(context);
  return context;
};"""
)
NO_WEBGL = """
for (const canvas of [HTMLCanvasElement, OffscreenCanvas]) {
  const get = canvas.prototype.getContext;
  canvas.prototype.getContext = function (kind, ...rest) { return kind === 'webgl2' ? null : get.call(this, kind, ...rest); };
}"""

COUNT_DRAWN = (
    A_CARD
    + """
window.drawn = [];
const { drawArrays, drawElements } = WebGL2RenderingContext.prototype;
WebGL2RenderingContext.prototype.drawArrays = function (...all) { drawn.push(all[2]); return drawArrays.apply(this, all); };
WebGL2RenderingContext.prototype.drawElements = function (...all) { drawn.push(all[1]); return drawElements.apply(this, all); };
"""
)
WATCH_WORDS = """() => {
window.written = [];
const fill = CanvasRenderingContext2D.prototype.fillText;
CanvasRenderingContext2D.prototype.fillText = function (text, ...at) {
  written.push(text);
  return fill.call(this, text, ...at);
};
}"""
HOSTILE = "<img src=x onerror=alert(1)>"

DIALS = "globalThis[Symbol.for('flatland.dials')]"
WATCH_GLIDE = """() => {
window.glide = { shares: [] };
const draw = WebGL2RenderingContext.prototype.drawArrays;
WebGL2RenderingContext.prototype.drawArrays = function (...all) {
  const program = this.getParameter(this.CURRENT_PROGRAM);
  glide.shares.push(this.getUniform(program, this.getUniformLocation(program, 'share')));
  return draw.apply(this, all);
};
}"""


@pytest.fixture(scope="module")
def harness(serve):
    return serve(HARNESS)


@pytest.fixture
def page(visit, harness):
    return visit(harness)


def picture(page):
    """The stage inside its frame as an RGB array (height, width, 3), with the cursor out of the way."""
    page.mouse.move(2, 2)
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return np.asarray(Image.open(io.BytesIO(page.locator(".stage").screenshot())).convert("RGB"))[8:-8, 8:-8].astype(int)


def painted(shot):
    """Where a picture (h, w, 3) differs from its background, as booleans (h, w)."""
    return np.abs(shot - np.median(shot, axis=(0, 1))).max(axis=2) > 40


def pixels_near(shot, colour):
    rgb = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
    return int((np.abs(shot - rgb).max(axis=2) < 30).sum())


def turn(page, by=1):
    slider = page.locator('[data-testid="stSlider"] input[type="range"]')
    slider.focus()
    was = int(re.search(r"turn (\d+)", page.get_by_text(", turn ").inner_text())[1])
    for step in range(was + 1, was + by + 1):
        slider.press("ArrowRight")
        page.get_by_text(re.compile(f"turn {step}$")).wait_for()


def press(page, *keys):
    for key in keys:
        page.locator(".points").press(key)


def lasso(page, corners, shift=False, steps=8):
    """Draw round `corners`, each as fractions of the stage's width and height."""
    box = page.locator(".stage").bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in corners]
    if shift:
        page.keyboard.down("Shift")
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in [*places[1:], places[0]]:
        page.mouse.move(*place, steps=steps)
    page.mouse.up()
    if shift:
        page.keyboard.up("Shift")


def result(page, starts):
    page.get_by_text(re.compile(f"^{starts}")).wait_for()
    return page.get_by_text(", turn ").inner_text()


LOWER_LEFT = ((0.02, 0.98), (0.02, 0.55), (0.47, 0.55), (0.47, 0.98))
LOWER_LEFT_ROWS = range(4, 4000, 4)  # the rows planted there; row 0 sits alone in the middle
LASSOED = f"{len(LOWER_LEFT_ROWS)} rows, sum {sum(LOWER_LEFT_ROWS)}, "


def test_every_category_is_drawn_in_its_colour(page):
    shot = picture(page)
    assert all(pixels_near(shot, colour) > 500 for colour in CATEGORIES[:4])
    assert page.locator(".points").get_attribute("aria-label") == "Map of all rows: 4,000 points, coloured by subspace"


def test_colours_of_a_scale_run_from_one_end_to_the_other(visit, harness):
    page = visit(f"{harness}/?kind=sequential")
    shot = picture(page)
    assert pixels_near(shot, "#603995") > 500
    assert len({tuple(c) for c in shot[painted(shot)] // 16}) > 30
    expect(page.locator(".legend")).to_have_text(re.compile("^squared x"))


def test_recolouring_changes_pixels_and_keeps_the_view(page):
    press(page, "+", "+", "ArrowLeft")
    before = picture(page)
    turn(page)
    after = picture(page)
    assert (painted(before) == painted(after)).mean() > 0.999
    assert (np.abs(before - after).max(axis=2) > 40)[painted(before)].mean() > 0.5


def test_lasso_selects_the_rows_planted_inside(page):
    page.get_by_role("button", name="Lasso").click()
    lasso(page, LOWER_LEFT)
    text = result(page, LASSOED)
    assert 4 <= int(re.search(r"(\d+) corners", text)[1]) <= 12


def test_shift_and_drag_lassos_a_moved_and_zoomed_map(page):
    press(page, "+", "+")
    lasso(page, ((0.4, 0.4), (0.6, 0.4), (0.6, 0.6), (0.4, 0.6)), shift=True)
    result(page, "1 rows, sum 0, ")


def test_lasso_outlives_recolouring_and_moves_with_the_map(page):
    lasso(page, LOWER_LEFT, shift=True)
    result(page, LASSOED)
    turn(page)
    result(page, LASSOED)
    drawn = picture(page)
    press(page, "Escape")
    result(page, "0 rows")
    assert (drawn != picture(page)).any()


def test_long_lasso_is_thinned_to_200_corners(page):
    angle = np.linspace(0, 2 * np.pi, 260)
    radius = 0.35 + 0.1 * (-1.0) ** np.arange(260)
    page.get_by_role("button", name="Lasso").click()
    lasso(page, [(0.5 + r * np.cos(a), 0.5 + r * np.sin(a)) for a, r in zip(angle, radius, strict=True)], steps=1)
    text = result(page, r"[1-9]\d* rows")
    assert 20 < int(re.search(r"(\d+) corners", text)[1]) <= 200


def test_escape_clears_the_lasso(page):
    clean = picture(page)
    lasso(page, LOWER_LEFT, shift=True)
    result(page, LASSOED)
    assert (np.abs(picture(page) - clean) > 8).any(axis=2).mean() > 0.05
    press(page, "Escape")
    result(page, "0 rows, sum 0, 0 corners")
    assert (picture(page) == clean).all()


def test_clear_button_is_there_for_those_without_a_keyboard(page):
    button = page.get_by_role("button", name="Clear the selection")
    assert button.is_disabled()
    lasso(page, LOWER_LEFT, shift=True)
    result(page, LASSOED)
    button.click()
    result(page, "0 rows")


def test_rows_glide_to_other_positions_and_what_was_chosen_goes_along(visit, harness):
    page = visit(harness, init=A_CARD)
    lasso(page, LOWER_LEFT, shift=True)
    result(page, LASSOED)
    page.evaluate(WATCH_GLIDE)
    page.get_by_text("mirrored").click()
    result(page, f"{len(LOWER_LEFT_ROWS)} rows, sum {sum(LOWER_LEFT_ROWS)}, 0 corners")
    page.wait_for_function("glide.shares.at(-1) === 1")
    shares = page.evaluate("glide.shares")
    assert shares[0] == 0 and shares == sorted(shares) and len(shares) > 2
    shot = picture(page)
    primary = page.locator(".map").evaluate("e => getComputedStyle(e).getPropertyValue('--st-primary-color')")
    half = shot.shape[1] // 2
    assert pixels_near(shot[:, half:], primary) > 500 > 20 > pixels_near(shot[:, :half], primary)
    page.get_by_text("mirrored").click()
    result(page, LASSOED)
    page.get_by_role("button", name="Clear the selection").click()
    result(page, "0 rows")


def test_points_stand_at_once_where_motion_is_unwelcome(visit, harness):
    page = visit(harness, init=A_CARD)
    page.emulate_media(reduced_motion="reduce")
    page.evaluate(WATCH_GLIDE)
    page.get_by_text("mirrored").click()
    page.wait_for_function("glide.shares.length > 0")
    assert set(page.evaluate("glide.shares")) == {1}


def test_a_dial_recolours_points_and_legend_until_it_is_back(visit, harness):
    page = visit(f"{harness}/?dial=1")
    before = picture(page)
    shown = []
    for groups in (2, 1, 4):
        page.evaluate(f"{DIALS}.move('groups', {groups})")
        shown.append(picture(page))
        counts = page.locator(".category").evaluate_all("all => all.map(e => parseInt(e.title.replace(',', '')))")
        assert counts == [4000 // groups] * groups
    assert [sum(pixels_near(shot, colour) > 500 for colour in CATEGORIES[:4]) for shot in shown] == [2, 1, 4]
    assert (shown[-1] == before).all()


def test_hostile_token_is_named_as_plain_text(page):
    page.locator(".points").hover()
    tip = page.locator(".tip")
    expect(tip.locator("bdi")).to_have_text('<img src=x onerror="window.stolen=1"><b>bold</b> **md** $x$ \u202eright to left')
    expect(tip.locator(".detail")).to_have_text("subspace: flat 0 · row 0")
    assert tip.locator("img, b").count() == 0
    assert page.evaluate("window.stolen") is None
    page.mouse.move(2, 2)
    assert tip.is_hidden()


def test_click_picks_one_row_and_a_click_beside_drops_it(page):
    page.locator(".points").click()
    result(page, "1 rows, sum 0, 0 corners")
    page.locator(".points").click(position={"x": 20, "y": 200})
    result(page, "0 rows")


def test_keys_pan_zoom_and_show_the_whole_map_again(page):
    whole = picture(page)
    seen = [painted(whole)]
    for key in ("+", "+", "ArrowRight", "ArrowUp", "-"):
        press(page, key)
        shot = painted(picture(page))
        assert (shot != seen[-1]).mean() > 0.002, key
        seen.append(shot)
    press(page, "0", "Escape")
    assert (painted(picture(page)) == seen[0]).mean() > 0.999


def test_row_at_the_centre_can_be_named_and_picked_from_the_keyboard(page):
    press(page, "+")
    expect(page.locator(".spoken")).to_have_text(re.compile("subspace: flat 0$"))
    press(page, "Enter")
    result(page, "1 rows, sum 0, ")


def test_wheel_zooms_in_but_scrolls_the_page_at_the_widest_view(visit, harness):
    page = visit(harness, viewport={"width": 1000, "height": 500})
    main = page.locator('[data-testid="stMain"]')
    before = picture(page)
    page.locator(".points").hover()
    page.mouse.wheel(0, -300)
    page.wait_for_timeout(200)
    assert (painted(picture(page)) != painted(before)).mean() > 0.02
    press(page, "0")
    top = main.evaluate("e => e.scrollTop")
    page.locator(".points").hover()
    page.mouse.wheel(0, 120)
    page.wait_for_timeout(400)
    assert main.evaluate("e => e.scrollTop") > top


def test_two_fingers_zoom(visit, harness):
    page = visit(harness, viewport={"width": 390, "height": 844}, has_touch=True)
    before = painted(picture(page)).sum()
    box = page.locator(".stage").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    session = page.context.new_cdp_session(page)
    for kind, apart in (("touchStart", 20), ("touchMove", 40), ("touchMove", 80), ("touchEnd", None)):
        fingers = [{"x": x + side * apart, "y": y, "id": i} for i, side in enumerate((-1, 1))] if apart else []
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})
    assert page.locator(".points").evaluate("e => e.style.touchAction") == "none"
    assert painted(picture(page)).sum() != before


def test_one_finger_scrolls_the_page_over_the_whole_map(visit, harness):
    page = visit(harness, viewport={"width": 390, "height": 844}, has_touch=True)
    touch = page.locator(".points")
    assert touch.evaluate("e => e.style.touchAction") == "pan-x pan-y"
    page.get_by_role("button", name="Zoom in").click()
    assert touch.evaluate("e => e.style.touchAction") == "none"
    page.get_by_role("button", name="Show the whole map").click()
    page.get_by_role("button", name="Lasso").click()
    assert touch.evaluate("e => e.style.touchAction") == "none"


def test_resize_draws_again_at_the_new_size(page):
    page.set_viewport_size({"width": 700, "height": 900})
    page.wait_for_function(
        "() => { const c = document.querySelector('.stBidiComponent') && [...document.querySelectorAll('*')]"
        ".map(e => e.shadowRoot?.querySelector('.points')).find(Boolean); return c && c.width < 700; }"
    )
    shot = picture(page)
    assert shot.shape[1] < 700
    assert all(pixels_near(shot, colour) > 200 for colour in CATEGORIES[:4])


def test_twenty_reruns_share_one_context(visit, harness):
    page = visit(harness, init=COUNT_CONTEXTS)
    turn(page, by=20)
    assert page.evaluate("contexts.length") == 1
    assert page.evaluate("contexts[0].isContextLost()") is False


def test_map_that_leaves_the_page_gives_its_context_back(visit, harness, settle):
    page = visit(harness, init=COUNT_CONTEXTS)
    page.get_by_text("away").click()
    page.locator(".stage").wait_for(state="detached")
    assert page.evaluate("contexts.map(c => c.isContextLost())") == [True]
    page.get_by_text("away").click()
    page.locator(".stage").wait_for()
    settle(page)
    assert painted(picture(page)).mean() > 0.01


def test_lost_context_is_drawn_again_when_it_returns(visit, harness):
    page = visit(harness, init=COUNT_CONTEXTS)
    before = picture(page)
    page.evaluate(
        """async () => {
          const loss = contexts[0].getExtension('WEBGL_lose_context');
          const come = name => new Promise(done => contexts[0].canvas.addEventListener(name, done, { once: true }));
          const lost = come('webglcontextlost');
          loss.loseContext();
          await lost;
          const restored = come('webglcontextrestored');
          setTimeout(() => loss.restoreContext(), 50);
          await restored;
        }"""
    )
    assert (painted(picture(page)) == painted(before)).mean() > 0.999


def test_a_map_painted_by_hand_is_that_of_webgl(visit, harness):
    for asked in ("", "/?kind=sequential&n=30000", "/?k=32"):
        by_hand, card = (picture(visit(harness + asked, init=init)) for init in (NO_WEBGL, A_CARD))
        assert painted(card).mean() > 0.02
        assert (painted(by_hand) != painted(card)).mean() < 0.01
        assert np.abs(by_hand - card).mean() < 2


def test_legend_hides_a_category_and_the_lasso_takes_none_of_it(page):
    first, second = (page.locator(".category").nth(at) for at in (0, 1))
    first.click()
    shot = picture(page)
    assert pixels_near(shot, CATEGORIES[1]) > 500 > 20 > pixels_near(shot, CATEGORIES[0])
    result(page, "0 rows, sum 0, 0 corners, 3000 shown")
    lasso(page, LOWER_LEFT, shift=True)
    result(page, r"0 rows, sum 0, \d+ corners, 3000 shown")
    first.click()
    result(page, LASSOED)
    second.click(modifiers=["Alt"])
    result(page, r"0 rows, sum 0, \d+ corners, 1000 shown")
    shot = picture(page)
    assert pixels_near(shot, CATEGORIES[1]) > 500 > 20 > pixels_near(shot, CATEGORIES[2])
    page.get_by_role("button", name="All").click()
    result(page, LASSOED)
    first.dblclick()
    result(page, rf"{LASSOED}\d+ corners, 1000 shown")
    press(page, "Escape")
    first.dblclick()
    result(page, "0 rows, sum 0, 0 corners, 4000 shown")


def test_ends_of_a_scale_narrow_what_is_shown(visit, harness):
    page = visit(f"{harness}/?kind=sequential")
    before = picture(page)
    end = page.get_by_role("slider", name="To: rows shown by squared x")
    end.fill("100")
    result(page, "0 rows, sum 0, 0 corners, 2000 shown")
    right = before.shape[1] // 2 + 40
    assert painted(picture(page)[:, right:]).mean() < painted(before[:, right:]).mean() / 4
    page.get_by_role("button", name="All").click()
    result(page, "0 rows, sum 0, 0 corners, 4000 shown")


def test_rows_that_a_search_leaves_out_are_neither_seen_nor_taken(visit, harness):
    page = visit(f"{harness}/?among=2")
    shot = picture(page)
    assert pixels_near(shot, CATEGORIES[0]) > 500 > 20 > pixels_near(shot, CATEGORIES[1])
    lasso(page, ((0.01, 0.99), (0.01, 0.01), (0.99, 0.01), (0.99, 0.99)), shift=True)
    result(page, f"2000 rows, sum {sum(range(0, 4000, 2))}, ")


def test_names_of_groups_come_up_as_one_zooms_and_none_lies_over_another(visit, harness):
    page = visit(f"{harness}/?groups=1")
    page.evaluate(WATCH_WORDS)
    seen = []
    for key in ("0", "+", "+", "+", "+", "n"):
        page.evaluate("written.length = 0")
        press(page, key)
        picture(page)
        seen.append({text for text in page.evaluate("written") if text.startswith("group")})
    assert seen[0] == {"group 0"} and seen[4] == {"group 0", "group 1"} and seen[5] == set()
    assert page.get_by_role("button", name="Names of groups").get_attribute("aria-pressed") == "false"


def test_what_columns_hold_is_named_as_plain_text_beside_the_cursor(visit, harness):
    page = visit(f"{harness}/?columns=1")
    page.locator(".points").hover()
    cells = page.locator(".tip .cell")
    expect(cells).to_have_text(["kind<b>one</b>", "size12.5", "when2020-02-29", f"text{HOSTILE}"])
    assert page.locator(".tip img, .tip b").count() == 0


def test_some_of_many_points_stand_for_all_while_the_map_moves(visit, harness):
    page = visit(f"{harness}/?n=320000", init=COUNT_DRAWN)
    press(page, "+")
    page.wait_for_function("drawn.at(-1) === 320000")
    assert 200_000 in page.evaluate("drawn")


def test_background_follows_the_theme(visit, harness):
    light, dark = (np.median(picture(visit(harness, color_scheme=s)), axis=(0, 1)).mean() for s in ("light", "dark"))
    assert light > 230
    assert dark < 60


def test_map_fits_a_phone(visit, harness):
    page = visit(f"{harness}/?k=12&ring=3", viewport={"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.locator(".stage").bounding_box()["width"] > 330
    for button in page.locator(".tools button").all():
        box = button.bounding_box()
        assert min(box["width"], box["height"]) >= 28
        assert box["x"] + box["width"] <= 390
