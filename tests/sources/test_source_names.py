"""What a row is called, and what the order of the rows tells."""

import numpy as np
import pytest

from compress import EmbeddingMatrix, InputError
from compress.sources import load_matrix, save_matrix
from compress.sources.order import order_of, ranks
from compress.sources.weights import row_weights

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
    assert "lists frequent tokens first" in order_of(load_matrix("demo")).words
    assert "usually" in order_of(EmbeddingMatrix(np.eye(3), NAMES, row_word="word")).words
    llama = ["<unk>", "<0x00>", "▁the"]
    for matrix in (EmbeddingMatrix(np.eye(3), llama), EmbeddingMatrix(np.eye(3)), load_matrix("toy")):
        assert order_of(matrix).words == "row order, which tells of use only where frequent rows are listed first"
    assert row_weights("order:1", 3).tolist() == sorted(row_weights("order:1", 3).tolist(), reverse=True)


def names(kind):
    """A vocabulary or a list of rows of one kind, in its own order."""
    letters = [f"{a}{b}{c}" for a in "zyabcde" for b in "aeiou" for c in "tnrsl"]
    signs, capitals = list("!.,"), list("AB")
    bytes_ = [f"<0x{number:02X}>" for number in range(256)]
    return {
        "Llama": ["<unk>", "<s>", "</s>", *bytes_, "▁t", "▁the", *(f"▁{each}" for each in letters), "e", ".", "京"],
        "GPT-2": ["<|endoftext|>", "<file_sep>", *signs, *capitals, "é", "Ċ", "Ġt", "Ġthe", *(f"Ġ{each}" for each in letters)],
        "alphabetical words": sorted([*letters, *(each.upper() for each in letters)]),
        "words by use": letters,
    }[kind]


@pytest.mark.parametrize(
    ("kind", "first", "last"),
    [
        ("Llama", ["<s>", "</s>", "<0x0A>", "▁t", "e", "▁the", "."], ["<0xFF>", "京", "<unk>"]),
        ("GPT-2", ["<|endoftext|>", "!", "Ċ", ".", "Ġt", ",", "Ġthe"], ["A", "B", "é", "<file_sep>"]),
    ],
)
def test_neither_bytes_nor_special_tokens_are_the_commonest_of_a_vocabulary_that_was_merged(kind, first, last):
    tokens = names(kind)
    order = [tokens[row] for row in np.argsort(ranks(tokens))]
    assert order[: len(first)] == first and order[-len(last) :] == last
    assert "merged first" in order_of(EmbeddingMatrix(np.eye(len(tokens)), tokens)).words


def test_rows_whose_order_tells_nothing_of_use_cannot_be_weighted_by_it(tmp_path):
    titles = [f"{row},A title of a text,{row % 7}.5,{row % 5}.25" for row in range(40)]
    (tmp_path / "documents.csv").write_text("\n".join(["id,title,x,y", *titles]))
    with pytest.raises(InputError, match=r"^documents\.csv cannot be weighted by row order, which tells nothing of use"):
        load_matrix(tmp_path / "documents.csv", weights="order:0.5")
    for kind, tells in (("alphabetical words", False), ("words by use", True)):
        words = names(kind)
        (tmp_path / "words.txt").write_text("\n".join(f"{word} {row % 7}.5 {row % 5}.25" for row, word in enumerate(words)))
        assert order_of(load_matrix(tmp_path / "words.txt")).tells == tells


@pytest.mark.parametrize("name", ["{}", "doc_{}", "user{}", "A page, number {}", "the {}th of them"])
def test_numbers_and_titles_name_rows_and_no_words(tmp_path, name):
    np.save(tmp_path / "table.npy", np.arange(120, dtype=np.float32).reshape(60, 2))
    (tmp_path / "vocab.txt").write_text("\n".join(name.format(row) for row in range(60)))
    matrix = load_matrix(tmp_path)
    assert (matrix.row_word, matrix.has_tokens) == ("row", True)
