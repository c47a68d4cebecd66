"""The address in the browser names all that makes the screen, so that loading it again, or a copy of it, gives the same one."""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from pages.parts.link import Texts

_address = st.components.v2.component("flatland_address", js=Path(__file__).with_suffix(".js").read_text(encoding="utf-8"))


def address(page: str, pages: Sequence[str], own: dict[str, list[str] | None], standing: Texts) -> None:
    """page, pages: the one that is shown, and all, as their paths. own: what the address says of this page's settings,
    which the app's frame writes too when one is moved; None where that is left as it is. standing: what it says on every page.

    What the session itself writes, such as a step of the lesson, the frame puts in place of all, less what dials wrote: `session`
    tells when to complete it again."""
    data = {"page": page, "pages": list(pages), "own": own, "standing": standing, "session": st.query_params.to_dict()}
    _address(key="address", data=data, height=1)
