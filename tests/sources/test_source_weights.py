"""Row weights: by order, counted, from a column; and what a fit makes of them."""

import json

import numpy as np
import pytest

import compress
from compress import EmbeddingMatrix, InputError
from compress.methods import SVD, ProjectiveClustering
from compress.sources.order import ranks
from compress.sources.weights import row_weights, top_share

BERT = [
    "[PAD]",
    "[unused0]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    "[unused1]",
    "!",
    "a",
    "é",
    "ü",
    "the",
    *(f"w{i}" for i in range(20)),
]


def by_rank(tokens):
    return [tokens[row] for row in np.argsort(ranks(tokens))]


def test_uniform_weights_are_all_one():
    assert row_weights("uniform", 3).tolist() == [1, 1, 1]
    assert not compress.load_matrix("toy", weights="uniform").weighted
    assert compress.load_matrix("toy").key == compress.load_matrix("toy").digest


def test_order_is_a_power_of_the_rank_plus_ten():
    assert row_weights("order:0.5", 4) == pytest.approx([10**-0.5, 11**-0.5, 12**-0.5, 13**-0.5])
    assert row_weights("order:1.5", 2, ["b", "a"]) == pytest.approx([10**-1.5, 11**-1.5])
    assert row_weights("order:0", 5).tolist() == [1] * 5


def test_order_puts_what_every_text_has_first_and_what_none_has_last():
    words = [f"w{i}" for i in range(20)]
    assert by_rank(BERT) == [
        "[CLS]",
        "[SEP]",
        "[UNK]",
        "!",
        "a",
        "the",
        *words,
        "é",
        "ü",
        "[PAD]",
        "[unused0]",
        "[MASK]",
        "[unused1]",
    ]


@pytest.mark.parametrize(
    "token",
    ["[unused12]", "<unused3>", "<reserved_9>", "<|reserved_special_token_5|>", "madeupword0001", "<extra_id_0>", "<pad>", "row 9"],
)
def test_a_place_that_no_text_uses_comes_last(token):
    assert by_rank([token, "a", "b"]) == ["a", "b", token]


@pytest.mark.parametrize("token", ["<s>", "</s>", "[CLS]", "<|endoftext|>", "<bos>", "<|begin_of_text|>"])
def test_a_token_of_every_text_comes_first(token):
    assert by_rank(["a", "b", token]) == [token, "a", "b"]


def test_letters_keep_their_place_where_they_are_what_texts_are_written_in():
    chinese = ["一", "丁", "万", "the", "of"]
    assert by_rank(chinese) == chinese
    spaces = ["Ċ", "Ġ", *(f"Ġw{i}" for i in range(30))]
    assert by_rank(spaces) == spaces
    by_use = ["é", "ü", "à", *(f"w{i}" for i in range(40))]  # not by code point, so the order does tell their use
    assert by_rank(by_use) == by_use


def test_the_demos_order_has_its_words_before_its_alphabet(demo):
    order = by_rank(demo.tokens)
    assert order[:3] == ["[CLS]", "[SEP]", "[UNK]"]
    assert order.index("the") < 150 and order.index("ß") > 28000
    assert order[-1] == "[unused993]"
    assert sorted(order) == sorted(demo.tokens)


def test_order_agrees_better_with_counts_than_the_rows_do(demo, tmp_path):
    """On text of the project's own: special handling moves the order towards what is used."""
    from scipy.stats import spearmanr

    text = tmp_path / "text.txt"
    text.write_text("The design of the map: it draws the rows, and colours them by the subspace that is nearest.\n" * 3)
    counts = row_weights(f"counts:{text}", 30522, demo.tokens, folder_of_demo())
    assert spearmanr(counts, ranks(demo.tokens))[0] < spearmanr(counts, np.arange(30522))[0] < 0


def folder_of_demo():
    from compress.sources import tokenizer_folder

    return tokenizer_folder("demo")


def test_counts_are_those_of_the_models_own_tokenizer(tmp_path):
    text = tmp_path / "text.txt"
    text.write_text("The unaffable Cat\n\nthe cat\n")
    matrix = compress.load_matrix("demo", weights=f"counts:{text}")
    found = {matrix.tokens[row]: matrix.weights[row] / matrix.weights.min() - 1 for row in np.flatnonzero(matrix.weights > 1.5)}
    assert found == pytest.approx({"the": 2, "cat": 2, "una": 1, "##ffa": 1, "##ble": 1, "[CLS]": 2, "[SEP]": 2})


