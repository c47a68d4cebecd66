"""A second file tells of the rows of a matrix: a row for each, in any form of a table."""

import json

import numpy as np
import pandas as pd
import pytest

from compress import InputError
from compress.sources import load_matrix
from compress.sources.column_kinds import Categories, Dates, Lists, Numbers, Texts, typed

VECTORS = np.random.default_rng(3).standard_normal((24, 5)).astype(np.float32)
DAYS = [f"2024-01-{at + 1:02}" for at in range(24)]
TABLE = pd.DataFrame(
    {
        "title": [f"a «text» {at}" for at in range(24)],
        "topic": [["sport", "news", "art"][at % 3] for at in range(24)],
        "price": [None if at == 5 else at + 0.25 for at in range(24)],
        "good": [at % 2 == 0 for at in range(24)],
        "when": [None if at == 5 else day for at, day in enumerate(DAYS)],
    }
)
KINDS = {"title": Texts, "topic": Categories, "price": Numbers, "good": Categories, "when": Dates}
FORMS = {
    "csv": lambda table, path: table.to_csv(path, index=False),
    "tsv": lambda table, path: table.to_csv(path, index=False, sep="\t"),
    "parquet": lambda table, path: table.to_parquet(path),
    "jsonl": lambda table, path: table.to_json(path, orient="records", lines=True),
    "csv.gz": lambda table, path: table.to_csv(path, index=False),
}


@pytest.fixture
def vectors(tmp_path):
    np.save(tmp_path / "x.npy", VECTORS)
    return tmp_path / "x.npy"


def written(folder, table, form="csv", name="labels"):
    table = table.assign(when=pd.to_datetime(table["when"])) if form == "parquet" and "when" in table else table
    FORMS[form](table, folder / f"{name}.{form}")
    return folder / f"{name}.{form}"


@pytest.mark.parametrize(("form", "guarded"), [*((form, False) for form in FORMS), ("csv", True), ("parquet", True)])
def test_its_columns_are_the_matrix_s_whatever_its_form(tmp_path, vectors, form, guarded):
    matrix = load_matrix(vectors, columns=written(tmp_path, TABLE, form), guarded=guarded)
    np.testing.assert_array_equal(matrix.values, VECTORS)
    found = {name: typed(matrix.columns[name], name) for name in matrix.columns}
    assert {name: type(held) for name, held in found.items()} == KINDS
    assert list(matrix.tokens) == list(TABLE["title"]) and matrix.columns.names_rows == "title"
    assert all(np.flatnonzero(found[name].values != found[name].values).tolist() == [5] for name in ("price", "when"))
    assert found["when"].values[7] == np.datetime64(DAYS[7]) and found["good"].counts.tolist() == [12, 12]


@pytest.mark.parametrize("form", ["csv", "parquet", "jsonl"])
def test_a_table_of_vectors_keeps_columns_of_every_kind_beside_lists(tmp_path, form):
    table = TABLE.assign(vector=[str(row) if form == "csv" else row for row in VECTORS.tolist()])
    matrix = load_matrix(written(tmp_path, table, form))
    found = {name: typed(matrix.columns[name], name) for name in matrix.columns}
    assert {name: type(found[name]) for name in KINDS if name != "title"} == {k: v for k, v in KINDS.items() if k != "title"}
    assert np.isnan(found["price"].values).sum() == np.isnat(found["when"].values).sum() == 1
    np.testing.assert_allclose(matrix.values, VECTORS, rtol=1e-6)


def test_a_second_column_of_lists_is_told_by_its_first_numbers(tmp_path):
    table = pd.DataFrame({"vector": VECTORS.tolist(), "other": VECTORS[:, ::-1].tolist()})
    matrix = load_matrix(written(tmp_path, table, "parquet"), tensor="vector")
    found = typed(matrix.columns["other"], "other")
    assert isinstance(found.values, Lists) and found.values[0].startswith(f"{VECTORS[0, 4]:.3g}, ")


def test_another_number_of_rows_is_told(tmp_path, vectors):
    for form in ("csv", "parquet", "jsonl"):
        with pytest.raises(InputError, match=rf"labels\.{form} has 23 rows and the matrix 24; give a row for each, in the same"):
            load_matrix(vectors, columns=written(tmp_path, TABLE[:23], form))
    np.save(tmp_path / "y.npy", np.arange(3))
    with pytest.raises(InputError, match=r"y\.npy has 3 rows and the matrix 24"):
        load_matrix(vectors, columns=tmp_path / "y.npy")


def test_a_list_of_labels_needs_no_name(tmp_path, vectors):
    for name, content in {"y.txt": "\n".join(TABLE["topic"]) + "\n", "z.csv": "\n".join(map(str, range(24)))}.items():
        (tmp_path / name).write_text(content)
        matrix = load_matrix(vectors, columns=tmp_path / name)
        assert list(matrix.columns) == [name[0]] and len(matrix.columns[name[0]]) == 24 and not matrix.has_tokens
    np.save(tmp_path / "w.npy", TABLE["topic"].to_numpy(str))
    assert load_matrix(vectors, columns=tmp_path / "w.npy").columns["w"] == list(TABLE["topic"])


