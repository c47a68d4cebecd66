"""Logins, where the server's secrets name a provider: one on loopback here, and all that is between it and a browser."""

from contextlib import ExitStack

import pytest
from openid import letting_in, secrets_toml
from playwright.sync_api import expect
from streamlit.util import calc_hash
from test_forged import Client

pytest.importorskip("authlib", reason="logins need Authlib")


@pytest.fixture
def provider():
    with letting_in({"sub": "7", "email": "ada@example.org"}) as running:
        yield running


@pytest.fixture
def asking(serve, provider, tmp_path):
    """The address of the app, which asks who comes."""
    (tmp_path / "secrets.toml").write_text(secrets_toml(provider, "http://127.0.0.1:{port}"))
    env = {"STREAMLIT_SECRETS_FILES": str(tmp_path / "secrets.toml"), "FLATLAND_CACHE": str(tmp_path), "NO_PROXY": "127.0.0.1"}
    return serve("app.py", env=env)


def test_only_who_is_logged_in_sees_the_app(asking, visit, settle, provider):
    page = visit(f"{asking}/robustness?matrix=toy")
    expect(page.get_by_role("button", name="Log in")).to_be_visible()
    assert page.get_by_test_id("stSidebar").count() == 0
    assert page.get_by_text("rows ×").count() == 0
    with ExitStack() as stack:
        forged = Client(stack, asking, "127.0.0.1")
        for name in ("", "spectrum", "robustness", "export"):
            forged.state.rerun_script.page_name = name
            forged.state.rerun_script.page_script_hash = calc_hash(name)
            drawn = forged.run(matrix="toy")
            assert "Log in" in drawn and "rows" not in drawn
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_text("Logged in as ada@example.org")).to_be_visible()
    assert {"/authorization", "/token", "/jwks"} <= {*provider.asked}
    with page.expect_response(f"{provider.url}/end_session**"):
        page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("button", name="Log in")).to_be_visible()
    settle(page)
    assert provider.asked.count("/end_session") == 1
