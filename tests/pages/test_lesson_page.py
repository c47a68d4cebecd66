import re
from importlib import import_module

import numpy as np
import pytest
from cases import svd_by_fits

from compress.form.metrics import error_text
from compress.lesson import flats
from compress.lesson.token import METHOD
from pages.parts.lesson.chart import LARGER
from pages.parts.lesson.save import lines_of, page_of
from pages.parts.lesson.state import PLAYING, SCENES, Lesson, address
from pages.parts.pins import describe
from pages.parts.screens import SCREENS
from tests.pages.drawn import charts, drawn, numbers, stands, told

ALL = range(1, SCENES + 1)


def scene(number):
    return import_module(f"pages.parts.lesson.scene{number}")


def place(page):
    """Where the address says that the lesson is."""
    return {name: "".join(value) for name, value in page.query_params.items() if name in Lesson.__dataclass_fields__}


@pytest.mark.parametrize("number", ALL)
def test_every_scene_asks_shows_answers_and_explains(open_page, number):
    page = open_page("lesson", scene=number)
    assert not page.exception
    assert page.header[0].value == f"{number}. {scene(number).QUESTION}" and scene(number).QUESTION.strip()
    assert len(scene(number).ASKED) >= 3 and scene(number).SEE and scene(number).NOISE and scene(number).MATHS
    assert [expander.label for expander in page.expander][-2:] == ["What people ask here", "The maths"]
    assert charts(page)


@pytest.mark.parametrize("number", ALL)
def test_every_scene_runs_on_noise_with_another_seed_and_for_a_presenter(open_page, number):
    page = open_page("lesson", scene=number, noise=1, seed=2, presenter=1)
    assert not page.exception and page.toggle(key="lesson_at_noise").value and not page.title
    assert [field.value for field in page.number_input] == ([2] if scene(number).SEED else [])


@pytest.mark.parametrize("number", ALL)
def test_every_step_of_a_scene_can_be_shown(open_page, number):
    for step in range(1, (scene(number).STEPS or 0) + 1):
        page = open_page("lesson", scene=number, step=step)
        assert not page.exception and place(page).get("step") == str(step)
        assert number != 4 or len(told(page, "dial")) == min(step, 3)  # of the lines that are there by then


@pytest.mark.parametrize("junk", ["banana", "-3", "1e9", "", "<b>7</b>", "٣", "999999"])
def test_junk_in_the_address_leaves_the_defaults_or_the_nearest_bound(open_page, junk):
    page = open_page("lesson", scene=junk, step=junk, seed=junk, noise=junk, presenter=junk, lesson_flats_k=junk)
    assert (
        not page.exception
        and page.header[0].value.startswith("1.")
        and stands(page, "lesson_flats_k") == {"-3": 1, "999999": 4}.get(junk, 3)
    )


def test_a_step_beyond_the_last_is_the_last(open_page):
    page = open_page("lesson", step=900)
    assert place(page) == {"step": str(flats.STEPS)} and page.button(key="lesson_next").disabled


def test_next_previous_and_reset_move_the_step_in_the_address(open_page):
    page = open_page("lesson")
    assert page.button(key="lesson_previous").disabled
    for _ in range(3):
        page.button(key="lesson_next").click().run()
    assert place(page) == {"step": "3"}
    page.button(key="lesson_previous").click().run()
    assert place(page) == {"step": "2"}
    page.button(key="lesson_reset").click().run()
    assert place(page) == {"step": "0"}


def test_another_scene_and_another_seed_begin_at_the_first_step(open_page):
    page = open_page("lesson", step=4)
    page.number_input(key="lesson_at_seed").set_value(1).run()
    assert place(page) == {"seed": "1", "step": "0"}
    page.button(key="lesson_next").click().run()
    page.segmented_control(key="lesson_at_scene").set_value(2).run()
    assert place(page) == {"scene": "2", "seed": "1", "step": "0"}


def test_play_becomes_pause_and_stops_when_a_person_steps(open_page):
    page = open_page("lesson", step=2)
    page.button(key="lesson_play").click().run()
    assert page.session_state[PLAYING] and page.button(key="lesson_play").label == "Pause"
    page.button(key="lesson_next").click().run()
    assert not page.session_state[PLAYING] and place(page) == {"step": "3"}


def test_play_at_the_end_begins_again(open_page):
    page = open_page("lesson", step=flats.STEPS)
    page.button(key="lesson_play").click().run()
    assert place(page) == {"step": "0"} and page.session_state[PLAYING]


def test_the_cost_in_the_picture_is_the_librarys(open_page):
    page = open_page("lesson", step=6, seed=1, lesson_flats_k=2)
    cost = flats.history(2, 2, 1).moments[6].cost
    assert f"cost {cost:.3g}" in charts(page)[0]["label"]


def test_noise_is_said_in_words(open_page):
    page = open_page("lesson")
    page.toggle(key="lesson_at_noise").set_value(True).run()
    assert place(page) == {"noise": "1"} and any(scene(1).NOISE in words.value for words in page.markdown)


def test_a_presenters_chart_has_larger_type(open_page):
    size = r'"font":\{"size":([\d.]+)'
    pages = [open_page("lesson", scene=2, presenter=presenter) for presenter in (0, 1)]
    found = [max(float(each) for each in re.findall(size, charts(page)[0]["figure"])) for page in pages]
    assert found[1] == pytest.approx(found[0] * LARGER)


