"""Word vectors as text and in word2vec's binary form."""

import numpy as np
import pytest

from compress import InputError
from compress.sources import limits, load_matrix, tensors
from compress.sources.tables import blocks

WORDS = ["the", "naïve", "東京", "a", "a", "</s>", "x'y"]


def lines_of(words, values, separator=" "):
    return [separator.join([word, *map(repr, map(float, row))]) for word, row in zip(words, values, strict=True)]


def write(path, lines, end="\n"):
    path.write_bytes((end.join(lines) + end).encode())
    return path


def binary_of(words, values, newline):
    rows = [word.encode() + b" " + row.tobytes() + newline for word, row in zip(words, values, strict=True)]
    return f"{len(values)} {values.shape[1]}\n".encode() + b"".join(rows)


@pytest.mark.parametrize("extension", ["txt", "vec", "w2v", "bin"])
@pytest.mark.parametrize("header", [True, False])
def test_text_gives_values_and_tokens(tmp_path, values, extension, header):
    lines = (["7 4"] if header else []) + lines_of(WORDS, values)
    path = write(tmp_path / f"x.{extension}", lines)
    matrix = load_matrix(path)
    np.testing.assert_array_equal(matrix.values, values)
    assert list(matrix.tokens) == WORDS
    assert tensors(path)[0].shape == (7, 4)


@pytest.mark.parametrize("newline", [b"", b"\n"])
@pytest.mark.parametrize("extension", ["bin", "w2v", "txt"])
def test_binary_gives_values_and_tokens(tmp_path, values, newline, extension):
    path = tmp_path / f"x.{extension}"
    path.write_bytes(binary_of(WORDS, values, newline))
    matrix = load_matrix(path)
    np.testing.assert_array_equal(matrix.values, values)
    assert list(matrix.tokens) == WORDS


def test_binary_of_other_widths_is_told_from_text(tmp_path):
    for dim in (1, 2, 50, 300):
        rows = np.random.default_rng(dim).standard_normal((7, dim)).astype(np.float32)
        (tmp_path / "x.bin").write_bytes(binary_of(WORDS, rows, b""))
        np.testing.assert_array_equal(load_matrix(tmp_path / "x.bin").values, rows)


def test_a_binary_token_that_is_cut_inside_a_letter_is_kept(tmp_path, values):
    data = binary_of(WORDS, values, b"").replace("東京".encode(), "東京".encode()[:-1])
    (tmp_path / "x.bin").write_bytes(data)
    assert load_matrix(tmp_path / "x.bin").tokens[2] == "東\ufffd"


@pytest.mark.parametrize("ending", ["\r\n", " \n", "\n\n"])
def test_line_endings_do_not_matter(tmp_path, values, ending):
    path = write(tmp_path / "x.txt", lines_of(WORDS, values), ending)
    assert list(load_matrix(path).tokens) == WORDS


def test_tabs_separate_too(tmp_path, values):
    path = write(tmp_path / "x.txt", ["7\t4", *lines_of(WORDS, values, "\t")])
    np.testing.assert_array_equal(load_matrix(path).values, values)


def test_a_byte_order_mark_is_no_part_of_a_token(tmp_path, values):
    for lines in (lines_of(WORDS, values), ["7 4", *lines_of(WORDS, values)]):
        path = tmp_path / "x.txt"
        path.write_bytes(b"\xef\xbb\xbf" + "\n".join(lines).encode())
        assert load_matrix(path).tokens[0] == "the"


def test_glove_tokens_may_hold_spaces_and_numbers(tmp_path, values):
    words = ["12", ". . .", "at name@domain.com", " ", "nan", "1 2", "a\xa0b"]
    matrix = load_matrix(write(tmp_path / "x.txt", lines_of(words, values)))
    assert list(matrix.tokens) == words
    np.testing.assert_array_equal(matrix.values, values)


def test_a_header_with_too_few_columns_is_told(tmp_path, values):
    with pytest.raises(InputError, match=r"x\.vec declares 3 numbers a row and its rows have more"):
        load_matrix(write(tmp_path / "x.vec", ["7 3", *lines_of(WORDS, values)]))


