"""The settings that can be exported: the pinned ones, and those that other screens are set to now, at first the one of the screen
that was looked at last."""

import streamlit as st

from compress import EmbeddingMatrix, Method
from pages.parts.export.settings import EXPORT
from pages.parts.pins import pins, told_apart
from pages.parts.screens import held_methods, looked_at


def setting_choice(matrix: EmbeddingMatrix) -> Method:
    """The setting to export. What this matrix cannot have is not offered."""
    offered = dict.fromkeys(method for method in [*pins(), *held_methods(matrix)] if possible(method, matrix))
    found = dict(zip(told_apart(offered), offered, strict=True))
    looked = looked_at(matrix)
    if looked in offered:
        st.session_state[EXPORT.setting.key] = next(name for name, method in found.items() if method == looked)
    about = "Pinned settings, and those that the pages before this are set to now. Pin more on any page."
    return found[EXPORT.setting.select("Setting", list(found), width=480, help=about)]


def possible(method: Method, matrix: EmbeddingMatrix) -> bool:
    try:
        method.check(*matrix.shape)
    except ValueError:
        return False
    return True