def test_the_whole_address_opens_the_same_lesson(open_page):
    lesson = Lesson(scene=2, step=0, seed=7, noise=True, presenter=False)
    page = open_page("lesson", **address(lesson, whole=True))
    assert page.session_state["lesson"] == lesson


@pytest.mark.parametrize(
    "number, settings",
    [
        (1, {"lesson_flats_k": 2, "lesson_flats_j": 1}),
        (2, {"lesson_outlier_distance": 4, "lesson_outlier_p": 1.5}),
        (3, {"lesson_guess": 0.25, "lesson_told": True}),
        (4, {"lesson_lines": "Learnt"}),
        (4, {"lesson_angle1": 5, "lesson_angle2": 77, "lesson_angle3": 150}),
        (5, {"lesson_word": "queen"}),
    ],
)
def test_settings_of_a_scene_open_as_the_address_says_and_travel_in_a_copied_link(open_page, number, settings):
    page = open_page(
        "lesson", scene=number, **{key: str(value).lower() if value is True else value for key, value in settings.items()}
    )
    assert not page.exception
    assert {key: page.session_state[key] for key in settings} == settings and set(settings) <= {
        key for screen in SCREENS for key in screen.keys
    }


def test_a_saved_picture_needs_nothing_else_and_reads_no_tag_from_words():
    page = page_of(flats.figure(flats.history(3, 2, 0), 3), "One <plane>?", "See & learn", "Step 3")
    assert "<h1>One &lt;plane&gt;?</h1><p>See &amp; learn</p><p>Step 3</p>" in page and '<html lang="en">' in page
    assert "scatter3d" in page and not re.search(r"<(script|link)[^>]+(src|href)=", page)


@pytest.mark.parametrize("number", ALL)
def test_a_saved_picture_says_its_step_and_that_it_shows_noise(number):
    lines = lines_of("At rank 5", Lesson(scene=number, step=2, noise=True), scene(number))
    assert lines[0] == scene(number).SEE and lines[1] == f"Noise. {scene(number).NOISE}"
    steps = scene(number).STEPS
    assert lines[2] == ("At rank 5" if steps is None else f"Step 2 of {steps}. At rank 5")


@pytest.mark.parametrize("number", ALL)
def test_a_screen_reader_hears_that_a_picture_shows_noise(open_page, number):
    for noise in (0, 1):
        shown = charts(open_page("lesson", scene=number, noise=noise))
        assert shown and all(chart["label"].startswith("Noise: ") == bool(noise) for chart in shown)


@pytest.mark.parametrize(
    "number, step, key, value",
    [
        (1, 5, "lesson_flats_k", 2),
        (2, 0, "lesson_outlier_distance", 4.3),
        (2, 0, "lesson_outlier_p", 1.37),
        (3, 4, "lesson_guess", 0.215),
        (4, 2, "lesson_angle2", 133),
        (4, 5, "lesson_angle1", 91),
    ],
)
def test_what_a_scene_answers_while_its_dial_moves_is_what_it_then_shows(open_page, number, step, key, value):
    there = {"scene": number, "step": step, "noise": 1}
    table = next(each for each in told(open_page("lesson", **there), "answers") if each["key"] == key)
    row, words = next(at for at, each in enumerate(table["values"]) if round(each, 3) == value), table["words"]
    then = open_page("lesson", **there, **{key: value})
    said = {each["key"]: each["text"] for each in told(then, "sentence")}
    assert {name: words[each[row]] for name, each in table["sentences"].items() if each} == said
    figures = {
        chart["key"]: {trace.get("name"): trace for trace in figure["data"]}
        for chart, figure in zip(charts(then), drawn(then), strict=True)
    }
    for chart, traces in table["traces"].items():
        for name, attributes in traces.items():
            for path, each in attributes.items():
                answer = each[row]
                shown = figures[chart][name]
                for part in path.split("."):
                    shown = shown[part]
                if isinstance(answer[0], str):
                    assert answer == [*numbers(shown)]
                else:
                    np.testing.assert_allclose(np.array(answer, float), numbers(shown).astype(float), rtol=1e-3, atol=1e-3)
    for name, each in table["pictures"].items():
        assert each[row].items() <= next(picture for picture in told(then, "lesson_space") if picture["key"] == name).items()
    for chart, marks in table["marks"].items():
        rings = [[mark["name"], mark["x"], mark["y"]] for each in charts(then) if each["key"] == chart for mark in each["marks"]]
        assert [[words[mark[0]], *mark[3:]] for mark in marks[row]] == [
            [name, x, pytest.approx(y, rel=1e-4)] for name, x, y in rings
        ]


def test_angles_are_kept_while_lines_are_learnt(open_page):
    page = open_page("lesson", scene=4, step=4, lesson_lines="Learnt", lesson_angle1=33)
    assert not told(page, "dial")
    page.segmented_control(key="lesson_lines").set_value("Placed by you").run()
    assert stands(page, "lesson_angle1") == 33 and len(told(page, "dial")) == 3


def test_svd_in_as_many_bytes_is_at_its_best_beside_the_last_step(open_page, demo):
    best, error = svd_by_fits(demo, METHOD.size(*demo.shape))
    told = " ".join(caption.value for caption in open_page("lesson", scene=5, step=5).caption).replace("\\", "")
    assert f"that of {describe(best)}, in as many bytes, is {error_text(error)}" in told and best.factor_bits == 4
