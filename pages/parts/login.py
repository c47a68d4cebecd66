"""Who may look, where the server's secrets name a provider of logins; everybody, where they name none."""

from collections.abc import Mapping

import streamlit as st
from streamlit.auth_util import get_secrets_auth_section, is_authlib_installed
from streamlit.errors import StreamlitAuthError

from pages.parts.say import literal, refused

LACKING = "Logins are set up, and the package Authlib that they need is not installed; pip install -r requirements.txt brings it."


def let_in() -> None:
    """Goes on for who may look; shows anybody else the way in, and nothing more."""
    if st.user.get("is_logged_in") is not False:  # none where nobody has to
        return
    st.set_page_config(page_title="Log in · Flatland", layout="centered")
    st.title("Flatland")
    if not is_authlib_installed():
        refused(LACKING)
        st.stop()
    st.write("This app asks who you are.")
    for name in providers():
        words = f"Log in with {literal(name)}" if name else "Log in"
        st.button(words, icon=":material/login:", type="primary", key=f"login_{name}", on_click=ask_for, args=[name])
    if told := st.session_state.pop("login_refused", None):
        refused(told)
    st.stop()


def providers() -> list[str | None]:
    """The names of the providers that the secrets name; None for one without a name."""
    return [name for name, part in get_secrets_auth_section().items() if isinstance(part, Mapping) and "client_id" in part] or [
        None
    ]


def ask_for(provider: str | None) -> None:
    """Sends the browser to a provider, or notes why that cannot be."""
    try:
        st.login(provider)
    except StreamlitAuthError as error:
        st.session_state["login_refused"] = f"Logins are not set up as they must be: {str(error).strip()}"


def who() -> None:
    """Who is logged in, and the way out."""
    if st.user.get("is_logged_in"):
        st.caption(f"Logged in as {literal(str(st.user.get('email') or st.user.get('name') or st.user.get('sub')))}")
        st.button("Log out", icon=":material/logout:", key="logout", type="tertiary", on_click=st.logout)
