"""The lesson in a real browser: every scene is stepped through, left and found again."""

import re
from math import cos, radians, sin

import pytest
from playwright.sync_api import expect

SCENES = range(1, 6)
# Left, top and width of what scene 4 draws for points, restored points and bars, one after another.
BOXES = """() => [...document.querySelectorAll('.st-key-lesson_bits :is(.bars path, path.point)')]
  .map((each) => each.getBoundingClientRect()).filter(({ width }) => width).flatMap(({ x, y, width }) => [x, y, width])"""


@pytest.fixture
def open_lesson(visit, app):
    return lambda query="", **context: visit(f"{app}/lesson?matrix=toy&{query}", **context)


@pytest.fixture
def open_presenter(open_lesson):
    """A projector's window, once its keys are heard."""

    def start(query):
        page = open_lesson(f"{query}&presenter=1", viewport={"width": 1600, "height": 900})
        expect(page.locator("[aria-keyshortcuts]")).to_have_count(1)
        return page

    return start


def state(page):
    """Scene, what its sliders and fields are set to, and what can be done next."""
    main = '[data-testid="stMain"]'
    settings = page.locator(f'{main} input:not([type="checkbox"])').evaluate_all("inputs => inputs.map(input => input.value)")
    buttons = page.locator(f"{main} button").evaluate_all("buttons => buttons.map(button => [button.innerText, button.disabled])")
    return page.locator(f"{main} h2").first.inner_text(), settings, buttons


def await_state(page, wanted):
    """Until the page stands like this."""
    for _ in range(100):
        if state(page) == wanted:
            return
        page.wait_for_timeout(100)
    assert state(page) == wanted


def advance(page, settle):
    """One step of a scene, by its button or else by its first slider."""
    button, before = page.locator(".st-key-lesson_next button"), page.url
    if button.count():
        button.click()
    else:
        slider = page.locator('[data-testid="stMain"] input[type="range"]').first
        slider.focus()
        slider.press("ArrowRight")
    page.wait_for_function("before => location.href !== before", arg=before)
    settle(page, quiet=100)


def choose(page, settle, scene):
    """A scene by its button at the top, until heading and address name it and the app is still."""
    page.locator(".st-key-lesson_at_scene button").nth(scene - 1).click()
    expect(page.locator("h2").first).to_have_text(re.compile(rf"^{scene}\."))
    page.wait_for_url(re.compile(rf"scene={scene}\b"))
    settle(page)


def press(page, settle, key, address):
    """A key, until the address says what it did and the app is still."""
    page.keyboard.press(key)
    page.wait_for_url(re.compile(address))
    settle(page)


@pytest.mark.parametrize("scene", SCENES)
def test_a_scene_is_stepped_and_a_reload_in_the_middle_lands_on_the_same_state(open_lesson, settle, scene):
    page = open_lesson(f"scene={scene}&seed=1")
    first = page.url
    for _ in range(2):
        advance(page, settle)
    address, seen = page.url, state(page)
    assert address != first
    page.reload()
    settle(page)
    await_state(page, seen)
    assert page.url == address
    advance(page, settle)
    expect(page.locator('[data-testid="stException"]')).to_have_count(0)


def test_settings_of_a_scene_and_its_step_stay_in_the_address_together(open_lesson, settle):
    page = open_lesson("scene=1")
    slider = page.get_by_role("slider", name="Number of flats k")
    slider.focus()
    slider.press("ArrowLeft")
    page.wait_for_url(re.compile("lesson_flats_k=2"))
    settle(page)
    advance(page, settle)
    assert "step=1" in page.url and "lesson_flats_k=2" in page.url


def test_a_presenter_has_no_sidebar_larger_type_and_steps_by_keys_or_a_remote_control(open_lesson, open_presenter, settle):
    size = "getComputedStyle(document.querySelector('[data-testid=\"stMain\"] p')).fontSize"
    usual = float(open_lesson("scene=1").evaluate(size).strip("px"))
    page = open_presenter("scene=1")
    expect(page.locator('[data-testid="stSidebar"]')).to_be_hidden()
    assert float(page.evaluate(size).strip("px")) > 1.3 * usual
    for key, step in (("ArrowRight", 1), ("PageDown", 2), ("ArrowLeft", 1)):
        press(page, settle, key, rf"step={step}\b")
    press(page, settle, "2", "scene=2")  # which has a slider and no steps
    for key, distance in (("ArrowRight", 11), ("PageDown", 12), ("PageUp", 11)):
        press(page, settle, key, rf"lesson_outlier_distance={distance}\b")
        assert page.get_by_role("slider").first.input_value() == str(distance)
    press(page, settle, "4", "scene=4")


