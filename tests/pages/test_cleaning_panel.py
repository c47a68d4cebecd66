"""Subspaces' panels Agreement and Cleaning, on a table with planted groups and copies."""

import numpy as np
import pytest

from compress.__main__ import main
from pages.parts.subspaces import cleaning
from pages.parts.subspaces.marked import MARKED
from pages.parts.work.queue import QUEUE
from tests.pages.drawn import drawn

N = 90


@pytest.fixture
def docs(tmp_path):
    """Rows of three flats, each with its topic; the last five are rows 0 to 4 again, every ninth has no topic."""
    rng = np.random.default_rng(0)
    groups = np.arange(N) % 3
    bases = np.linalg.qr(rng.standard_normal((12, 6)))[0].T.reshape(3, 2, 12)
    values = np.einsum("nj,njd->nd", rng.standard_normal((N, 2)), bases[groups]) + 0.01 * rng.standard_normal((N, 12))
    values[-5:], groups[-5:] = values[:5], groups[:5]
    lines = ["term,topic,even," + ",".join(f"d{at}" for at in range(12))]
    for row, numbers in enumerate(values.tolist()):
        topic = "" if row % 9 == 8 else f"<b>topic {groups[row]}</b>"
        lines.append(f"term{row},{topic},same,{','.join(map(str, numbers))}")
    (tmp_path / "docs.csv").write_text("\n".join(lines))
    return tmp_path / "docs.csv"


def opened(open_page, panel, **address):
    return open_page("subspaces", k=3, flat_j=2, panel=panel, **address)


def test_subspaces_that_are_the_topics_agree_with_them(open_page, docs):
    page = opened(open_page, "Agreement", matrix=docs)
    table = page.dataframe[-1].value
    rand, information = table["adjusted Rand index"], table["normalized mutual information"]
    assert not page.exception and table["labels"][0] == "subspaces, k = 3" and len(table) == 4
    assert float(rand[0]) > 0.9 and float(information[0]) > 0.9
    assert abs(float(rand[3].split(" ± ")[0])) < 0.1
    assert next(box for box in page.selectbox if box.label == "Column of categories").options == ["topic"]
    assert any("10 of 90 rows have no category" in each.value for each in page.caption)
    chart = next(each for each in drawn(page) if each["data"][0]["type"] == "heatmap")
    assert {name[3:] for name in chart["data"][0]["y"]} == {f"&lt;b&gt;topic {at}&lt;/b&gt;" for at in range(3)}


def test_a_matrix_without_columns_is_told_how_to_bring_some(open_page):
    page = opened(open_page, "Agreement")
    assert not page.exception and any("no columns beside it" in each.value for each in page.caption)


def test_copies_are_listed_marked_and_left_out(open_page, docs):
    page = opened(open_page, "Cleaning", matrix=docs)
    table = page.dataframe[-1].value
    copies = table[table["why"] == "exact duplicate"]
    assert not page.exception and sorted(copies["row"]) == [0, 1, 2, 3, 4, 85, 86, 87, 88, 89]
    assert sorted(copies["row"][copies["kept"]]) == [0, 1, 2, 3, 4]
    assert MARKED not in page.session_state
    page.pills(key="cleaning_kinds").set_value(["exact duplicates"])
    page.toggle(key="cleaning_mark").set_value(True)
    page.run()
    assert not page.exception and page.session_state[MARKED][1].tolist() == [85, 86, 87, 88, 89]
    assert any("85 of 90 rows are left" in each.value for each in page.caption)
    page.toggle(key="cleaning_mark").set_value(False)
    page.run()
    assert len(page.session_state[MARKED][1]) == 0


def test_a_higher_cosine_lists_fewer_near_rows_without_another_search(open_page, docs, monkeypatch):
    page = opened(open_page, "Cleaning", matrix=docs, cleaning_cosine=0.9, cleaning_kinds="near duplicates")
    assert page.slider(key="cleaning_cosine").value == 0.9 and {*page.dataframe[-1].value["why"]} == {"near duplicate"}
    monkeypatch.setattr(cleaning, "near_rows", None)
    listed = []
    for cosine in (0.9, 0.99, 1.0):
        page.slider(key="cleaning_cosine").set_value(cosine)
        page.run()
        table = page.dataframe[-1].value
        listed.append((table["why"] == "near duplicate").sum())
    assert not page.exception and listed[0] > listed[1] > listed[2] == 10


def test_near_rows_of_many_are_sought_by_a_job(open_page, docs, monkeypatch):
    monkeypatch.setattr(cleaning, "SMALL", 50)
    monkeypatch.setattr(QUEUE, "most", 0)  # its command is run here
    page = opened(open_page, "Cleaning", matrix=docs)
    assert "near duplicate" not in set(page.dataframe[-1].value["why"])
    page.button(key="find_near").click().run()
    assert main(page.session_state["jobs"]["near"].arguments) == 0
    page.run()
    assert not page.exception and "near duplicate" in set(page.dataframe[-1].value["why"])


def test_rows_that_are_all_the_same_leave_no_matrix(open_page, tmp_path):
    np.save(tmp_path / "same.npy", np.ones((30, 4)))
    page = open_page("subspaces", k=2, flat_j=1, panel="Cleaning", matrix=tmp_path / "same.npy")
    assert not page.exception and any("Fewer than 2 rows would be left" in each.value for each in page.caption)
