"""What the order of a table's rows tells of how often they are used."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np

from compress.errors import InputError
from compress.matrix import EmbeddingMatrix

OFFSET = 10  # in (rank + 10)^-A, so that the first few rows do not carry everything
IN_EVERY_TEXT = {
    *("[cls]", "[sep]", "<s>", "</s>", "<cls>", "<sep>", "<bos>", "<eos>", "<|endoftext|>", "<|startoftext|>", "<start>"),
    *("<|begin_of_text|>", "<|end_of_text|>", "<|im_start|>", "<|im_end|>"),
}
UNKNOWN = {"[unk]", "<unk>", "<|unk|>"}  # in no text where bytes stand for what has no token
IN_NO_TEXT = re.compile(
    r"\[pad\d*\]|<\|?pad\|?>|\[mask\]|<\|?mask\|?>|row \d+|madeupword\d+"  # "row 9": a row that the vocabulary does not name
    r"|[\[<]\|?_*(unused|reserved|extra_id|dummy|placeholder)[^\]>]*[\]>]"
)
SPECIAL = re.compile(r"<\|?\w[\w ./:-]*\|?>|\[/?[A-Z_]{3,}\]")  # as tokenizers write what marks places in a text
BYTE = re.compile(r"<0x[0-9a-f]{2}>")  # SentencePiece's, for letters without a token
NEWLINE = "<0x0a>"
MARKS, SOME = ("##", "[unused", "▁", "Ġ", "<0x"), 0.01  # of tokenizers, and the share of tokens from which on they tell
BEGIN = {mark[0] for mark in MARKS}
OF_BYTES = ("Ġ", "bytes")  # of these, those of a vocabulary in which every byte has a token
BYTES = 200  # of 256, that make a vocabulary one that falls back on them
SPACES = {"▁", "Ġ", "Ċ", "ĉ"}  # how tokenizers write a space, a newline and a tab: common, though not ASCII
FEW = 0.1  # share of rows up to which an alphabet lies beside the words, and is not itself what texts are written in
SORTED, MANY, SEEN = 0.9, 200, 1000  # share of names that stand before the next in the alphabet, how many tell, how many are seen
NUMBER = re.compile(r"\d+")


@dataclass(frozen=True)
class Order:
    """words: how the rows are ordered, as in "by …". tells: whether that may say how often they are used."""

    words: str
    tells: bool = True


PIECES = Order("the order of the vocabulary, which lists frequent tokens first")
MERGES = Order("the order of the vocabulary, where what was merged first is frequent; bytes and what no text has count as rare")
WORDS = Order("the order of the file, which for word vectors usually begins with the most frequent words")
ROWS = Order("row order, which tells of use only where frequent rows are listed first")
ALPHABET = Order("the order of the alphabet, which tells nothing of use", tells=False)
NAMES = Order("row order, which tells nothing of use, as the rows are no words or tokens", tells=False)


def order_of(matrix: EmbeddingMatrix) -> Order:
    """What is known of the order of a matrix's rows, from what they are called."""
    if not matrix.has_tokens:
        return ROWS
    if matrix.row_word == "row":
        return ROWS if matrix.columns is None else NAMES
    if in_alphabet(matrix.tokens):
        return ALPHABET
    if matrix.row_word == "word":
        return WORDS
    marks = marks_of(matrix.tokens)
    if not marks.isdisjoint(OF_BYTES):
        return MERGES
    return PIECES if {"##", "[unused"} <= marks else ROWS


def use_words(matrix: EmbeddingMatrix, rows: Sequence[int] | np.ndarray) -> list[str]:
    """How often each of some rows is used: its weight, 1 in the mean, where rows are weighted; else its place in order of use, from
    1; nothing where neither is known."""
    if matrix.weighted:
        return [f"weight {matrix.weights[row]:.3g}" for row in rows]
    if order_of(matrix) not in (PIECES, MERGES, WORDS):
        return [""] * len(rows)
    place = ranks(matrix.tokens)
    return [f"place {place[row] + 1:,}" for row in rows]


def check_order(matrix: EmbeddingMatrix) -> None:
    """Raises InputError where the order of the rows does not tell how often they are used."""
    order = order_of(matrix)
    if not order.tells:
        raise InputError(f"{matrix.name} cannot be weighted by {order.words}; take column:FILE, a number a row.")


