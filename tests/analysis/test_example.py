"""The row that is shown first means something."""

import numpy as np
import pytest

from compress import EmbeddingMatrix
from compress.analysis.example import example_row, whole_words

WORDS = ["king", "queen", "river", "cat", "Zürich"]


def table(tokens, rows=None):
    """A row of random numbers a name, or a given one."""
    values = np.random.default_rng(0).standard_normal((len(tokens), 8))
    for row, given in (rows or {}).items():
        values[row] = given
    return EmbeddingMatrix(values, tokens)


def named(matrix):
    return matrix.tokens[example_row(matrix)]


@pytest.mark.parametrize(
    "others",
    [
        [f"<0x{byte:02X}>" for byte in range(200)],
        ["[PAD]", *(f"[unused{number}]" for number in range(200)), "[CLS]"],
        [*(f"##{letter}{other}e" for letter in "abcdefg" for other in "abcdefg"), "!", "12"],
    ],
    ids=["bytes", "unused", "pieces"],
)
def test_the_first_row_shown_is_a_word(others):
    assert named(table([*others, *WORDS])) in WORDS
    assert named(table([*WORDS, *others])) in WORDS


def test_where_words_are_marked_a_piece_of_one_is_not_taken():
    tokens = ["<s>", *"abcdefghij", "ing", "tion", "able", "▁hap", "▁happ", "▁happy", "▁xy"]
    assert [tokens[row] for row in whole_words(tokens)] == ["▁happy"]
    assert named(table(tokens)) == "▁happy"


@pytest.mark.parametrize("dead", [np.zeros(8), np.full(8, 1.0)], ids=["zero", "alike"])
def test_a_row_that_training_never_touched_is_not_taken(dead):
    tokens = [*(f"dead{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"), *WORDS]
    assert named(table(tokens, dict.fromkeys(range(26), dead))) in WORDS
    nameless = EmbeddingMatrix(table(tokens, dict.fromkeys(range(26), dead)).values)
    assert example_row(nameless) >= 26


def test_a_row_of_extreme_length_is_not_taken():
    tokens = [f"word{'abcdefghijklmnopqrstuvwxyz'[place]}" for place in range(25)]
    row = example_row(table(tokens))
    assert example_row(table(tokens, {row: np.full(8, 1e6)})) != row
    assert example_row(table(tokens, {row: np.full(8, 1e-6)})) != row


def test_some_row_is_taken_of_any_table():
    assert example_row(EmbeddingMatrix(np.ones((5, 2)))) == 0
    assert example_row(EmbeddingMatrix(np.eye(3, 2), ["", "[x]", "\n"])) in (0, 1)
    assert example_row(EmbeddingMatrix([[0.0], [0.0], [3.0]])) == 2