def test_a_token_may_hold_other_line_separators(tmp_path, values):
    words = ["a\u2028b", "c\x85d", "e\x0bf", *"gjkl"]
    assert list(load_matrix(write(tmp_path / "x.txt", lines_of(words, values))).tokens) == words


@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ("word 1 2", "has 2 numbers after its token, not 4"),
        ("word 1.5 2.5 3.5 4.5 5.5 6.5", "has more than 4 numbers"),
        ("word 1 2 three 4", "has words where numbers should be"),
    ],
)
def test_a_ragged_line_is_named(tmp_path, values, header, row, sentence):
    lines = (["7 4"] if header else []) + lines_of(WORDS, values)
    lines[4] = row
    with pytest.raises(InputError, match=f"Line 5 of .* {sentence}"):
        load_matrix(write(tmp_path / "x.txt", lines))


def test_a_token_cut_inside_a_letter_is_read_and_told(tmp_path, values):
    path = write(tmp_path / "x.txt", lines_of(WORDS, values))
    path.write_bytes(path.read_bytes().replace("東京".encode(), "東京".encode()[:-1]))
    matrix = load_matrix(path)
    assert matrix.tokens[2] == "東\ufffd" and matrix.tokens[1] == "naïve"
    assert matrix.notes == ("1 name is cut inside a letter or not in UTF-8: what is missing stands as \ufffd",)


def test_a_text_in_latin_1_is_read_and_told(tmp_path, values):
    path = write(tmp_path / "x.txt", lines_of(WORDS, values))
    path.write_bytes(path.read_bytes().decode().replace("東京", "œuvre").encode("cp1252"))
    matrix = load_matrix(path)
    assert list(matrix.tokens[1:3]) == ["naïve", "œuvre"]
    assert matrix.notes == ("2 names are read as Latin-1",)


@pytest.mark.parametrize("binary", [True, False])
def test_a_header_that_declares_too_much_is_refused(tmp_path, values, binary):
    path = tmp_path / "x.bin"
    whole = binary_of(WORDS, values, b"") if binary else "\n".join(["7 4", *lines_of(WORDS, values)]).encode()
    for declared in (b"999999999 4", b"0 4", b"7 999999999"):
        path.write_bytes(whole.replace(b"7 4", declared, 1))
        with pytest.raises(InputError, match="bytes do not hold"):
            load_matrix(path)


def test_a_text_with_fewer_or_more_rows_than_declared_is_refused(tmp_path, values):
    for declared, sentence in (("8 4", "declares 8 rows and has 7; it is cut short"), ("6 4", "has more")):
        with pytest.raises(InputError, match=sentence):
            load_matrix(write(tmp_path / "x.vec", [declared, *lines_of(WORDS, values)]))


def test_a_binary_that_is_cut_short_names_the_row(tmp_path, values):
    (tmp_path / "x.bin").write_bytes(binary_of(WORDS, values, b"")[:-5])
    with pytest.raises(InputError, match="Row 7 of the 7"):
        load_matrix(tmp_path / "x.bin")


def test_prose_is_not_a_file_of_word_vectors(tmp_path):
    with pytest.raises(InputError, match="is no table of numbers"):
        load_matrix(write(tmp_path / "x.txt", ["Once upon a time", "there was a matrix."]))


def test_text_that_does_not_fit_is_refused_unread(tmp_path, values, monkeypatch):
    monkeypatch.setattr(limits, "MEMORY_LIMIT", 100)
    for lines in (["7 4", *lines_of(WORDS, values)], lines_of(WORDS, values)):
        with pytest.raises(InputError, match="needs 112 bytes of memory"):
            load_matrix(write(tmp_path / "x.txt", lines))


def test_chunks_join_without_a_seam(tmp_path, monkeypatch):
    monkeypatch.setattr(blocks, "CHUNK", 100)
    rows = np.random.default_rng(1).standard_normal((300, 3)).astype(np.float32)
    words = [f"w{i}" for i in range(300)]
    for header in ([], ["300 3"]):
        matrix = load_matrix(write(tmp_path / "x.txt", header + lines_of(words, rows)))
        np.testing.assert_array_equal(matrix.values, rows)
        assert list(matrix.tokens) == words
    lines = lines_of(words, rows)
    lines[250] = "w250 1 x 2"
    with pytest.raises(InputError, match="Line 251 "):
        load_matrix(write(tmp_path / "x.txt", lines))


