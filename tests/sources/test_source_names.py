"""What a row is called, and what the order of the rows tells."""

import numpy as np
import pytest

from compress import EmbeddingMatrix
from compress.sources import load_matrix, save_matrix
from compress.sources.weights import order_words, row_weights

NAMES = ["the", "of", "and"]
ROWS = ["1.5 2", "3 4", "5 6"]
BERT = ["[PAD]", "[unused0]", "##s"]


def text(separator, head=""):
    return head + "\n".join(separator.join([name, *row.split()]) for name, row in zip(NAMES, ROWS, strict=True))


@pytest.mark.parametrize(
    ("files", "opened", "word"),
    [
        ({"a.npy": None}, "a.npy", "row"),
        ({"a.txt": text(" ")}, "a.txt", "word"),
        ({"a.vec": text(" ", "3 2\n")}, "a.vec", "word"),
        ({"a.csv": text(",", "word,x,y\n")}, "a.csv", "word"),
        ({"a.csv": text(",", "token,x,y\n")}, "a.csv", "token"),
        ({"a.csv": text(",", "title,x,y\n")}, "a.csv", "row"),
        ({"a.tsv": text("\t")}, "a.tsv", "row"),
        ({"a.npy": None, "vocab.txt": "\n".join(NAMES)}, ".", "word"),
        ({"a.npy": None, "vocab.txt": "\n".join(BERT)}, ".", "token"),
        ({"a.npy": None, "vocab.json": '["the", "of", "and"]'}, ".", "token"),
        ({"a.npy": None, "vocab.txt": "\n".join(NAMES), "config.json": "{}"}, ".", "token"),
        ({"a.npy": None}, ".", "row"),
    ],
    ids=str,
)
def test_a_row_is_called_what_its_source_names(tmp_path, files, opened, word):
    for name, content in files.items():
        if content is None:
            np.save(tmp_path / name, np.arange(1, 7, dtype=np.float32).reshape(3, 2))
        else:
            (tmp_path / name).write_text(content)
    assert load_matrix(tmp_path / opened).row_word == word


def test_the_demo_has_tokens_and_the_toy_has_rows():
    assert (load_matrix("demo").row_word, load_matrix("toy").row_word) == ("token", "row")


@pytest.mark.parametrize("word", ["token", "word", "row"])
def test_what_a_row_is_called_is_saved_with_the_names(tmp_path, word):
    save_matrix(EmbeddingMatrix(np.eye(3), NAMES, row_word=word), tmp_path / "x.safetensors")
    assert load_matrix(tmp_path / "x.safetensors").row_word == word
    assert EmbeddingMatrix(np.eye(3), row_word=word).row_word == "row"


def test_a_column_named_otherwise_in_parquet_names_rows(tmp_path):
    pd = pytest.importorskip("pandas")
    for column, word in (("word", "word"), ("document", "row")):
        pd.DataFrame(np.eye(3), columns=list("abc")).assign(**{column: NAMES}).to_parquet(tmp_path / f"{column}.parquet")
        assert load_matrix(tmp_path / f"{column}.parquet").row_word == word


def test_only_a_vocabulary_known_to_do_so_is_said_to_list_frequent_tokens_first():
    assert "lists frequent tokens first" in order_words(load_matrix("demo"))
    assert "usually" in order_words(EmbeddingMatrix(np.eye(3), NAMES, row_word="word"))
    llama = ["<unk>", "<0x00>", "▁the"]
    for matrix in (EmbeddingMatrix(np.eye(3), llama), EmbeddingMatrix(np.eye(3)), load_matrix("toy")):
        assert order_words(matrix) == "row order, which tells of use only where frequent rows are listed first"
    assert row_weights("order:1", 3).tolist() == sorted(row_weights("order:1", 3).tolist(), reverse=True)
