"""Robustness in a real browser."""

import re

from playwright.sync_api import expect


def test_the_page_opens_with_its_charts_and_fits_a_wide_screen_and_a_phone(visit, app, fits):
    page = visit(f"{app}/robustness?matrix=toy&planted=20", viewport={"width": 1440, "height": 900})
    expect(page.get_by_role("heading", name="Who pulls the fit?")).to_have_count(1)
    expect(page.locator(".js-plotly-plot")).to_have_count(3)
    assert fits(page) and fits(page, 390)


def test_cards_and_histograms_answer_while_p_moves_and_are_exact_once_it_is_let_go(visit, app, settle, figures):
    page = visit(f"{app}/robustness?matrix=toy&planted=20&robust_p=1.5")
    line = "() => document.querySelector('.js-plotly-plot path.js-line').getAttribute('d')"
    plotted = (
        "() => { const p = document.querySelector('.js-plotly-plot'); p.on('plotly_afterplot', () => p.dataset.plotted = 'yes'); }"
    )
    expect(page.locator(".js-plotly-plot")).to_have_count(3)
    answers = "key => globalThis[Symbol.for('flatland.dials')].tables.has(key)"
    page.wait_for_function(answers, arg="robust_p")
    settle(page)
    hand = page.get_by_role("slider", name="Exponent p")
    box = hand.bounding_box()
    y, before = box["y"] + box["height"] / 2, page.evaluate(line)
    page.mouse.move(box["x"] + box["width"] / 2, y)
    page.mouse.down()
    seen = []
    for step in range(1, 13):
        page.mouse.move(box["x"] + box["width"] / 2 + 4 * step, y)
        page.wait_for_timeout(60)
        seen.append(tuple(figures(page).values()))
    assert len({*seen}) >= 6 and page.evaluate(line) != before
    away = page.evaluate(line)
    page.mouse.move(box["x"] + box["width"] / 2, y)
    page.wait_for_function(f"away => ({line})() !== away", arg=away)  # plotly has put back its own
    page.evaluate(plotted)
    back = page.evaluate(line)
    page.mouse.move(box["x"] + box["width"] / 2 + 48, y)
    page.wait_for_timeout(60)
    assert page.evaluate(line) != back and not page.locator("[data-plotted]").count()  # plotly has not drawn the chart anew
    told = figures(page)
    page.mouse.up()
    page.wait_for_url(re.compile(r"[?&]robust_p=1\.[56]\d*(&|$)"))
    settle(page)
    shown = figures(page)
    assert shown.keys() == told.keys()
    told, shown = (float(each["ℓ1 error"].strip("≈ ")) for each in (told, shown))
    assert abs(told / shown - 1) < 0.03
    page.wait_for_function(answers, arg="planted_length")