@pytest.mark.parametrize("between", [b"", b"\n"])
def test_words_with_spaces_in_binary_vectors_are_read(tmp_path, values, between):
    words = ["New York", "the", "a b c", "x", "in front of", "of", "last one"]
    rows = [word.encode() + b" " + row.tobytes() for word, row in zip(words, values, strict=True)]
    (tmp_path / "phrases.bin").write_bytes(b"7 4\n" + between.join(rows))
    matrix = load_matrix(tmp_path / "phrases.bin")
    assert list(matrix.tokens) == words
    np.testing.assert_array_equal(matrix.values, values)


def test_binary_vectors_that_go_on_behind_their_rows_are_refused(tmp_path, values):
    rows = [b"w%d " % at + row.tobytes() for at, row in enumerate(values)]
    (tmp_path / "x.bin").write_bytes(b"5 4\n" + b"".join(rows))
    with pytest.raises(InputError, match=r"x\.bin goes on behind the 5 rows that it declares"):
        load_matrix(tmp_path / "x.bin")


NUMBERS = np.random.default_rng(7).standard_normal((12, 4)).round(4)
TERMS = [f"term{at}" for at in range(12)]


def table_of(terms, separator=",", first=()):
    return "\n".join([*first, *(separator.join([term, *map(str, row)]) for term, row in zip(terms, NUMBERS, strict=True))]) + "\n"


@pytest.mark.parametrize("separator", [" ", ",", "\t"])
@pytest.mark.parametrize("term", ["[1]", "[]", "{}", '""'])
def test_a_first_token_that_json_begins_with_is_a_token(tmp_path, term, separator):
    (tmp_path / "x.txt").write_text(table_of([term, *TERMS[1:]], separator))
    matrix = load_matrix(tmp_path / "x.txt")
    np.testing.assert_allclose(matrix.values, NUMBERS, rtol=1e-6)
    assert list(matrix.tokens) == [term, *TERMS[1:]]


@pytest.mark.parametrize("first", [["", "", "term,a,b,c,d"], ["sep=,", "term,a,b,c,d"], ["# made by hand", "", "term,a,b,c,d"]])
def test_lines_before_the_names_of_columns_are_passed(tmp_path, first):
    (tmp_path / "x.csv").write_text(table_of(TERMS, first=first))
    matrix = load_matrix(tmp_path / "x.csv")
    np.testing.assert_allclose(matrix.values, NUMBERS, rtol=1e-6)
    assert list(matrix.tokens) == TERMS


def test_blanks_that_stand_before_what_parts_cells_are_no_part_of_tokens(tmp_path):
    (tmp_path / "x.csv").write_text(table_of(TERMS, " ; "))
    assert list(load_matrix(tmp_path / "x.csv").tokens) == TERMS


def test_a_token_that_begins_like_a_file_keeps_its_mark(tmp_path):
    (tmp_path / "x.vec").write_text("12 4\n" + table_of(["\ufeffa", *TERMS[1:]], " "))
    assert load_matrix(tmp_path / "x.vec").tokens[0] == "\ufeffa"


def test_lists_in_quotes_are_read_before_words_too(tmp_path):
    (tmp_path / "x.csv").write_text("".join(f'"{row}",{term}\n' for row, term in zip(NUMBERS.tolist(), TERMS, strict=True)))
    matrix = load_matrix(tmp_path / "x.csv")
    np.testing.assert_allclose(matrix.values, NUMBERS, rtol=1e-6)
    assert list(matrix.tokens) == TERMS


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("".join(f"{term} {row}\n" for term, row in zip(TERMS, NUMBERS.tolist(), strict=True)), "hold what parts its cells"),
        (repr(NUMBERS), "hold what parts its cells"),
        ("".join("1 " + " ".join(f"{at}:{x}" for at, x in enumerate(row)) + "\n" for row in NUMBERS), "has sparse rows"),
    ],
    ids=["lists without quotes", "printed", "sparse"],
)
def test_what_looks_like_a_table_and_is_none_is_refused(tmp_path, text, told):
    (tmp_path / "x.txt").write_text(text)
    with pytest.raises(InputError, match=rf"x\.txt {told}"):
        load_matrix(tmp_path / "x.txt")
