"""The address in a real browser: loading again, Back, an upload, another matrix."""

import re
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from playwright.sync_api import expect


@pytest.fixture
def named():
    """`named(page)` is what its address says."""
    return lambda page: {name: texts[-1] for name, texts in parse_qs(urlsplit(page.url).query).items()}


def slid(page):
    return [int(slider.input_value()) for slider in page.get_by_test_id("stMain").locator("input[type=range]:not(.end)").all()]


def upload(page, path):
    page.locator('input[type="file"]').first.set_input_files(path)


def test_loading_again_and_back_give_the_same_screens(visit, app, settle, slide, named, go):
    page = visit(f"{app}/?matrix=toy")
    slide(page, "Dimension j of the subspace", "j=5", times=2)
    page.get_by_role("button", name="Pin", exact=True).click()
    page.get_by_role("button", name="Unpin").first.wait_for()
    go(page, "Subspaces")
    slide(page, "Number of subspaces k", "k=7", times=2)
    page.locator(".st-key-colour").get_by_text("error", exact=True).click()
    page.wait_for_url(re.compile("colour=error"))
    settle(page)
    page.get_by_role("button", name="Copy link").click()
    link = page.get_by_test_id("stPopoverBody").locator("code")
    expect(link).to_contain_text("colour=error")
    page.keyboard.press("Escape")
    settle(page)
    before = named(page)
    assert {"matrix": "toy", "k": "7", "colour": "error", "spectrum_j": "5"}.items() <= before.items() and "pins" in before
    page.reload()
    settle(page)
    assert named(page) == before and slid(page) == [7, 3] and page.title() == "toy · Subspaces · Flatland"
    expect(page.get_by_text("SVD, j = 5, float16")).to_have_count(1)
    page.get_by_role("slider", name="Dimension j of each").press("ArrowRight")
    go(page, "Export")  # at once
    setting = page.get_by_role("combobox", name="Setting")
    expect(setting).to_have_value("k subspaces, k = 7, j = 4, float16")
    page.reload()
    settle(page)
    expect(setting).to_have_value("k subspaces, k = 7, j = 4, float16")
    page.go_back()
    page.wait_for_url(re.compile("/subspaces"))
    settle(page)
    assert slid(page) == [7, 4]
    page.go_back()
    page.wait_for_url(lambda url: urlsplit(url).path == "/")
    settle(page)
    assert slid(page) == [5]
    expect(page.get_by_text("SVD, j = 5, float16")).to_have_count(1)


def test_an_upload_survives_loading_again_and_a_bad_one_after_it(visit, app, settle, named, tmp_path):
    np.save(tmp_path / "mine.npy", np.random.default_rng(0).standard_normal((60, 9)).astype(np.float32))
    (tmp_path / "bad.npy").write_bytes(b"\x93NUMPY cut short")
    page = visit(f"{app}/?matrix=toy&j=20")
    page.get_by_role("combobox", name="Matrix").click()
    page.get_by_role("option", name="Upload a file").click()
    settle(page)
    upload(page, tmp_path / "mine.npy")
    page.get_by_text("mine.npy · 60 × 9").wait_for()
    settle(page)
    expect(page.get_by_text("Spectrum: j = 20 is now 9")).to_have_count(1)
    assert re.fullmatch(r"upload:[0-9a-f]{32}/mine\.npy", named(page)["matrix"]) and page.title().startswith("mine.npy · ")
    page.reload()
    settle(page)
    expect(page.get_by_text("mine.npy · 60 × 9")).to_have_count(1)
    upload(page, tmp_path / "bad.npy")
    page.get_by_test_id("stAlert").filter(has_text="bad.npy").wait_for()
    upload(page, tmp_path / "bad.npy")  # the control used again
    settle(page)
    expect(page.get_by_text("Still showing mine.npy.")).to_have_count(1)
    expect(page.get_by_text("mine.npy · 60 × 9")).to_have_count(1)
    page.go_back()  # another matrix is a step of its own
    page.get_by_text("toy · 3,000 × 30").wait_for()
    settle(page)
    assert named(page)["matrix"] == "toy"
    expect(page.get_by_role("combobox", name="Matrix")).to_have_value("Toy: points around 4 flats")
    page.go_forward()
    page.get_by_text("mine.npy · 60 × 9").wait_for()