def test_counts_in_a_folder_use_its_tokenizer_and_leave_ids_past_the_table_out(tmp_path):
    from tokenizers import Tokenizer, models, pre_tokenizers

    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0, "cat": 1, "dog": 2}, unk_token="[UNK]"))
    tokenizer.add_tokens(["far"])
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.enable_truncation(2)  # counting goes past it
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    np.save(tmp_path / "table.npy", np.eye(3, dtype=np.float32))
    (tmp_path / "text.txt").write_text("cat cat dog far bird\ncat\n")
    matrix = compress.load_matrix(tmp_path, weights=f"counts:{tmp_path / 'text.txt'}")
    assert matrix.weights / matrix.weights.sum() * 8 == pytest.approx([2, 4, 2])  # counts 1, 3, 1 and 1 each


def test_without_a_tokenizer_words_are_looked_up_by_name(tmp_path):
    tokens = ["the", "Cat", "don't", ",", "京", "unseen", "don"]
    (tmp_path / "text.txt").write_text("The cat, the Cat don't 京京.\r\nDON'T!", encoding="utf-8-sig")
    counted = row_weights(f"counts:{tmp_path / 'text.txt'}", 7, tokens)
    assert (counted - 1).tolist() == [2, 1, 2, 1, 2, 0, 0]


def test_a_line_longer_than_a_part_is_counted_whole(tmp_path, monkeypatch):
    monkeypatch.setattr("compress.sources.weights.LONGEST_LINE", 8)
    (tmp_path / "text.txt").write_text("aa bb cc aa bb aa ")
    assert (row_weights(f"counts:{tmp_path / 'text.txt'}", 3, ["aa", "bb", "cc"]) - 1).sum() >= 5
    (tmp_path / "text.txt").write_text(" " * 20 + "aa\n")
    assert row_weights(f"counts:{tmp_path / 'text.txt'}", 2, ["aa", "bb"]).tolist() == [2, 1]


