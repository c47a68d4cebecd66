"""A dial in a real browser: it answers while it moves, and the server hears of it when it is let go."""

import re

import numpy as np
from playwright.sync_api import expect


def test_a_dial_answers_at_every_value_and_asks_the_server_only_when_let_go(visit, app, figures, settle):
    page = visit(f"{app}/?matrix=toy&j=3", has_touch=True)
    hand, box = page.get_by_role("slider"), page.get_by_role("slider").bounding_box()
    asked = []
    before, y = figures(page), box["y"] + box["height"] / 2
    worst = page.locator(".worst tr:first-child td:last-child")
    expect(worst).to_contain_text("0.")
    page.evaluate(
        """() => { window.sent = 0; const send = WebSocket.prototype.send;
        WebSocket.prototype.send = function (...all) { window.sent++; return send.apply(this, all); }; }"""
    )
    page.mouse.move(box["x"] + 8 + 2 / 29 * (box["width"] - 16), y)
    page.mouse.down()
    seen = []
    for share in np.linspace(2 / 29, 1, 15):
        page.mouse.move(box["x"] + 8 + share * (box["width"] - 16), y)
        page.wait_for_timeout(40)
        seen.append(tuple(figures(page).values()))
        asked.append(page.evaluate("window.sent"))
    assert page.locator(".worst table").inner_text().strip() == ""  # which rows lose most there is not known yet
    assert len({*seen}) >= 14 and asked[-1] == 0 and seen[0] == tuple(before.values())
    expect(page.locator(".marks").first).to_contain_text("j = 30")
    page.mouse.up()
    page.wait_for_url(re.compile(r"[?&]j=30(&|$)"))
    settle(page)
    assert tuple(figures(page).values()) == seen[-1]  # what was told while it moved is what the page then says
    expect(page.get_by_role("status").filter(has_text="Relative error")).to_have_count(1)
    expect(worst).to_contain_text("e-")  # at j = 30 next to nothing

    hand.press("ArrowLeft")
    page.wait_for_url(re.compile(r"[?&]j=29(&|$)"))
    page.touchscreen.tap(box["x"] + box["width"] / 2, y)
    page.wait_for_url(re.compile(r"[?&]j=1[56](&|$)"))
    settle(page)
    stood = hand.input_value()
    page.reload()
    settle(page)
    assert hand.input_value() == stood

    page.goto(page.url.replace(f"j={stood}", "j=7"))
    settle(page)
    assert hand.input_value() == "7" and figures(page) != before
    expect(page.get_by_test_id("stException")).to_have_count(0)
