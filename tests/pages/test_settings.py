"""What a screen can be set to is one record: controls, the link, Export and clicked points agree on it."""

from urllib.parse import parse_qs, urlsplit

import pytest
import streamlit

import compress
from compress import LpLowRank, ProductQuantization, ProjectiveClustering
from compress.methods import SVD, LightToken
from pages.parts.controls import ANY, Real, Whole
from pages.parts.frame import PAGE
from pages.parts.lesson.state import Lesson
from pages.parts.link import link, open_link
from pages.parts.screens import SCREENS, screen_for

SETTINGS = [key for screen in SCREENS for key in screen.keys]
BEFORE = {  # the keys of a link when they were a list by hand, in their order
    "Spectrum": ["j", "precision", "log"],
    "Subspaces": [
        "k",
        "flat_j",
        "affine",
        "restarts",
        "seed",
        "flat_precision",
        "flat_loss",
        "flat_p",
        "flat_scale",
        "layout",
        "colour",
        "map_token",
    ],
    "Robustness": [
        "robust_j",
        "robust_loss",
        "robust_p",
        "robust_objective",
        "robust_scale",
        "planted",
        "planted_length",
        "robust_log",
    ],
    "Hash codes": [
        "hash_rank",
        "hash_bits",
        "hash_stages",
        "hash_loss",
        "hash_solver",
        "hash_temperature",
        "hash_epochs",
        "hash_cosine",
        "hash_token",
    ],
    "Trade-offs": ["budget_ratio", "error_measure", "weighted_measure", "log_error"],
    "Export": ["export"],
    "Model quality": ["quality_token", "judge_seeds", "judge_limit", "compare_x", "compare_head", "heal_steps"],
    "Filters": [
        "filters_network",
        "filters_architecture",
        "filters_keep",
        "filters_measure",
        "filters_over",
        "filters_variant",
        "filters_seed",
        "filters_space",
        "filters_picture",
        "filters_retrained",
    ],
    "Lesson": [
        "lesson_flats_k",
        "lesson_flats_j",
        "lesson_outlier_distance",
        "lesson_outlier_p",
        "lesson_guess",
        "lesson_told",
        "lesson_lines",
        "lesson_angle1",
        "lesson_angle2",
        "lesson_angle3",
        "lesson_word",
    ],
}
SHOWN = {
    "Spectrum": [SVD(j=1, factor_bits=32), SVD(j=30, factor_bits=4)],
    "Subspaces": [
        ProjectiveClustering(k=32, j=2, affine=True, restarts=1, seed=99, factor_bits=4),
        ProjectiveClustering(k=1, j=30, p=1.25),
        ProjectiveClustering(k=3, j=4, loss="tukey", scale=0.5),
        ProjectiveClustering(k=3, j=4, loss="huber"),
    ],
    "Robustness": [LpLowRank(j=4, p=1.35, objective="entries"), LpLowRank(j=1, p=2.0, objective="rows")],
    "Hash codes": [
        LightToken(rank=3, bits=40, stages=2, loss="direction"),
        LightToken(rank=0, bits=8, stages=1, solver="paper", temperature=0.2, epochs=7),
    ],
}
NOT_SHOWN = [
    ProjectiveClustering(k=33),
    ProjectiveClustering(p=3.0),
    LpLowRank(p=2.5),
    LightToken(rank=65),
    LightToken(bits=520),
    LightToken(stages=3),
    ProductQuantization(parts=5),
]
JUNK = ["abc", "99999", "-7", "1e9", "nan", "<b>", ""]


@pytest.fixture
def toy():
    return compress.load_matrix("toy")


@pytest.fixture
def alone(monkeypatch):
    """`alone(address)` gives settings a session and an address of their own, and returns the session."""

    def made(patch=monkeypatch, **address):
        state = {}
        patch.setattr("streamlit.session_state", state)
        patch.setattr("streamlit.query_params", Address(address))
        return state

    return made


class Address(dict):
    def get_all(self, key):
        return [self[key]] if key in self else []


def test_every_key_belongs_to_one_setting():
    assert len(set(SETTINGS)) == len(SETTINGS) and {"matrix", "tensor", "weights", "pins", "seed"} & {*SETTINGS} == {"seed"}


def test_every_key_of_a_link_copied_before_is_a_key_still():
    before = [key for keys in BEFORE.values() for key in keys]
    assert [key for key in SETTINGS if key in before] == before
    assert {*SETTINGS} - {*before} == {
        *(
            "hash_used",
            "judge_tasks",
            "tune_epochs",
            "tune_limit",
            "importance",
            "importance_by",
            "compare",
            "compare_path",
            "compare_hub",
        ),
        *("search_similarity", "search_text", "search_queries"),
        *("only_found", "listed_by", "least_first"),
        *("panel", "cleaning_kinds", "cleaning_cosine", "cleaning_far", "cleaning_mark"),
        *("lesson_scene", "lesson_step", "lesson_seed", "lesson_noise", "lesson_presenter"),
    }
    for screen in SCREENS:
        assert {*BEFORE[screen.title]} <= {*screen.keys}


