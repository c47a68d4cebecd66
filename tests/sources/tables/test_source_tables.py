"""Parquet and CSV tables."""

import numpy as np
import pytest

from compress import InputError
from compress.sources import limits, load_matrix, tensors

pd = pytest.importorskip("pandas")
WORDS = ["the", "NA", "null", 'say "no"', "a,b", "12", "ü"]


@pytest.fixture
def table(values):
    return pd.DataFrame(values, columns=list("abcd"))


@pytest.mark.parametrize(("extension", "separator"), [("csv", ","), ("tsv", "\t"), ("csv", ";")])
@pytest.mark.parametrize("place", [0, 4])
def test_csv_gives_values_and_tokens(tmp_path, table, values, extension, separator, place):
    table.insert(place, "word", WORDS)
    path = tmp_path / f"x.{extension}"
    table.to_csv(path, sep=separator, index=False)
    matrix = load_matrix(path)
    np.testing.assert_allclose(matrix.values, values, rtol=1e-6)
    assert list(matrix.tokens) == WORDS
    assert tensors(path)[0].shape == (7, 4)


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|", ", "])
@pytest.mark.parametrize("phrase", ["customer {}", "version {}.5", "{} main street"])
def test_words_that_hold_a_space_and_a_number_stay_whole(tmp_path, named, separator, phrase):
    values = np.random.default_rng(3).standard_normal((30, 6))
    words = [phrase.format(at) for at in range(30)]
    rows = [[word, *(f"{x:.6f}" for x in row)] for word, row in zip(words, values, strict=True)]
    lines = [["name", *"abcdef"], *rows] if named else rows
    (tmp_path / "x.csv").write_text("\n".join(separator.join(row) for row in lines))
    matrix = load_matrix(tmp_path / "x.csv")
    np.testing.assert_allclose(matrix.values, values, atol=1e-6)
    assert list(matrix.tokens) == words and not matrix.notes


def test_csv_without_names_of_columns_keeps_its_first_row(tmp_path, table, values):
    table.to_csv(tmp_path / "x.csv", index=False, header=False)
    np.testing.assert_allclose(load_matrix(tmp_path / "x.csv").values, values, rtol=1e-6)
    table.insert(0, "word", WORDS)
    table.to_csv(tmp_path / "y.csv", index=False, header=False)
    matrix = load_matrix(tmp_path / "y.csv")
    assert matrix.shape == (7, 4)
    assert matrix.tokens[0] == "the"


def test_numbered_columns_and_an_index_are_not_rows(tmp_path, values):
    pd.DataFrame(values).to_csv(tmp_path / "a.csv", index=False)
    pd.DataFrame(values).to_csv(tmp_path / "b.csv")
    assert load_matrix(tmp_path / "a.csv").shape == (7, 4)
    matrix = load_matrix(tmp_path / "b.csv")
    assert matrix.shape == (7, 4)
    assert matrix.tokens[3] == "3"


@pytest.mark.parametrize(
    "text",
    [
        "word;0\nx;1,5\ny;2,5\n",
        "1,5;2,5\n3,5;4,5\n",
        "1,5|2,5\n3,5|4,5\n",
        "# made by me,\n# a b\n# of it\n1.5 2.5\n3.5 4.5\n",
        "0\t1\n1.5\t2.5\n3.5\t4.5\n",
        'n,emb\n1,"[[1.5, 2.5]]"\n5,"[[3.5, 4.5]]"\n',
        'n,emb\n1,"[np.float32(1.5), np.float32(2.5)]"\n5,"[np.float32(3.5), np.float32(4.5)]"\n',
        "n\temb\n1\t{1.5,2.5}\n5\t{3.5,4.5}\n",
        ',w,emb\n0,a,"[1.5\n 2.5]"\n1,b,"[3.5\n 4.5]"\n',
    ],
)
def test_rows_as_programs_write_them_are_read(tmp_path, text):
    (tmp_path / "x.csv").write_text(text)
    expected = [[1.5], [2.5]] if text.startswith("word") else [[1.5, 2.5], [3.5, 4.5]]
    assert load_matrix(tmp_path / "x.csv").values.tolist() == expected


