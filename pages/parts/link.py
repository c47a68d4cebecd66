"""A link that reproduces the screen."""

from urllib.parse import urlencode, urlsplit, urlunsplit

import streamlit as st

from compress.sources.weights import UNIFORM
from pages.parts.matrix import chosen, chosen_weights, is_upload, of_file
from pages.parts.pins import pins, to_link
from pages.parts.screens import SCREENS

OPENED = "link_opened"


def link_popover() -> None:
    """A popover with the link: every setting is written out, those at their defaults too."""
    with st.popover("Copy link", icon=":material/link:", width="stretch"):
        st.code(link(), language=None, wrap_lines=True)
        if is_upload(chosen()[0]):
            st.caption("An uploaded file does not travel in a link: the link opens the demo.")
        if of_file(chosen_weights()):
            st.caption("Weights from a file do not travel in a link: there all rows weigh the same.")


def link() -> str:
    source, tensor = chosen()
    said = {} if is_upload(source) else {"matrix": source} | ({"tensor": tensor} if tensor else {})
    if chosen_weights() != UNIFORM and not of_file(chosen_weights()):
        said["weights"] = chosen_weights()
    for screen in SCREENS:
        said |= screen.texts()
    if pins():
        said["pins"] = to_link(pins())
    return urlunsplit(urlsplit(st.context.url or "")._replace(query=urlencode(said, doseq=True)))


def open_link(title: str) -> None:
    """Holds what the address of a new session says of other screens than that of this title: their addresses will not say it."""
    if OPENED in st.session_state:
        return
    st.session_state[OPENED] = True
    own = {name for screen in SCREENS if screen.title == title for name in screen.names()}
    said = {name: st.query_params.get_all(name) for name in st.query_params if name not in own}
    for screen in SCREENS:
        if screen.title != title:
            screen.take(said)
