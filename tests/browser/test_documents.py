"""A table of documents in a real browser: uploaded, coloured by its labels, filtered, lassoed, taken away."""

import re

import numpy as np
import pandas as pd
import pyarrow as pa
from playwright.sync_api import expect
from pyarrow import parquet

from compress import load_matrix
from compress.analysis.search import search, truth_of
from compress.methods import SVD
from compress.tasks.search import Search

TOPICS = ("<b>art</b>", "law", "sport")


def write_documents(path, n=600):
    """Rows around three points far from each other, with their topic, a year and a text."""
    random = np.random.default_rng(0)
    topic = np.arange(n) % 3
    values = (20 * np.eye(16)[topic] + random.standard_normal((n, 16))).astype("f4")
    table = {
        "embedding": pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), 16),
        "topic": [TOPICS[z] for z in topic],
        "year": 1990 + 10 * topic + random.integers(0, 10, n),
        "text": [f"words on {TOPICS[z]}, number {row}" for row, z in enumerate(topic)],
    }
    parquet.write_table(pa.table(table), path)


def recall(path, j):
    """recall@10 of SVD, without the page."""
    matrix = load_matrix(path)
    truth = truth_of(matrix, Search().of(matrix)[0], "cosine")
    return search(matrix, SVD(j=j).fit(matrix), truth).recall(10)


def test_a_table_is_coloured_filtered_lassoed_downloaded_and_searched(visit, app, settle, downloaded, go, card, tmp_path):
    write_documents(tmp_path / "documents.parquet")
    page = visit(f"{app}/subspaces?layout=PCA&colour=subspace&k=2&j=2")
    page.get_by_role("combobox", name="Matrix").click()
    page.get_by_role("option", name="Upload a file").click()
    page.locator('.st-key-matrix_upload input[type="file"]').set_input_files(tmp_path / "documents.parquet")
    page.get_by_role("combobox", name="Colour").click()
    page.get_by_role("option", name="topic").click()
    entries = page.locator(".category")
    expect(entries).to_have_text([re.compile(f"^{re.escape(topic)}200$") for topic in TOPICS])
    expect(page.get_by_role("radio", name="topic")).to_be_checked()

    entries.nth(0).click()  # one category goes
    expect(page.get_by_text("400 rows shown.")).to_be_visible()
    settle(page)
    points = page.locator("canvas.points")
    points.scroll_into_view_if_needed()
    box = points.bounding_box()
    page.keyboard.down("Shift")
    page.mouse.move(box["x"] + 2, box["y"] + 2)
    page.mouse.down()
    for x, y in ((0.99, 0.01), (0.99, 0.99), (0.01, 0.99), (0.01, 0.01)):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=4)
    page.mouse.up()
    page.keyboard.up("Shift")
    expect(page.get_by_text("400 rows in the lasso.")).to_be_visible()
    settle(page)

    for button, read in (("Download 400 as CSV", pd.read_csv), ("Parquet", pd.read_parquet)):
        rows = read(downloaded(page, button))
        assert set(rows["topic"]) == {*TOPICS[1:]} and len(rows) == 400
        assert rows["text" if "text" in rows else "name"].str.startswith("words on ").all()
        assert {"row", "subspace", "relative error", "norm"} < {*rows.columns}

    go(page, "Spectrum")
    go(page, "Model quality")
    expect(card(page, "Recall@10").first).to_have_text(f"{recall(tmp_path / 'documents.parquet', j=1):.3f}")
