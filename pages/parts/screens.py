"""The screens, each with the record of what it can be set to, in the order of the link."""

from dataclasses import dataclass

import streamlit as st

from compress import EmbeddingMatrix, Method
from pages.parts.controls import ANY, Shape, Whole
from pages.parts.export.settings import EXPORT
from pages.parts.filters.settings import FILTERS
from pages.parts.frame import PAGE
from pages.parts.hash_codes.settings import HASH_CODES
from pages.parts.lesson.settings import LESSON
from pages.parts.model_quality.settings import MODEL_QUALITY
from pages.parts.pins import describe
from pages.parts.robustness.settings import ROBUSTNESS
from pages.parts.settings import Screen
from pages.parts.spectrum.settings import SPECTRUM
from pages.parts.subspaces.settings import SUBSPACES
from pages.parts.tradeoffs.settings import TRADEOFFS

SCREENS = (SPECTRUM, SUBSPACES, ROBUSTNESS, HASH_CODES, TRADEOFFS, EXPORT, MODEL_QUALITY, FILTERS, LESSON)


BOUNDED, LOOKED = "bounded", "looked_at"  # in the session's state


@dataclass(frozen=True)
class Bounded:
    """The shape of the matrix that all settings are within, in words what was changed for it, and the page that was open then."""

    shape: Shape
    changed: list[str]
    page: str | None


def open_screen() -> Screen | None:
    """The screen that is shown."""
    return next((screen for screen in SCREENS if screen.title == st.session_state.get(PAGE)), None)


def look(matrix: EmbeddingMatrix) -> None:
    """What Export and Model quality then open on: the method of the screen that is shown, where it shows one."""
    screen = open_screen()
    if screen and (method := screen.held(matrix)):
        st.session_state[EXPORT.setting.key] = describe(method)
        st.session_state[LOOKED] = screen


def looked_at(matrix: EmbeddingMatrix) -> Method | None:
    """The method of the screen that was looked at last, told once; it may have been moved since that screen was last drawn."""
    screen = st.session_state.pop(LOOKED, None)
    return screen.held(matrix) if screen else None


def keep_within(shape: Shape) -> None:
    """Brings what the session holds within what another matrix allows: once, when it is opened, for every screen. A setting at its
    default stays at the default; what else is changed is noted."""
    before = bounds()
    if before == shape:
        return
    changed = []
    for screen in SCREENS:
        for name, setting in screen.named.items():
            if isinstance(setting, Whole) and (held := setting.asked()) is not None:
                usual = before != ANY and held == setting.usual(before)
                value = setting.usual(shape) if usual else setting.bounded(held, shape)
                if setting.key in st.session_state:
                    st.session_state[setting.key] = value
                if value != held and not usual:
                    changed.append(f"{screen.title}: {name} = {held:,} is now {value:,}")
    st.session_state[BOUNDED] = Bounded(shape, changed, st.session_state.get(PAGE))


def bounds() -> Shape:
    """The shape of the matrix that settings are within; ANY until one is open."""
    return st.session_state[BOUNDED].shape if BOUNDED in st.session_state else ANY


def bounds_notice() -> None:
    """Which settings the matrix did not allow, on the page where it was opened."""
    told = st.session_state.get(BOUNDED)
    if told and told.changed and told.page == st.session_state.get(PAGE):
        st.info(f"This matrix does not allow all that was set. {'; '.join(told.changed)}.", icon=":material/straighten:")


def held_methods(matrix: EmbeddingMatrix) -> list[Method]:
    """What the screens that show a method are set to now."""
    return [method for screen in SCREENS if (method := screen.held(matrix))]


def screen_for(method: Method) -> Screen | None:
    """The screen on which a method can be moved, if there is one."""
    return next((screen for screen in SCREENS if screen.values(method)), None)
