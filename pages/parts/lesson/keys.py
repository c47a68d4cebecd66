"""A presenter's keys: ← and → (or Page Up and Page Down, as remote controls send) step, 1 to 5 choose a scene.

They press the page's own buttons. Where a scene has no steps they move its first dial, by a fifteenth of its way.
"""

from pathlib import Path

import streamlit as st

_keys = st.components.v2.component("flatland_lesson_keys", js=Path(__file__).with_suffix(".js").read_text(encoding="utf-8"))


def keys() -> None:
    _keys(key="lesson_keys", height=1)
