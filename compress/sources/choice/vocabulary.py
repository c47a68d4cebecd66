"""Row names: the tokens of a vocabulary file, by row number."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from compress.errors import InputError
from compress.files import read_json, read_lines

PLAIN = ("vocab.txt", "vocab.json", "tokens.json", "tokens.txt", "words.txt", "words.json")
FAIRSEQ, FAIRSEQ_FIRST = "dict.txt", ("<s>", "<pad>", "</s>", "<unk>")  # its list, and the tokens that it puts before it
SENTENCEPIECE = ("tokenizer.model", "spiece.model", "sentencepiece.bpe.model", "sentencepiece.model")
MARKS = ("##", "▁", "Ġ", "[unused")  # that tokenizers put before pieces of words, words, and places without a use
MOST_PADDED = 1024  # the largest number that tables are padded to multiples of
LABEL = re.compile(r"[^\W\d_]*[\W_]*\d+|\S.*\s.*\S", re.DOTALL)  # "17", "doc_17", "A title"
SOME, MOST = 50, 0.9  # names that tell, and the share of them that are such
LOOKED = 10_000  # of many, about so many are looked at
LARGEST = 1 << 40  # number that a token may have
NUMBERED = re.compile(r"(.*\S)[ \t]+(\d{1,18})")


def tokens_for(folder: Path, n_rows: int, told: Collection[int] = (), mapping: np.ndarray | None = None) -> list[str] | None:
    """A name for each of n_rows from the vocabulary in a folder, or None where it has none, or one of another table.

    The vocabulary's numbers are those of the rows where they are as many, where the rest of the rows is padding, or where a model's
    config tells of so many rows, told; only tokens that were added to a vocabulary may be past the last row, and are left out.
    mapping: (n_tokens,) the row of each token where tokens share rows, which are then named by their first. Rows without a token
    are named "row N".
    """
    found = vocabulary_in(folder)
    if mapping is not None:
        named = shared_rows(found.ids | found.added, mapping, n_rows)
    else:
        named = found.ids | {row: token for row, token in found.added.items() if row < n_rows}
        count = max(named, default=-1) + 1
        whole = count == n_rows or (found.numbered and (fills(count, n_rows) or (count < n_rows and n_rows in told)))
        if not named or min(named) < 0 or not whole or 2 * len(named) < count:
            return None
    return [named.get(row, f"row {row}") for row in range(n_rows)] if named else None


def shared_rows(ids: Mapping[int, str], mapping: np.ndarray, n_rows: int) -> dict[int, str]:
    """The first token of each row that tokens share; none where the mapping is not of these tokens and rows."""
    if max(ids, default=-1) + 1 != len(mapping) or mapping.min() < 0 or mapping.max() >= n_rows:
        return {}
    return {int(mapping[number]): ids[number] for number in sorted(ids, reverse=True)}


def fills(count: int, n_rows: int) -> bool:
    """Whether a table of n_rows may be that of so many tokens: as many, or padded to a multiple of a power of two."""
    multiple = min(n_rows & -n_rows, MOST_PADDED)
    return 0 <= n_rows - count < min(multiple, max(64, count))


def row_word(folder: Path, tokens: Iterable[str]) -> str:
    """What the names in a folder are: a plain list of words beside an array names words, unless it has a tokenizer's marks; what a
    model or a tokenizer comes with names tokens."""
    path = plain_file(folder)
    listed = path is not None and path.suffix == ".txt" and not path.stem.startswith("token")
    with_model = any((folder / name).is_file() for name in ("config.json", "tokenizer.json"))
    return "word" if listed and not with_model and not any(token.startswith(MARKS) for token in tokens) else "token"


def are_labels(names: Sequence[str]) -> bool:
    """Whether names are numbers, numbered, or of several words: those of documents, users, things, and of no vocabulary."""
    some = names[:: max(1, len(names) // LOOKED)]
    return len(names) >= SOME and sum(LABEL.fullmatch(name.strip()) is not None for name in some) >= MOST * len(some)


@dataclass(frozen=True)
class Vocabulary:
    """Tokens by number, those that were added later apart. numbered: whether a tokenizer or a model numbers them, and not the order
    of a list alone."""

    ids: dict[int, str]
    added: dict[int, str]
    numbered: bool = True

    def __len__(self) -> int:
        return max((*self.ids, *self.added), default=-1) + 1


def vocabulary_in(folder: Path) -> Vocabulary:
    """That of a folder, from the first of: tokenizer.json, a plain list of words, fairseq's list, a SentencePiece model."""
    if (folder / "tokenizer.json").is_file():
        return from_tokenizer(folder / "tokenizer.json")
    path = plain_file(folder)
    if path is not None:
        numbered = path.suffix == ".json" or (folder / "config.json").is_file()
        return Vocabulary(from_json(path) if path.suffix == ".json" else from_lines(path), added_in(folder), numbered)
    if (folder / FAIRSEQ).is_file():
        return Vocabulary(dict(enumerate([*FAIRSEQ_FIRST, *from_lines(folder / FAIRSEQ).values()])), {})
    if any((folder / name).is_file() for name in SENTENCEPIECE):
        return from_transformers(folder)
    return Vocabulary({}, {})


