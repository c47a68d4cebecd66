"""What an address says: the matrix, its weights, the pins, and the settings of every screen."""

from urllib.parse import urlencode, urlsplit, urlunsplit

import streamlit as st

from compress.sources.weights import UNIFORM
from pages.parts import uploads
from pages.parts.columns import named_shown, show, shown, shown_texts
from pages.parts.frame import PAGE, came_back
from pages.parts.matrix import (
    ask,
    asked,
    chosen,
    chosen_weights,
    linked_texts,
    named_asked,
    named_matrix,
    read_address,
    unopened_source,
)
from pages.parts.pins import pins, to_link
from pages.parts.say import literal
from pages.parts.screens import SCREENS, bounds, open_screen

OPENED = "link_opened"
UNKNOWN = "link_unknown"
FRAMES = (  # names that belong to no screen
    *("matrix", "tensor", "left_out", "names", "columns", "colour_by", "hover", "weights", "pins", "embed", "embed_options"),
)

Texts = dict[str, list[str]]


def link_popover() -> None:
    """A popover with the link: every setting that is known is written out, those at their defaults too."""
    with st.popover("Copy link", icon=":material/link:", width="stretch", key="link", on_change="rerun") as opened:
        if opened.open:  # asked now: what was set since the page ran is in it
            st.code(link(), language=None, wrap_lines=True)
            if uploads.is_upload(chosen()[0]) or uploads.is_upload(chosen_weights().partition(":")[2]):
                st.caption("It opens the uploaded file for as long as a window that uses it is open.")


def link() -> str:
    said = of_matrix()
    for screen in SCREENS:
        said |= screen.texts() if screen is open_screen() else screen.texts_elsewhere(screen.texts())
    return urlunsplit(urlsplit(st.context.url or "")._replace(query=urlencode(said, doseq=True)))


def standing() -> Texts:
    """What the address of a page says besides that page's own settings: of other screens what is not as usual."""
    said, shape = of_matrix(), bounds()
    for screen in SCREENS:
        if screen is not open_screen():
            said |= screen.texts_elsewhere(screen.unusual(shape))
    return said


def own() -> dict[str, list[str] | None]:
    """What the address says of the page that is open: what is not as usual there, nothing of the rest; None for
    names that the page itself sees to."""
    screen = open_screen()
    if screen is None:
        return {}
    said = screen.unusual(bounds())
    return {name: None for name in screen.names()} | {setting.key: said.get(setting.key, []) for setting in screen.settings}


def of_matrix() -> Texts:
    """The matrix that was asked for, its weights, and the pins."""
    source, tensor = unopened_source() or chosen()
    said = {"matrix": [uploads.spelled(source)]}
    if tensor:
        said["tensor"] = [tensor]
    said |= {name: [text] for name, text in (linked_texts() | shown_texts()).items()}
    if chosen_weights() != UNIFORM:
        said["weights"] = [uploads.spelled(chosen_weights())]
    if pins():
        said["pins"] = [to_link(pins())]
    return said


def open_link() -> None:
    """Holds what the address of a new session says of other screens than the one that is open: their addresses will not say it.
    One that a person came back to says which matrix was looked at there."""
    if OPENED in st.session_state:
        source, tensor = chosen()
        if came_back() and named_matrix() != (uploads.spelled(source), tensor):
            read_address()
        if came_back() and named_asked() != asked():
            ask(named_asked())
        if came_back() and named_shown() != shown():
            show(named_shown())
        return
    st.session_state[OPENED] = True
    here = open_screen()
    said = {name: st.query_params.get_all(name) for name in st.query_params}
    short = here.by_short_name(said) if here else []
    for name in short:
        del st.query_params[name]  # elsewhere it means another setting
    mine = {*here.names(), *short} if here else set()
    others = {name: texts for name, texts in said.items() if name not in mine}
    known = {*FRAMES}
    for screen in SCREENS:
        if screen is not here:
            screen.take(others)
        known |= {*screen.all_names()}
    if unknown := sorted({*others} - known):
        st.session_state[UNKNOWN] = st.session_state.get(PAGE), unknown


def unknown_notice() -> None:
    """What the address says that no screen has, while the page that it opened is shown."""
    where, names = st.session_state.get(UNKNOWN, (None, []))
    if names and where == st.session_state[PAGE]:
        told = ", ".join(literal(name[:40]) for name in names[:5])
        st.warning(f"The address names {told}, which nothing here goes by; it was left out.", icon=":material/link_off:")