def test_a_presenters_keys_go_on_after_a_click(open_presenter, settle):
    page = open_presenter("scene=4")
    clicked = [
        page.locator("label", has_text="Noise?"),
        page.get_by_role("radio", name="Learnt"),
        page.get_by_role("radio", name="4 Bits"),
    ]
    for step, control in enumerate(clicked, start=1):
        control.click()
        settle(page)
        press(page, settle, "ArrowRight", rf"step={step}\b")
    press(page, settle, "1", "scene=1")


def test_another_scene_is_one_step_back_for_the_browser_and_the_start_is_another(open_lesson, settle):
    page = open_lesson("")
    advance(page, settle)
    choose(page, settle, 4)
    for begins, step in (("1.", "Step 1 of 18"), ("1.", "Step 0 of 18")):
        page.go_back()
        expect(page.locator("h2").first).to_have_text(re.compile(f"^{begins}"))
        expect(page.get_by_text(step)).to_be_visible()
        settle(page)


def test_play_goes_on_by_itself_until_it_is_paused(open_lesson, settle):
    page = open_lesson("scene=1")
    page.get_by_role("button", name="Play").click()
    page.wait_for_url(re.compile(r"step=2\b"))
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Play")).to_be_visible()


def test_points_stay_turned_from_step_to_step(open_lesson, settle):
    page = open_lesson("scene=1")
    canvas = page.get_by_role("img", name=re.compile("160 points in 3-D"))
    page.evaluate("canvas => { window.held = canvas }", canvas.element_handle())
    before = canvas.screenshot()
    canvas.focus()
    for _ in range(5):
        canvas.press("ArrowRight")
    assert canvas.screenshot() != before
    advance(page, settle)
    assert page.evaluate("canvas => canvas === window.held", canvas.element_handle())
    expect(canvas).to_have_attribute("aria-label", re.compile("Assign"))


def test_a_chart_stays_in_its_place_while_its_figure_changes(open_lesson, settle):
    page = open_lesson("scene=2")
    chart = page.locator(".st-key-lesson_outlier .js-plotly-plot")
    chart.evaluate("chart => { window.held = chart }")
    before = page.locator(".sentence").text_content()
    advance(page, settle)
    expect(page.locator(".sentence")).not_to_have_text(before)
    assert chart.evaluate("chart => chart === window.held")


def test_a_chart_follows_the_theme(open_lesson):
    page = open_lesson("scene=2", color_scheme="light")
    ticks = page.locator(".js-plotly-plot .xtick text")
    text = "getComputedStyle(document.querySelector('[data-testid=\"stApp\"]')).color"
    seen = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        expect(ticks.first).not_to_have_css("fill", seen[-1] if seen else "")
        seen.append(page.evaluate(text))
        expect(ticks.first).to_have_css("fill", seen[-1])
    assert seen[0] != seen[1]


def test_a_chart_whose_script_does_not_come_says_so(open_lesson, settle):
    page = open_lesson("scene=1")
    page.route("**/charts/plotly-*.js", lambda route: route.abort())
    page.reload()
    missing = page.get_by_text("The chart's script did not come")
    expect(missing).to_be_visible()
    page.unroute("**/charts/plotly-*.js")
    settle(page)
    advance(page, settle)
    expect(page.locator(".js-plotly-plot .main-svg").first).to_be_visible()
    expect(missing).to_have_count(0)


def turn_line(page, of, to, act):
    """Holds the line at an angle of scene 4 and leads it to another, by `act(what, x, y)`."""
    rect = page.locator(".st-key-lesson_bits .xy .nsewdrag").bounding_box()
    x, y, reach = rect["x"] + rect["width"] / 2, rect["y"] + rect["height"] / 2, 0.35 * rect["height"]
    for what, angle in [
        ("down", of),
        *(("move", angle) for angle in range(of, to, 15 if to > of else -15)),
        ("move", to),
        ("up", to),
    ]:
        act(what, x + reach * cos(radians(angle)), y - reach * sin(radians(angle)))


def test_a_line_that_is_dragged_answers_and_its_slider_and_the_address_follow(open_lesson, settle):
    page = open_lesson("scene=4&step=3", viewport={"width": 1280, "height": 1400})
    slider, says = page.get_by_role("slider", name="Angle of line 3"), page.get_by_text("3 bits a point")
    before = said = says.inner_text()

    def act(what, x, y):
        page.mouse.move(x, y)
        if what == "up":
            expect(says).not_to_have_text(said)
            assert f"lesson_angle3={slider.input_value()}" not in page.url
        if what != "move":
            getattr(page.mouse, what)()

    for of, to in ((70, 130), (130, 160), (160, 100), (100, 130)):
        turn_line(page, of, to, act)
        page.wait_for_url(re.compile(f"lesson_angle3={to}"))
        settle(page)
        said = says.inner_text()
    expect(slider).to_have_value("130")
    expect(says).not_to_have_text(before)
    page.mouse.click(5, 5)
    assert "lesson_angle3=130" in page.url and "lesson_angle1" not in page.url


