"""What of a table is its matrix: dimensions stay, whatever else is numbers is left out, named and kept."""

import re

import numpy as np
import pandas as pd
import pytest

from compress import InputError
from compress.sources import load_matrix

WORDS = [f"term{i}" for i in range(24)]
VECTORS = np.random.default_rng(7).standard_normal((24, 6)).astype(np.float32)
FORMS = {"csv": lambda table, path: table.to_csv(path, index=False), "parquet": lambda table, path: table.to_parquet(path)}


def table(names="d{}", words=True):
    found = pd.DataFrame(VECTORS, columns=[names.format(at) for at in range(6)])
    if words:
        found.insert(0, "term", WORDS)
    return found


def opened(tmp_path, found, form="csv"):
    FORMS[form](found, tmp_path / f"x.{form}")
    return load_matrix(tmp_path / f"x.{form}")


EXTRA = {
    "Unnamed: 0": range(24),
    "id": range(100, 124),
    "count": range(9000, 8976, -1),
    "cluster": [at % 4 for at in range(24)],
    "umap_x": np.linspace(-3, 9, 24),
    "score": np.linspace(0.1, 0.9, 24),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("place", [0, 1, 7])
def test_columns_that_are_no_dimensions_are_left_out_named_and_kept(tmp_path, form, place):
    for name, values in EXTRA.items():
        found = table()
        found.insert(place, name, values)
        matrix = opened(tmp_path, found, form)
        np.testing.assert_allclose(matrix.values, VECTORS, rtol=1e-6)
        assert list(matrix.tokens) == WORDS
        assert matrix.notes == (f"6 columns are the matrix; left out: {name}",)
        np.testing.assert_allclose(matrix.columns[name], list(values), rtol=1e-6)


def test_several_of_them_and_other_text_are_left_out_together(tmp_path):
    found = table()
    for name, values in EXTRA.items():
        found[name] = values
    found["note"] = "a text"
    matrix = opened(tmp_path, found)
    np.testing.assert_allclose(matrix.values, VECTORS, rtol=1e-6)
    assert list(matrix.columns) == [*EXTRA, "note"]
    assert matrix.columns["note"][3] == "a text"


@pytest.mark.parametrize("extra", [range(24), range(1, 25), [at % 4 + 1 for at in range(24)], range(50, 98, 2)])
def test_without_names_whole_numbers_beside_others_are_left_out(tmp_path, extra):
    found = table(words=False)
    found.insert(0, "extra", extra)
    found.to_csv(tmp_path / "x.csv", index=False, header=False)
    matrix = load_matrix(tmp_path / "x.csv")
    np.testing.assert_allclose(matrix.values, VECTORS, rtol=1e-6)
    assert list(matrix.tokens) == [str(each) for each in extra]


def random(seed, low, high):
    return np.random.default_rng(seed).integers(low, high, (24, 8))


WHOLE = {
    "counts": random(0, 0, 50),
    "bits": random(1, 0, 2),
    "int8": random(2, -128, 128),
    "scales": np.random.default_rng(3).standard_normal((24, 8)) * 10.0 ** np.arange(-3, 5),
    "a dead dimension": np.hstack([np.random.default_rng(4).standard_normal((24, 7)), np.zeros((24, 1))]),
    "sparse": np.where(np.random.default_rng(5).random((24, 8)) < 0.2, np.random.default_rng(6).standard_normal((24, 8)), 0),
}
NAMES = {
    "none": None,
    "x1": [f"x{at + 1}" for at in range(8)],
    "letters": list("abcdefgh"),
    "words": ["red", "tall", "old", "far", "dim", "raw", "wet", "hot"],
}


@pytest.mark.parametrize("values", WHOLE.values(), ids=WHOLE)
@pytest.mark.parametrize("names", NAMES.values(), ids=NAMES)
def test_a_plain_matrix_stays_whole(tmp_path, values, names):
    found = pd.DataFrame(values, columns=names)
    found.to_csv(tmp_path / "x.csv", index=False, header=names is not None)
    matrix = load_matrix(tmp_path / "x.csv")
    np.testing.assert_allclose(matrix.values, values, rtol=1e-6)
    assert matrix.notes == () and not matrix.has_tokens
    if names:
        assert opened(tmp_path, found, "parquet").shape == (24, 8)


@pytest.mark.parametrize("form", FORMS)
def test_columns_are_put_back_and_left_out_by_name(tmp_path, form):
    found = table()
    found["count"] = EXTRA["count"]
    opened(tmp_path, found, form)
    path = tmp_path / f"x.{form}"
    assert load_matrix(path, left_out=[]).shape == (24, 7)
    matrix = load_matrix(path, left_out=["count", "d5"])
    np.testing.assert_allclose(matrix.values, VECTORS[:, :5], rtol=1e-6)
    assert matrix.notes == ("5 columns are the matrix; left out: d5, count",)
    with pytest.raises(InputError, match="no column of numbers 'term'; those that can be left out are d0"):
        load_matrix(path, left_out=["term"])
    with pytest.raises(InputError, match="Every column of numbers"):
        load_matrix(path, left_out=[*found.columns[1:]])


@pytest.mark.parametrize("form", FORMS)
def test_rows_are_named_by_the_column_that_is_asked_for(tmp_path, form):
    found = table()
    found["title"], found["id"] = [f"title of {at}" for at in range(24)], EXTRA["id"]
    opened(tmp_path, found, form)
    path = tmp_path / f"x.{form}"
    matrix = load_matrix(path, names="title")
    assert list(matrix.tokens) == [*found["title"]] and list(matrix.columns["term"]) == WORDS
    assert matrix.columns.naming == ("term", "title", "id") and matrix.columns.names_rows == "title"
    np.testing.assert_allclose(matrix.values, VECTORS, rtol=1e-6)
    assert list(load_matrix(path, names="id").tokens) == [str(each) for each in EXTRA["id"]]
    assert load_matrix(path, names="d5").shape == load_matrix(path, left_out=["id", "d5"]).shape == (24, 5)
    with pytest.raises(InputError, match="has no column 'name' to name its rows by; those that can are term, title, d0"):
        load_matrix(path, names="name")
    np.save(tmp_path / "x.npy", VECTORS)
    with pytest.raises(InputError, match=r"x\.npy is no table, so it has no columns to name its rows by"):
        load_matrix(tmp_path / "x.npy", names="title")


def test_lists_are_named_by_the_column_that_is_asked_for(tmp_path):
    found = pd.DataFrame({"id": EXTRA["id"], "text": WORDS, "url": [f"/{at}" for at in range(24)], "vector": VECTORS.tolist()})
    for form, write in (FORMS | {"jsonl": lambda each, path: each.to_json(path, orient="records", lines=True)}).items():
        write(found, tmp_path / f"x.{form}")
        for name in ("id", "text", "url"):
            assert list(load_matrix(tmp_path / f"x.{form}", names=name).tokens) == [str(each) for each in found[name]]


ODD = {
    "price": (500 + 100 * VECTORS[:, 0], r"price is \d{3} times as large as the others: leave out what is no dim"),
    "grade": ([at % 5 + 0.0 for at in range(24)], "grade is of whole numbers"),
    "moment": (np.linspace(0.1, 0.9, 24) ** 2, "moment is in order"),
}


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("form", FORMS)
def test_a_column_that_stands_out_and_stays_in_the_matrix_is_named(tmp_path, form, name):
    values, told = ODD[name]
    found = pd.DataFrame(VECTORS, columns=["red", "tall", "old", "far", "dim", "raw"])
    found.insert(2, name, values)
    matrix = opened(tmp_path, found, form)
    assert matrix.shape == (24, 7) and len(matrix.notes) == 1 and re.search(told, matrix.notes[0])
    assert [*matrix.columns.odd] == [name]
    assert load_matrix(tmp_path / f"x.{form}", left_out=[]).notes == ()
    assert load_matrix(tmp_path / f"x.{form}", left_out=[name]).notes == (f"6 columns are the matrix; left out: {name}",)


def test_a_column_without_a_name_that_stands_out_is_named_by_its_place(tmp_path):
    np.savetxt(tmp_path / "x.txt", np.insert(VECTORS, 4, 1000 + VECTORS[:, 1], axis=1))
    (note,) = load_matrix(tmp_path / "x.txt").notes
    assert "column 5 is" in note


def test_columns_that_are_neither_numbers_nor_words_are_named_and_kept(tmp_path):
    found = table()
    found["good"], found["day"] = [at % 2 == 0 for at in range(24)], pd.to_datetime("2024-01-01")
    matrix = opened(tmp_path, found, "parquet")
    assert matrix.notes == ("6 columns are the matrix; left out: good, day",)
    assert matrix.columns["good"][:2] == ["True", "False"] and matrix.columns["day"][0].startswith("2024-01-01")
    found.drop(columns="day").to_json(tmp_path / "x.jsonl", orient="records", lines=True)
    assert load_matrix(tmp_path / "x.jsonl").notes == ("6 columns are the matrix; left out: good",)
