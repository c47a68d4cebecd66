"""Who is let in: everybody where no provider of logins is named, else who is logged in; what is wrong with a set-up is said."""

import pytest
from streamlit.runtime.secrets import secrets_singleton
from streamlit.testing.v1 import AppTest

from pages.parts import login

AUTH = {
    "redirect_uri": "http://127.0.0.1:8501/oauth2callback",
    "cookie_secret": 40 * "x",
    "client_id": "c",
    "client_secret": "s",
    "server_metadata_url": "http://127.0.0.1:9/.well-known/openid-configuration",
}


def guarded():
    import streamlit as st

    from pages.parts.login import let_in, who

    let_in()
    who()
    st.write("inside")


@pytest.fixture
def run(monkeypatch):
    def opened(auth=None, installed=True):
        monkeypatch.setattr(login, "is_authlib_installed", lambda: installed)
        monkeypatch.setattr(secrets_singleton, "load_if_toml_exists", lambda: bool(auth))
        monkeypatch.setattr(secrets_singleton, "_secrets", {"auth": auth} if auth else {})
        return AppTest.from_function(guarded).run()

    return opened


def texts(page):
    return [each.value for each in (*page.markdown, *page.error)]


def test_everybody_is_let_in_where_no_provider_is_named(run):
    assert texts(run()) == ["inside"]


def test_nobody_who_is_not_logged_in_is_let_in(run):
    page = run(AUTH)
    assert "inside" not in texts(page)
    assert [button.label for button in page.button] == ["Log in"]


def test_every_provider_that_has_a_name_has_its_button(run):
    own = {name: AUTH[name] for name in ("client_id", "client_secret", "server_metadata_url")}
    page = run({"redirect_uri": AUTH["redirect_uri"], "cookie_secret": AUTH["cookie_secret"], "google": own, "okta": own})
    assert [button.label for button in page.button] == ["Log in with google", "Log in with okta"]


def test_a_package_that_lacks_is_named_and_nobody_is_let_in(run):
    page = run(AUTH, installed=False)
    assert [each.value for each in page.error] == [login.literal(login.LACKING)]
    assert "inside" not in texts(page) and not page.button


def test_a_set_up_that_lacks_something_is_said_when_a_person_asks(run, monkeypatch):
    monkeypatch.setattr("streamlit.user_info.is_authlib_installed", lambda: True)
    page = run({name: text for name, text in AUTH.items() if name != "cookie_secret"})
    page = page.button[0].click().run()
    assert "cookie" in page.error[0].value and not page.exception