def test_points_and_bars_stand_while_a_line_is_dragged_where_they_stand_once_it_is_let_go(open_lesson, settle):
    page, boxes = open_lesson("scene=4&step=4", viewport={"width": 1280, "height": 1400}), []

    def act(what, x, y):
        page.mouse.move(x, y)
        if what == "up":
            page.evaluate("new Promise((done) => setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(done)), 200))")
            boxes.extend(page.evaluate(BOXES))
        if what != "move":
            getattr(page.mouse, what)()

    before = page.evaluate(BOXES)
    turn_line(page, 70, 130, act)
    page.wait_for_url(re.compile("lesson_angle3=130"))
    settle(page)
    assert boxes == pytest.approx(page.evaluate(BOXES), abs=1.5) != pytest.approx(before, abs=1.5)


def test_a_finger_turns_a_line_and_the_page_does_not_scroll(open_lesson, settle):
    page = open_lesson("scene=4&step=3", viewport={"width": 390, "height": 844}, has_touch=True)
    main = page.locator('[data-testid="stMain"]')
    page.locator(".st-key-lesson_bits").scroll_into_view_if_needed()
    main.evaluate("main => main.scrollBy(0, 100)")
    scrolled = main.evaluate("main => main.scrollTop")
    session = page.context.new_cdp_session(page)
    kinds = {"down": "touchStart", "move": "touchMove", "up": "touchEnd"}

    def act(what, x, y):
        session.send("Input.dispatchTouchEvent", {"type": kinds[what], "touchPoints": [] if what == "up" else [{"x": x, "y": y}]})

    turn_line(page, 70, 130, act)
    page.wait_for_url(re.compile("lesson_angle3=130"))
    assert main.evaluate("main => main.scrollTop") == scrolled > 0


def test_a_copied_link_opens_the_same_moment(open_lesson, visit, settle):
    page = open_lesson("scene=1&seed=1&lesson_flats_j=1")
    advance(page, settle)
    page.get_by_role("button", name="Copy link").click()
    other = visit(page.locator('[data-testid="stPopoverBody"] code').inner_text())
    page.keyboard.press("Escape")
    await_state(other, state(page))


def test_leaving_and_coming_back_finds_the_lesson_where_it_was(open_lesson, settle):
    page = open_lesson("scene=1&step=5")
    nav = page.locator('[data-testid="stSidebarNav"]')
    nav.get_by_role("link", name="Spectrum").click()
    expect(page.get_by_role("heading", name="How many directions")).to_be_visible()
    nav.get_by_role("link", name="Lesson").click()
    expect(page.get_by_text("Step 5 of")).to_be_visible()
    page.wait_for_url(re.compile(r"step=5\b"))


def test_a_presenters_window_shows_the_whole_picture(open_presenter, settle):
    page = open_presenter("")
    charts = page.locator(".st-key-lesson_picture .js-plotly-plot")
    for scene in SCENES:
        page.keyboard.press(str(scene))
        expect(page.locator("h2").first).to_have_text(re.compile(f"^{scene}"))
        settle(page)
        expect(charts.last).to_be_visible()
        for box in (chart.bounding_box() for chart in charts.all()):
            assert box["y"] > 0 and box["y"] + box["height"] <= 900 and box["height"] > 150


def test_a_saved_picture_opens_without_the_app(open_lesson, browser, tmp_path):
    page = open_lesson("scene=2")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Save as HTML").click()
    path = tmp_path / waiting.value.suggested_filename
    waiting.value.save_as(path)
    with browser.new_context(offline=True) as context:
        saved = context.new_page()
        saved.goto(path.as_uri())
        expect(saved.locator("h1")).to_have_text("How far can one point turn a line?")
        expect(saved.locator(".js-plotly-plot .main-svg").first).to_be_visible()


def test_every_scene_is_chosen_at_the_top_and_fits_a_phone_in_the_dark(open_lesson, settle, fits):
    page = open_lesson(viewport={"width": 390, "height": 844}, color_scheme="dark")
    for scene in (2, 3, 4, 5, 1):
        choose(page, settle, scene)
        assert fits(page), scene