@pytest.mark.parametrize("title, method", [(title, method) for title, methods in SHOWN.items() for method in methods])
def test_a_screen_set_to_a_method_holds_it(alone, toy, title, method):
    alone()
    screen = screen_for(method)
    assert screen.title == title and screen.set(method)
    assert screen.held(toy) == method


@pytest.mark.parametrize("method", NOT_SHOWN, ids=str)
def test_a_method_that_no_screen_can_show_is_refused_and_changes_nothing(alone, method):
    state = alone()
    assert screen_for(method) is None and not any(screen.set(method) for screen in SCREENS) and not state


@pytest.mark.parametrize("text", JUNK)
def test_junk_in_an_address_stays_within_bounds(alone, toy, text):
    alone(**dict.fromkeys(SETTINGS, text))
    for screen in SCREENS:
        for setting in screen.settings:
            held = setting.held(toy.shape)
            if isinstance(setting, Whole):
                assert setting.bounds(toy.shape)[0] <= held <= setting.bounds(toy.shape)[1]
            elif isinstance(setting, Real):
                assert held is None or setting.low <= held <= setting.high
            assert held == setting.usual(toy.shape) or setting.takes(held)
        method = screen.held(toy)
        assert method is None or method.check(*toy.shape) is None


def test_what_the_session_holds_is_bounded_for_another_matrix(alone, toy):
    state = alone()
    state.update(j=300, k=40, hash_bits=509)
    found = {setting.key: setting for screen in SCREENS for setting in screen.settings}
    assert [found[key].held((50, 20)) for key in ("j", "k", "hash_bits")] == [20, 32, 48]
    assert [found[key].held((3, 2)) for key in ("j", "k", "hash_bits")] == [2, 3, 2]
    assert found["j"].held(ANY) == 300


def said():
    """The link, as a page's popover shows it, by name."""
    return {key: " ".join(texts) for key, texts in parse_qs(urlsplit(link()).query, keep_blank_values=True).items()}


@pytest.mark.parametrize("title", ["Spectrum", "Lesson"])
def test_a_link_keeps_what_it_says_of_other_screens(alone, title):
    address = {
        **{"matrix": "toy", "k": "7", "seed": "5", "flat_loss": "Huber", "flat_scale": "0.5", "affine": "true"},
        **{"hash_used": "128", "judge_tasks": "Neighbours@10", "heal_steps": "40", "lesson_flats_k": "2", "lesson_guess": "0.25"},
        **{"lesson_scene": "3", "lesson_step": "4", "lesson_seed": "9", "lesson_noise": "1", "lesson_presenter": "0"},
    }
    state = alone(**address)
    state[PAGE] = title
    open_link()
    assert said() == address
    alone()  # on another page the address is another one
    streamlit.session_state.update({**state, PAGE: "Export"})
    kept = {name: text for name, text in address.items() if title != "Lesson" or name not in ("lesson_flats_k", "lesson_guess")}
    assert kept.items() <= said().items()


def test_an_older_link_of_the_lesson_says_nothing_of_subspaces(alone):
    state = alone(matrix="toy", scene="2", step="0", seed="9")
    state[PAGE] = "Lesson"
    open_link()
    assert "seed" not in state and "seed" not in said()
    assert (said()["lesson_scene"], said()["lesson_seed"]) == ("2", "9")


def test_a_link_opens_the_lesson_where_it_stood(open_page):
    page = open_page("lesson", lesson_scene=2, lesson_seed=7, lesson_noise=1, seed=5)
    assert not page.exception and page.session_state["lesson"] == Lesson(scene=2, seed=7, noise=True)
    page.number_input(key="lesson_at_seed").set_value(8).run()
    assert page.session_state["lesson"] == Lesson(scene=2, seed=8, noise=True) and page.query_params["seed"] == "5"


@pytest.mark.parametrize(
    "name, address",
    [
        ("spectrum", {"j": 7, "precision": "int4", "log": True}),
        ("tradeoffs", {"budget_ratio": 12, "error_measure": "ℓ1 error", "log_error": True}),
        ("export", {"j": 4, "export": "SVD, j = 4, float16"}),
        ("lesson", {"lesson_scene": 4, "lesson_step": 2, "lesson_lines": "Learnt", "lesson_angle2": 50}),
    ],
)
def test_a_link_of_other_settings_than_the_usual_gives_the_same_screen(alone, open_page, name, address):
    texts = {key: str(value).lower() if value is True else str(value) for key, value in address.items()}
    page = open_page(name, **texts)
    held = {key: page.session_state[key] for key in address if key in page.session_state}
    with pytest.MonkeyPatch.context() as patch:
        title = next(screen.title for screen in SCREENS if screen.page == f"pages/{name}.py")
        state = alone(patch, matrix="toy", **texts)
        state[PAGE] = title
        open_link()
        state.update({key: page.session_state[key] for key in {*SETTINGS, "lesson"} if key in page.session_state})
        link = said()
    link |= {key.removeprefix("spectrum_"): text for key, text in link.items()}  # as the frame takes them, which is not run here
    again = open_page(name, **link)
    assert held and not again.exception and {key: again.session_state[key] for key in held} == held
    if name == "lesson":
        assert again.session_state["lesson"] == page.session_state["lesson"] == Lesson(scene=4, step=2)