def by_order(a: float, n_rows: int, tokens: Sequence[str] | None = None) -> np.ndarray:
    """(n_rows,) weights (rank + 10)^-a, with ranks 0, 1, … from `ranks`, or in the order of the rows where they have no names."""
    rank = np.arange(n_rows) if tokens is None else ranks(tokens)
    return (rank + float(OFFSET)) ** -a


def ranks(tokens: Sequence[str]) -> np.ndarray:
    """(n,) the place of each row in order of use, from 0, for a vocabulary that lists common tokens first, see `order_of`.

    Special tokens that are in every text come first; what no text uses (unused, reserved, padding, mask, other special ones) comes
    last, and before it bytes and an alphabet, see `rarely_used`. All others keep their order; but where every byte has a token, the
    single signs and letters, which stand before all that was merged, or behind it, stand among the first of that. Not to be
    written to.
    """
    return ranked(tuple(tokens))


@lru_cache(maxsize=4)  # of a table of 400,000 words it takes a second
def ranked(tokens: tuple[str, ...]) -> np.ndarray:
    """(n,) what `ranks` gives."""
    marks = marks_of(tokens)
    rare = set(rarely_used(tokens, marks))
    group, place, alone = np.ones(len(tokens), np.int8), np.arange(len(tokens), dtype=np.float64), []
    for row, token in enumerate(tokens):
        if len(token) > 1 and token.isalpha():
            continue
        lower = token.strip().lower()
        if lower in IN_EVERY_TEXT:
            group[row] = 0
        elif IN_NO_TEXT.fullmatch(lower) or is_special(token.strip(), marks):
            group[row] = 3
        elif row in rare:
            group[row] = 2
        elif (len(token) == 1 and token.isascii() and not marks.isdisjoint(OF_BYTES)) or lower == NEWLINE:
            alone.append(row)
    if alone:
        others = np.setdiff1d(np.flatnonzero(group == 1), alone)
        place[others], place[alone] = np.arange(len(others)), np.arange(len(alone)) - 0.5
    rank = np.empty(len(tokens), np.int64)
    rank[np.lexsort((place, group))] = np.arange(len(tokens))
    rank.flags.writeable = False
    return rank


def is_special(token: str, marks: set[str]) -> bool:
    """Whether a tokenizer's token marks a place and stands for no text. That of unknown words does where bytes stand for these."""
    if not marks or BYTE.fullmatch(token.lower()) or not SPECIAL.fullmatch(token):
        return False
    return token.lower() not in UNKNOWN or not marks.isdisjoint(OF_BYTES)


def rarely_used(tokens: Sequence[str], marks: set[str]) -> list[int]:
    """Rows of bytes, but for the newline's, and of an alphabet, see `alphabet_of`; and where every byte of a text is a token those
    of letters, which texts have as parts of longer ones."""
    found = alphabet_of(tokens)
    if "Ġ" in marks:
        found += [row for row, token in enumerate(tokens) if len(token) == 1 and token.isascii() and token.isalpha()]
    if "bytes" in marks:
        found += [row for row, token in enumerate(tokens) if BYTE.fullmatch(token.lower()) and token.lower() != NEWLINE]
    return found


def alphabet_of(tokens: Sequence[str]) -> list[int]:
    """Rows of single letters beyond ASCII where these are listed by code point, which tells nothing of their use. Where they are
    many, as in Chinese, they are the words, and this is empty."""
    rows = [row for row, token in enumerate(tokens) if len(token) == 1 and not token.isascii() and token not in SPACES]
    codes = [ord(tokens[row]) for row in rows]
    return rows if codes == sorted(codes) and len(rows) <= FEW * len(tokens) else []


def marks_of(tokens: Sequence[str]) -> set[str]:
    """The marks of tokenizers that some of the tokens have: "##" and "[unused" are BERT's, "▁" is SentencePiece's, "Ġ" a space
    where letters stand for bytes; "bytes" where there are tokens for the bytes of what has none."""
    begun = Counter(mark for token in tokens if token[:1] in BEGIN for mark in MARKS if token.startswith(mark))
    found = {mark for mark in MARKS if begun[mark] > SOME * len(tokens)}
    return found - {"<0x"} | ({"bytes"} if begun["<0x"] >= BYTES else set())


def in_alphabet(tokens: Sequence[str]) -> bool:
    """Whether names stand in the order of the alphabet, their numbers left out, which count rows up as a rule."""
    some = tokens[:: max(1, len(tokens) // SEEN)]
    words = (NUMBER.sub("", token) for token in some)
    return len(tokens) >= MANY and sum(one < other for one, other in pairwise(words)) >= SORTED * len(some)
