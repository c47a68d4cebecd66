"""Rows by what a person types."""

import numpy as np
import pytest

from compress import EmbeddingMatrix
from pages.parts.tokens import found_rows

TOKENS = ["<s>", "king", "Ġking", "Ġkingdom", "▁King", "24", "queen"]


@pytest.mark.parametrize(("sought", "rows"), [("king", [1, 2, 4]), (" Kingd ", [3]), ("24", [5]), ("6", [6]), ("7", []), ("", [])])
def test_a_word_is_found_with_the_mark_that_begins_it_before_what_holds_it(sought, rows):
    matrix = EmbeddingMatrix(np.eye(len(TOKENS)), TOKENS)
    assert found_rows(matrix, sought).tolist() == rows
