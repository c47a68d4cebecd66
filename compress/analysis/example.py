"""The row that is shown before anyone asks for one."""

import re
from collections.abc import Iterator, Sequence
from itertools import islice, pairwise

import numpy as np

from compress.linalg.blocks import unit_rows
from compress.matrix import EmbeddingMatrix

BEGINS = ("▁", "Ġ", " ")  # how tokenizers mark that a word begins
MARKED = 0.05  # share of tokens with such a mark from which on a word without it is a piece of one
SPECIAL = re.compile(r"\s*[\[<].*[\]>]\s*", re.DOTALL)  # [CLS], <0xFD>, <|endoftext|>
USUAL = (0.1, 0.9)  # quantiles of the lengths that are neither short nor long
SAMPLE = 4096  # rows that a row is compared with
SAME, MANY = 0.999, 3  # so many others with such a cosine: a row that training never touched
TRIED = 200  # rows, before the first of them is taken
KNOWN = 12_000  # words, of which people know the last, where the common ones are listed first


def example_row(matrix: EmbeddingMatrix) -> int:
    """A row that means something: of whole words the middle one, of very many an earlier one, else the first row whose name is no
    special token; of usual length, and not one of many that point the same way. The same one for the same matrix."""
    lengths = np.sqrt(matrix.squared_norms)
    there = lengths > 0
    low, high = np.quantile(lengths[there], USUAL)
    usual = there & (lengths >= low) & (lengths <= high)
    rows = list(islice(in_turn(matrix, usual), TRIED)) or [int(np.argmax(lengths))]
    sample = unit_rows(matrix.rows[np.unique(np.linspace(0, len(lengths) - 1, SAMPLE).round().astype(int))])
    cosines = unit_rows(matrix.rows[rows]) @ sample.T  # (rows, sample)
    alone = np.count_nonzero(cosines > SAME, axis=1) <= MANY
    return rows[int(np.argmax(alone))]


def in_turn(matrix: EmbeddingMatrix, usual: np.ndarray) -> Iterator[int]:
    """The usual rows (a mask), those first that are most likely to mean something."""
    rows: list[int] = np.flatnonzero(usual).tolist()
    if matrix.has_tokens:
        words = [row for row in whole_words(matrix.tokens) if usual[row]]
        middle = min(len(words) // 2, KNOWN)
        yield from words[middle:]
        yield from words[:middle]
        yield from (row for row in rows if not SPECIAL.fullmatch(matrix.tokens[row]))
    yield from rows


def whole_words(tokens: Sequence[str]) -> list[int]:
    """Rows whose names are words of three letters or more, of one where they are not Latin; no pieces of words, and where a
    tokenizer marks how words begin nothing that a longer token begins with."""
    begun = [row for row, token in enumerate(tokens) if token.startswith(BEGINS)]
    if len(begun) <= MARKED * len(tokens):
        return [row for row, token in enumerate(tokens) if token.isalpha() and (len(token) > 2 or not token.isascii())]
    order = sorted({tokens[row] for row in begun})
    longer = {token for token, after in pairwise(order) if after.startswith(token)}
    words = [row for row in begun if tokens[row] not in longer]
    return [row for row in words if len(word := tokens[row][1:]) > 2 and word.isalpha() and word.isascii()]
