"""Where a lesson stands: scene, step, seed, noise, presenter. The address holds it: `?scene=2&step=3&seed=1&presenter=1&noise=1`.

A copied link has names that no other page has, `?lesson_scene=2&lesson_step=3…`, which do as well. What a scene sets besides are
widgets of its own, with keys `lesson_…`. Anything may be typed there, so every number is checked, and what does not fit is the
default.
"""

from dataclasses import asdict, dataclass, replace

import streamlit as st

from pages.parts.frame import ARRIVED, PAGE

TITLE = "Lesson"  # of the page
SCENES = 5
MOST_SEED = 99
MOST_STEP = 999
HELD = "lesson"  # the session's own copy, for when a person comes back from another page
PLAYING = "lesson_playing"


@dataclass(frozen=True)
class Lesson:
    """scene: 1 to 5. step: 0, the start, to the scene's STEPS, its last. seed: 0 to 99. noise: whether the scene shows random data
    of the same shape. presenter: large type, no sidebar, arrow keys."""

    scene: int = 1
    step: int = 0
    seed: int = 0
    noise: bool = False
    presenter: bool = False


BOUNDS = {"scene": (1, SCENES), "step": (0, MOST_STEP), "seed": (0, MOST_SEED), "noise": (0, 1), "presenter": (0, 1)}
LINKED = "lesson_"  # before these names in a copied link, where Subspaces has a seed too


def current() -> Lesson:
    """The lesson that the address names; where it names nothing and a person comes from another page, the one that was left."""
    named = addressed()
    if not named and HELD in st.session_state and st.session_state.get(ARRIVED, True):
        st.session_state[PLAYING] = False
        keep(st.session_state[HELD])
        return st.session_state[HELD]
    lesson = lesson_of(named)
    st.session_state[HELD] = lesson
    return lesson


def before() -> str:
    """What stands before the names in this address: nothing, unless it is a copied link."""
    return LINKED if any(LINKED + name in st.query_params for name in BOUNDS) else ""


def addressed() -> dict[str, str]:
    """What the address says, by name."""
    return {name: text for name in BOUNDS if (text := st.query_params.get(before() + name)) is not None}


def lesson_of(named: dict[str, str]) -> Lesson:
    return Lesson(**{name: parsed(name, text) for name, text in named.items()})


def linked(whole: bool = True) -> dict[str, str]:
    """What a link says of the lesson that is open, or that was left; nothing where there was none. whole: the defaults too."""
    lesson = current() if st.session_state.get(PAGE) == TITLE else st.session_state.get(HELD)
    return {LINKED + name: text for name, text in address(lesson, whole).items()} if lesson else {}


def parsed(name: str, text: str) -> int | bool:
    """One setting of the address, or its default where the text is no number within bounds."""
    default = getattr(Lesson, name)
    low, high = BOUNDS[name]
    words = {"true": "1", "false": "0"} if isinstance(default, bool) else {}
    text = words.get(text.lower(), text)
    if not (text.isascii() and text.isdigit() and len(text) < 5 and low <= int(text) <= high):
        return default
    return type(default)(int(text))


def keep(lesson: Lesson) -> None:
    """Writes the lesson to the address, all at once: one step back for the browser. Defaults are left out where none stood."""
    st.session_state[HELD] = lesson
    named = addressed()
    wanted = address(lesson) | {name: text for name, text in address(lesson, whole=True).items() if name in named}
    changed = {before() + name: text for name, text in wanted.items() if named.get(name) != text}
    if changed:
        st.query_params.update(changed)


def address(lesson: Lesson, whole: bool = False) -> dict[str, str]:
    """The lesson as the address spells it; `whole`: the defaults too."""
    return {name: str(int(value)) for name, value in asdict(lesson).items() if whole or value != getattr(Lesson, name)}


def move(**changes) -> None:
    """Goes somewhere else in the lesson; another scene starts at its first step."""
    lesson = current()
    if changes.get("scene", lesson.scene) != lesson.scene:
        changes = {"step": 0, **changes}
    keep(replace(lesson, **changes))