def test_a_name_twice_is_numbered_and_both_are_kept(tmp_path):
    table = pd.DataFrame(VECTORS, columns=[f"d{at}" for at in range(5)]).assign(topic=["first"] * 24, word=DAYS)
    (tmp_path / "l.csv").write_text("topic,topic\n" + "second,third\n" * 24)
    matrix = load_matrix(written(tmp_path, table, name="x"), columns=tmp_path / "l.csv")
    found = {name: matrix.columns[name][3] for name in matrix.columns}
    assert found == {"topic": "first", "topic.1": "second", "topic.1.1": "third"}


def test_any_of_its_columns_names_the_rows(tmp_path, vectors):
    path = written(tmp_path, TABLE)
    assert list(load_matrix(vectors, columns=path, names="topic").tokens) == list(TABLE["topic"])
    assert load_matrix(vectors, columns=path, names="price").tokens[1] == "1.25"
    with pytest.raises(InputError, match=r"labels\.csv has no column 'nothing' to name the rows by; it has title, topic"):
        load_matrix(vectors, columns=path, names="nothing")


def test_quotes_newlines_and_html_are_letters_of_a_text(tmp_path, vectors):
    texts = [f'<b onclick="x">{at}</b>\nsecond, line\twith "quotes"' for at in range(24)]
    for form in ("csv", "tsv"):
        matrix = load_matrix(vectors, columns=written(tmp_path, TABLE.assign(title=texts), form))
        assert list(matrix.tokens) == texts


def test_an_open_quote_in_a_cell_is_a_letter(tmp_path, vectors):
    (tmp_path / "l.tsv").write_text("inch\tn\n" + "".join(f'{at}"\t{at}.5\n' for at in range(24)))
    assert load_matrix(vectors, columns=tmp_path / "l.tsv").columns["inch"][3] == '3"'


def test_a_megabyte_in_a_cell_is_read(tmp_path, vectors):
    texts = ["a" * 1_000_000, *TABLE["title"][1:]]
    assert len(load_matrix(vectors, columns=written(tmp_path, TABLE.assign(title=texts))).tokens[0]) == 1_000_000


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("l.csv", b"a,b\n" + b"1,2,3\n4\n" * 12, r"l\.csv has rows of different numbers of cells"),
        ("l.csv", b"", r"l\.csv is empty"),
        ("l.csv", b"a\0b\n" * 24, r"l\.csv is no text|l\.csv is no table of columns"),
        ("l.safetensors", b"\x08\0\0\0\0\0\0\0{}      ", r"l\.safetensors is no table of columns; give CSV, TSV, parquet, JSON"),
        ("l.json", b'[{"a": 1}, ', r"l\.json"),
        ("l.npy", b"\x93NUMPY", r"l\.npy"),
    ],
)
def test_what_is_no_such_table_is_told_in_a_sentence(tmp_path, vectors, name, content, told):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=told):
        load_matrix(vectors, columns=tmp_path / name)
    with pytest.raises(InputError, match=r"There is no file nothing\.csv"):
        load_matrix(vectors, columns=tmp_path / "nothing.csv")


def test_mixed_types_are_text_and_letters_of_windows_are_read(tmp_path, vectors):
    (tmp_path / "l.csv").write_bytes(b"x,y\n" + b"".join(b"%d,caf\xe9\n" % at if at % 2 else b"word,\n" for at in range(24)))
    matrix = load_matrix(vectors, columns=tmp_path / "l.csv")
    assert matrix.columns["x"][:2] == ["word", "1"] and matrix.columns["y"][1] == "café"
    (tmp_path / "l.jsonl").write_text("\n".join(json.dumps({"x": [at, "word", None][at % 3]}) for at in range(24)))
    assert load_matrix(vectors, columns=tmp_path / "l.jsonl").columns["x"][:4] == ["0", "word", "", "3"]


def test_metadata_of_the_projector_gives_its_columns(tmp_path):
    np.savetxt(tmp_path / "vectors.tsv", VECTORS, delimiter="\t")
    (tmp_path / "metadata.tsv").write_text("title\ttopic\n" + "\n".join(f"{a}\t{b}" for a, b in TABLE[["title", "topic"]].values))
    for guarded, source in ((False, tmp_path), (True, tmp_path / "vectors.tsv")):
        matrix = load_matrix(source, guarded=guarded)
        assert list(matrix.tokens) == list(TABLE["title"]) and list(matrix.columns["topic"]) == list(TABLE["topic"])


def test_the_projector_s_bytes_are_as_wide_as_its_config_or_its_metadata_say(tmp_path):
    VECTORS.astype("<f4").tofile(tmp_path / "tensors.bytes")
    with pytest.raises(InputError, match=r"tensors\.bytes does not say its width"):
        load_matrix(tmp_path / "tensors.bytes")
    (tmp_path / "metadata.tsv").write_text("title\ttopic\n" + "\n".join(f"{a}\t{b}" for a, b in TABLE[["title", "topic"]].values))
    matrix = load_matrix(tmp_path / "tensors.bytes", guarded=True)
    np.testing.assert_array_equal(matrix.values, VECTORS)
    assert list(matrix.tokens) == list(TABLE["title"]) and list(matrix.columns["topic"]) == list(TABLE["topic"])
    (tmp_path / "metadata.tsv").unlink()
    config = {"embeddings": [{"tensorPath": "data/tensors.bytes", "tensorShape": [24, 5]}]}
    (tmp_path / "projector_config.json").write_text(json.dumps(config))
    assert load_matrix(tmp_path / "tensors.bytes").shape == (24, 5)
