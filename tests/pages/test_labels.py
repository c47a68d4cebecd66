"""What a row is called on the pages: what its table has, whatever that is."""

import re

import numpy as np
import pytest

from tests.pages.drawn import shown_cards

LOOKS = {
    "subspaces": {"k": 2, "flat_j": 2, "map_token": "1"},
    "robustness": {"robust_j": 2, "planted": 2},
    "hash_codes": {"hash_bits": 8, "hash_token": "1"},
    "tradeoffs": {},
    "model_quality": {"pins": '[["int4",{}]]', "export": "int4 by row"},
}
OTHERS = {"row": r"\b(tokens?|words?)\b", "word": r"\b(tokens?)\b", "token": r"\b(words?)\b"}
NAMES = [f"{first}{last}ing" for first in "bcdfghjk" for last in "aeiou"]


@pytest.fixture
def tables(tmp_path):
    """A table for each word: one without names, word vectors, one with a tokenizer's vocabulary."""
    values = np.random.default_rng(0).standard_normal((len(NAMES), 6)).astype(np.float32)
    np.save(tmp_path / "a.npy", values)
    lines = [" ".join([name, *map(str, row)]) for name, row in zip(NAMES, values.tolist(), strict=True)]
    (tmp_path / "b.txt").write_text("\n".join(lines))
    (tmp_path / "c.csv").write_text("\n".join(["token,1,2,3,4,5,6", *(line.replace(" ", ",") for line in lines)]))
    return {"row": tmp_path / "a.npy", "word": tmp_path / "b.txt", "token": tmp_path / "c.csv"}


def said(page):
    """Everything of a page that is said of the table itself; formulas and papers stand in expanders, in longer texts."""
    found = [each.value for each in [*page.caption, *page.markdown, *page.title, *page.subheader] if len(each.value) < 400]
    for field in page.text_input:
        found += [field.label, field.placeholder, field.help]
    for frame in page.dataframe:
        found += list(frame.value.columns)
    found += [card.help for card in shown_cards(page)] + [tab.label for tab in page.tabs]
    return found


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("word", OTHERS)
def test_a_row_is_called_what_the_table_has(open_page, tables, look, word):
    page = open_page(look, matrix=tables[word], **LOOKS[look])
    if look == "hash_codes":
        page.session_state["hash_panel"] = "One row"
        page.run()
    assert not page.exception
    assert [text for text in said(page) if re.search(OTHERS[word], text, re.IGNORECASE)] == []
    assert not re.search(r"row (\d+).*, row \1\b", " ".join(said(page)))  # its number once
    if look in ("subspaces", "hash_codes", "model_quality"):
        assert f"Find a {word}" in {field.label for field in page.text_input}


def test_the_row_that_is_shown_first_has_a_name_that_means_something(open_page, tmp_path):
    dead = np.tile(np.eye(6, dtype=np.float32)[0], (40, 1))
    values = np.vstack([dead, np.random.default_rng(0).standard_normal((len(NAMES), 6))])
    names = [*(f"<0x{byte:02X}>" for byte in range(40)), *NAMES]
    lines = [" ".join([name, *map(str, row)]) for name, row in zip(names, values.tolist(), strict=True)]
    (tmp_path / "a.txt").write_text("\n".join(lines))
    page = open_page("model_quality", matrix=tmp_path / "a.txt", **LOOKS["model_quality"])
    shown = next(caption.value for caption in page.caption if "nearest are kept" in caption.value)
    assert shown.split("**")[1] in NAMES and not page.exception