COLUMNS = {
    "w.txt": ("1\n2.5\n0\n", "", [1, 2.5, 0]),
    "one.csv": ("1\n2.5\n0\n", "", [1, 2.5, 0]),
    "headed.csv": ("use\n1\n2\n3\n", "", [1, 2, 3]),
    "words.csv": ("word,use\na,1\nb,2\nc,3\n", "", [1, 2, 3]),
    "two.csv": ("word,use,other\na,1,9\nb,2,9\nc,3,9\n", ":use", [1, 2, 3]),
    "numbered.tsv": ("1\t2\n5\t6\n7\t8\n9\t1\n", ":2", [6, 8, 1]),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_a_column_is_read(tmp_path, name):
    content, column, numbers = COLUMNS[name]
    (tmp_path / name).write_text(content)
    assert row_weights(f"column:{tmp_path / name}{column}", 3).tolist() == numbers


@pytest.mark.parametrize("array", [np.array([1, 2, 3]), np.array([[1.0], [2.0], [3.0]]), np.array([1, 2, 3], np.float16)])
def test_an_array_is_read(tmp_path, array):
    np.save(tmp_path / "w.npy", array)
    assert row_weights(f"column:{tmp_path / 'w.npy'}", 3).tolist() == [1, 2, 3]


FAULTS = {
    "another word": (
        "often",
        None,
        r"^weights must be uniform, order:A, counts:TEXTFILE, scripts:NAMES or column:FILE\[:NAME\], got 'often'\.$",
    ),
    "no file named": ("column:", None, "^weights must be uniform"),
    "A too large": ("order:1.6", None, r"^A in order:A must be a number between 0 and 1\.5, got '1\.6'\.$"),
    "A below 0": ("order:-0.1", None, "must be a number between 0 and 1.5, got '-0.1'"),
    "A no number": ("order:nan", None, "must be a number between 0 and 1.5, got 'nan'"),
    "no such text": ("counts:{}/none.txt", None, r"^There is no file .*none\.txt; check the path"),
    "no such column file": ("column:{}/none.csv:a", None, r"^There is no file .*none\.csv; check the path"),
    "a folder": ("counts:{}", None, r"cannot be read \(Is a directory\)"),
    "too few numbers": ("column:{}/x.txt", "1\n2\n", r"^x\.txt has 2 numbers for 3 rows; give one a row\.$"),
    "one number": ("column:{}/x.txt", "1\n", r"^x\.txt has 1 number for 3 rows"),
    "a negative number": ("column:{}/x.txt", "1\n-2\n3\n", r"^x\.txt has -2 for row 1, counted from 0; weights must be finite"),
    "NaN": ("column:{}/x.txt", "1\n2\nnan\n", "^x.txt has nan for row 2, counted from 0"),
    "infinity": ("column:{}/x.txt", "1\ninf\n3\n", "^x.txt has inf for row 1"),
    "nothing but zeros": ("column:{}/x.txt", "0\n0\n0\n", "^x.txt holds nothing but zeros; give some row a weight"),
    "a word": ("column:{}/x.txt", "1\ntwo\n3\n", "^Line 2 of x.txt has 'two' where a number should be; correct that line"),
    "a short line": ("column:{}/x.csv:b", "a,b\n1,2\n1\n1,2\n", "^Line 3 of x.csv has nothing where a number should be"),
    "two columns": ("column:{}/x.csv", "a,b\n1,2\n1,2\n1,2\n", r"^x\.csv has 2 columns of numbers \(a, b\); say which one\.$"),
    "no such column": ("column:{}/x.csv:c", "a,b\n1,2\n1,2\n1,2\n", r"^x\.csv has no column 'c'; its columns are a, b\.$"),
    "an empty column": ("column:{}/x.txt", "\n", r"^x\.txt is empty; give one number a row\.$"),
    "no text": ("counts:{}/x.txt", "a\0b", r"^x\.txt is not a text file; give UTF-8 text\.$"),
    "an empty text": ("counts:{}/x.txt", " \n\n", r"^x\.txt is empty; give a text to count the tokens in\.$"),
    "another language": ("counts:{}/x.txt", "zzz zzz", r"^No token of the matrix occurs in x\.txt; give a text in its language\.$"),
    "no array": ("column:{}/x.npy", "1\n2\n3\n", r"^x\.npy is not a NumPy array file"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_weights_that_cannot_be_used_are_refused_in_a_sentence(tmp_path, name):
    spec, content, sentence = FAULTS[name]
    if content is not None:
        next_name = spec.split("/")[-1].split(":")[0]
        (tmp_path / next_name).write_text(content)
    with pytest.raises(InputError, match=sentence):
        row_weights(spec.format(tmp_path), 3, ["one", "two", "three"])


@pytest.mark.parametrize("array", [np.ones((3, 2)), np.array(["a", "b", "c"]), np.array(1.0), np.ones(3, complex)])
def test_arrays_that_are_no_column_of_numbers_are_refused(tmp_path, array):
    np.save(tmp_path / "w.npy", array)
    with pytest.raises(InputError, match=r"^w\.npy holds .*; give one column of numbers\.$"):
        row_weights(f"column:{tmp_path / 'w.npy'}", 3)


def test_an_archive_of_arrays_is_no_column(tmp_path):
    np.savez(tmp_path / "w.npz", a=np.ones(3))
    (tmp_path / "w.npz").rename(tmp_path / "w.npy")
    with pytest.raises(InputError, match=r"^w\.npy is not a NumPy array file"):
        row_weights(f"column:{tmp_path / 'w.npy'}", 3)


def test_huge_numbers_are_weights_too(small, tmp_path):
    np.save(tmp_path / "w.npy", np.linspace(1, 1.7e308, 40))
    weights = EmbeddingMatrix(small.values, weights=row_weights(f"column:{tmp_path / 'w.npy'}", 40)).weights
    assert weights.mean() == pytest.approx(1) and weights[-1] == pytest.approx(2 * weights.mean(), rel=0.1)


def test_bytes_that_are_no_text_are_refused(tmp_path):
    (tmp_path / "x.bin").write_bytes(b"\x93\xff\xfe")
    for spec in ("counts", "column"):
        with pytest.raises(InputError, match=r"x\.bin is not UTF-8 text; convert it to UTF-8\.$"):
            row_weights(f"{spec}:{tmp_path / 'x.bin'}", 3, ["a", "b", "c"])


def test_scripts_weigh_what_is_written_in_them_and_in_none(tmp_path):
    tokens = ["the", "кот", "##ing", "42", "猫", "é", "[unused3]"]
    assert row_weights("scripts:Latin", 7, tokens).tolist() == [1, 0, 1, 1, 0, 1, 0]
    assert row_weights("scripts:Latin, Cyrillic", 7, tokens).tolist() == [1, 1, 1, 1, 0, 1, 0]
    with pytest.raises(InputError, match="'Runish' is no script of Unicode; write Latin, Cyrillic, Han or the like"):
        row_weights("scripts:Runish", 7, tokens)
    with pytest.raises(InputError, match="No token is written in Thai; take other scripts"):
        row_weights("scripts:Thai", 3, ["the", "кот", "42"])
    with pytest.raises(InputError, match="no tokens to tell a script of"):
        row_weights("scripts:Latin", 7)


def test_rows_without_tokens_cannot_be_counted(tmp_path):
    np.save(tmp_path / "table.npy", np.eye(3, dtype=np.float32))
    with pytest.raises(InputError, match=r"^The rows have no tokens to count in a text; take order:A or a column"):
        compress.load_matrix(tmp_path / "table.npy", weights="counts:x.txt")


def test_the_key_tells_weights_apart_and_the_digest_does_not(small):
    one, other = (EmbeddingMatrix(small.values, weights=row_weights(f"order:{a}", 40)) for a in (0.5, 0.6))
    assert one.digest == other.digest == small.digest == small.key
    assert len({small.key, one.key, other.key}) == 3
    assert EmbeddingMatrix(small.values, weights=7 * np.ones(40)).key == small.key


def test_weights_that_were_kept_and_read_again_have_the_same_key(small, tmp_path):
    for seed in range(20):
        weights = np.random.default_rng(seed).exponential(size=40) ** 3
        matrix = EmbeddingMatrix(small.values, weights=weights)
        np.save(tmp_path / "w.npy", matrix.weights)
        again = EmbeddingMatrix(small.values, weights=row_weights(f"column:{tmp_path / 'w.npy'}", 40))
        assert again.key == matrix.key


@pytest.mark.parametrize("method", [SVD(j=3), ProjectiveClustering(k=2, j=2)], ids=lambda method: method.name)
def test_weights_move_error_from_heavy_rows_to_light_ones(small, method):
    heavy = np.arange(40) < 8
    weighted = EmbeddingMatrix(small.values, weights=np.where(heavy, 50.0, 1.0))

    def error(matrix, rows):
        left = matrix.values[rows] - method.fit(matrix).rows(np.flatnonzero(rows))
        return float((left**2).sum())

    assert error(weighted, heavy) < 0.8 * error(small, heavy)
    assert error(weighted, ~heavy) > error(small, ~heavy)
    found = compress.evaluate(weighted, method.fit(weighted))
    assert found.weighted_error < found.relative_error


def test_the_share_of_the_heaviest_rows():
    assert top_share(np.ones(200)) == pytest.approx(0.01)
    assert top_share(np.array([3.0, 1.0])) == pytest.approx(0.75)
    assert top_share(np.array([6.0, 1, 1, 2]), 0.5) == pytest.approx(0.8)


def test_tokens_of_a_hub_model_are_counted_by_its_tokenizer(tmp_path, monkeypatch):
    from compress.sources import hub, tokenizer_folder

    monkeypatch.setenv("FLATLAND_CACHE", str(tmp_path))
    assert tokenizer_folder("hub:org/name") is None
    from compress.sources.hub.cache import kept

    snapshot = kept("org/name", "main", {"etag": "x"}, ["model.safetensors"], {})
    assert tokenizer_folder("hub:org/name") == snapshot.folder == hub.kept_folder("org/name@main")
    assert json.loads((snapshot.folder / "snapshot.json").read_text())["files"] == ["model.safetensors"]