@pytest.mark.parametrize("cell", ["", "NaN", "NA"])
def test_a_missing_cell_is_reported_with_its_row(tmp_path, cell):
    (tmp_path / "x.csv").write_text(f"word,a,b\nx,1,2\ny,3,{cell}\nz,5,6\n")
    with pytest.raises(InputError, match="row 1"):
        load_matrix(tmp_path / "x.csv")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("word,a,b\nx,1,2\ny,3,oops\n", "not a regular table's"),
        ("word,a,b\nx,1,2\ny,3,4,5,6\n", "not a regular table's"),
        ("word\nx\ny\n", "is no table of numbers"),
        ("\n", "is empty"),
        ("id,emb\n4,[0.1 0.2 ... 0.3]\n9,[0.4 0.5 ... 0.6]\n", "The lists in emb of x.csv are cut short"),
        ("id,emb,score\n4,[0.1 ? 0.3],0.5\n9,[0.4 ? 0.6],0.25\n", "The lists in emb of x.csv stand there as text"),
        ("id,word\n4,one\n9,two\n", r"x.csv has no numbers but those of its rows \(id\)"),
    ],
)
def test_a_bad_csv_is_refused(tmp_path, text, sentence):
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(InputError, match=sentence):
        load_matrix(tmp_path / "x.csv")


def test_parquet_columns_are_the_dimensions(tmp_path, table, values):
    table["word"] = WORDS
    table.to_parquet(tmp_path / "x.parquet")
    matrix = load_matrix(tmp_path / "x.parquet")
    np.testing.assert_array_equal(matrix.values, values)
    assert list(matrix.tokens) == WORDS
    assert tensors(tmp_path / "x.parquet")[0].shape == (7, 4)


def test_a_parquet_index_of_words_names_the_rows(tmp_path, table):
    table.set_index(pd.Index(WORDS)).to_parquet(tmp_path / "x.parquet")
    assert list(load_matrix(tmp_path / "x.parquet").tokens) == WORDS


@pytest.mark.parametrize("kind", ["list", "large_list", "fixed"])
def test_a_parquet_column_of_lists_is_the_rows(tmp_path, values, kind):
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = {
        "list": pa.list_(pa.float32()),
        "large_list": pa.large_list(pa.float64()),
        "fixed": pa.list_(pa.float32(), 4),
    }
    columns = {"id": pa.array(range(7)), "word": pa.array(WORDS), "vector": pa.array(values.tolist(), types[kind])}
    pq.write_table(pa.table(columns), tmp_path / "x.parquet", row_group_size=3)
    matrix = load_matrix(tmp_path / "x.parquet")
    np.testing.assert_array_equal(matrix.values, values)
    assert list(matrix.tokens) == WORDS
    assert tensors(tmp_path / "x.parquet")[0].shape == (7, 4)


def test_parquet_lists_of_different_lengths_are_refused(tmp_path):
    for rows in ([[1.0, 2.0], [3.0]], [[1.0, 2.0], None]):
        pd.DataFrame({"v": rows}).to_parquet(tmp_path / "x.parquet")
        with pytest.raises(InputError, match="differ in length or are missing"):
            load_matrix(tmp_path / "x.parquet")


def test_a_missing_parquet_cell_is_reported_with_its_row(tmp_path):
    pd.DataFrame({"a": [1.0, 2.0, None], "b": [1.0, 2.0, 3.0]}).to_parquet(tmp_path / "x.parquet")
    with pytest.raises(InputError, match="row 2"):
        load_matrix(tmp_path / "x.parquet")


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ({"a": ["x", "y"]}, "no column of lists and none of numbers"),
        ({"v": [["x"], ["y"]]}, "no column of lists and none of numbers"),
    ],
)
def test_a_parquet_without_numbers_is_refused(tmp_path, columns, sentence):
    pd.DataFrame(columns).to_parquet(tmp_path / "x.parquet")
    with pytest.raises(InputError, match=sentence):
        load_matrix(tmp_path / "x.parquet")


def test_parquet_columns_of_one_name_are_refused(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table([pa.array([1.0, 2.0]), pa.array([3.0, 4.0])], names=["a", "a"]), tmp_path / "x.parquet")
    with pytest.raises(InputError, match="two columns of one name"):
        load_matrix(tmp_path / "x.parquet")


def test_a_small_parquet_of_many_rows_is_refused_unread(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "MEMORY_LIMIT", 100_000)
    pd.DataFrame({c: np.ones(50_000) for c in "ab"}).to_parquet(tmp_path / "a.parquet")
    pd.DataFrame({"v": [[1.0] * 50] * 1000}).to_parquet(tmp_path / "b.parquet")
    for name in ("a", "b"):
        with pytest.raises(InputError, match="of memory and 100 KB can be had"):
            load_matrix(tmp_path / f"{name}.parquet")