def is_in(folder: Path) -> bool:
    """Whether a folder has a vocabulary."""
    return plain_file(folder) is not None or any((folder / name).is_file() for name in ("tokenizer.json", FAIRSEQ, *SENTENCEPIECE))


def added_in(folder: Path) -> dict[int, str]:
    """The tokens that were added to a tokenizer that is kept in several files."""
    added: dict[int, str] = {}
    for name in ("tokenizer_config.json", "added_tokens.json"):
        if (folder / name).is_file():
            content = read_json(folder / name)
            try:
                if name == "added_tokens.json":
                    added |= {number_of(number): str(token) for token, number in content.items()}
                else:
                    held = content.get("added_tokens_decoder", {})
                    added |= {number_of(number): str(each["content"]) for number, each in held.items()}
            except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
                raise InputError(f"{name} does not number tokens; fetch it again, or remove it to go without.") from error
    return added


def plain_file(folder: Path) -> Path | None:
    """The vocabulary file by its usual name, or the only one whose name says that it is one."""
    for name in PLAIN:
        if (folder / name).is_file():
            return folder / name
    named = [path for path in folder.glob("*vocab*") if path.suffix in (".txt", ".json") and path.is_file()]
    return named[0] if len(named) == 1 else None


def from_tokenizer(path: Path) -> Vocabulary:
    """The vocabulary of tokenizer.json (token to id; for Unigram pieces in order) and its added tokens.

    Byte-level tokens stay as they are written there, such as "Ġword".
    """
    content = read_json(path)
    try:
        ids = by_number(content["model"].get("vocab", {}))
        added = {number_of(each["id"]): str(each["content"]) for each in content.get("added_tokens") or []}
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError) as error:
        raise InputError(f"{path.name} is not a tokenizer's file; fetch it again, or remove it to go without tokens.") from error
    return Vocabulary(ids, added)


def from_json(path: Path) -> dict[int, str]:
    """Tokens by row number from a JSON file of any of the kinds that `by_number` reads."""
    try:
        return by_number(read_json(path))
    except (KeyError, TypeError, ValueError, IndexError, OverflowError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path.name} is neither a list of tokens nor token to number; correct or remove it.") from error


def by_number(vocabulary: Any) -> dict[int, str]:
    """Tokens by number from a list of tokens, a list of (token, score), token to number, or number to token; none where tokens
    share numbers, which are counts then."""
    if isinstance(vocabulary, Mapping):
        pairs = vocabulary.items()
        if all(isinstance(token, str) for token in vocabulary.values()):
            return {number_of(number): token for number, token in pairs}
        ids = {number_of(number): str(token) for token, number in pairs}
        return ids if len(ids) == len(pairs) else {}
    if not isinstance(vocabulary, list):
        raise TypeError("neither a list nor a mapping")
    return {row: str(entry if isinstance(entry, str) else entry[0]) for row, entry in enumerate(vocabulary)}


def number_of(held: Any) -> int:
    """The number of a token. Raises ValueError, TypeError or OverflowError where it is none that a token has."""
    number = int(held)
    if abs(number) > LARGEST:
        raise ValueError(f"a token numbered {number}")
    return number


def from_lines(path: Path) -> dict[int, str]:
    """One token a line. A number after each is its row where they are 0 … n−1, else a count that is left out."""
    lines = read_lines(path)
    matches = [match for line in lines if (match := NUMBERED.fullmatch(line))]
    if len(matches) < len(lines):
        return dict(enumerate(lines))
    numbers = [int(match[2]) for match in matches]
    if sorted(numbers) != list(range(len(numbers))):
        numbers = list(range(len(numbers)))
    return {number: match[1] for number, match in zip(numbers, matches, strict=True)}


def from_transformers(folder: Path) -> Vocabulary:
    """The vocabulary as transformers reads it, from the folder alone; nothing where it cannot."""
    try:
        from transformers import AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
        ids = {number: token for token, number in tokenizer.get_vocab().items()}
    except Exception:  # a tokenizer that this installation cannot build; the matrix is still whole without names
        return Vocabulary({}, {})
    added = set(tokenizer.added_tokens_decoder)
    return Vocabulary({row: ids[row] for row in ids.keys() - added}, {row: ids[row] for row in ids.keys() & added})
