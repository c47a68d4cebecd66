"""Row names: the tokens of a vocabulary file, by row number."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from compress.errors import InputError
from compress.files import read_json, read_lines

PLAIN = ("vocab.txt", "vocab.json", "tokens.json", "tokens.txt", "words.txt", "words.json")
SENTENCEPIECE = ("tokenizer.model", "spiece.model", "sentencepiece.bpe.model", "sentencepiece.model")
MARKS = ("##", "▁", "Ġ", "[unused")  # that tokenizers put before pieces of words, words, and places without a use
MOST_PADDED = 1024  # the largest number that tables are padded to multiples of
NUMBERED = re.compile(r"(.*\S)[ \t]+(\d{1,18})")


def tokens_for(folder: Path, n_rows: int) -> list[str] | None:
    """A name for each of n_rows from the vocabulary in a folder, or None where it has none.

    Rows without a token, as padding has, are named "row N"; tokens whose number is past the last row are left out.
    """
    ids = vocabulary_in(folder)
    named = {row: token for row, token in ids.items() if 0 <= row < n_rows}
    return [named.get(row, f"row {row}") for row in range(n_rows)] if named else None


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


def vocabulary_in(folder: Path) -> dict[int, str]:
    """Tokens by row number, from the first of: tokenizer.json, a plain list of words, a SentencePiece model."""
    if (folder / "tokenizer.json").is_file():
        return from_tokenizer(folder / "tokenizer.json")
    path = plain_file(folder)
    if path is not None:
        return from_json(path) if path.suffix == ".json" else from_lines(path)
    if any((folder / name).is_file() for name in SENTENCEPIECE):
        return from_transformers(folder)
    return {}


def plain_file(folder: Path) -> Path | None:
    """The vocabulary file by its usual name, or the only one whose name says that it is one."""
    for name in PLAIN:
        if (folder / name).is_file():
            return folder / name
    named = [path for path in folder.glob("*vocab*") if path.suffix in (".txt", ".json") and path.is_file()]
    return named[0] if len(named) == 1 else None


def from_tokenizer(path: Path) -> dict[int, str]:
    """The vocabulary of tokenizer.json (token to id; for Unigram pieces in order) and its added tokens.

    Byte-level tokens stay as they are written there, such as "Ġword".
    """
    content = read_json(path)
    try:
        ids = by_number(content["model"].get("vocab", {}))
        for added in content.get("added_tokens") or []:
            ids[int(added["id"])] = str(added["content"])
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise InputError(f"{path.name} is not a tokenizer's file; fetch it again, or remove it to go without tokens.") from error
    return ids


def from_json(path: Path) -> dict[int, str]:
    """Tokens by row number from a JSON file of any of the kinds that `by_number` reads."""
    try:
        return by_number(read_json(path))
    except (TypeError, ValueError, IndexError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path.name} is neither a list of tokens nor token to number; correct or remove it.") from error


def by_number(vocabulary: Any) -> dict[int, str]:
    """Tokens by number from a list of tokens, a list of (token, score), token to number, or number to token."""
    if isinstance(vocabulary, Mapping):
        pairs = vocabulary.items()
        if all(isinstance(token, str) for token in vocabulary.values()):
            return {int(number): token for number, token in pairs}
        return {int(number): str(token) for token, number in pairs}
    if not isinstance(vocabulary, list):
        raise TypeError("neither a list nor a mapping")
    return {row: str(entry if isinstance(entry, str) else entry[0]) for row, entry in enumerate(vocabulary)}


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


def from_transformers(folder: Path) -> dict[int, str]:
    """The vocabulary as transformers reads it, from the folder alone; nothing where it cannot."""
    try:
        from transformers import AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
        return {number: token for token, number in tokenizer.get_vocab().items()}
    except Exception:  # a tokenizer that this installation cannot build; the matrix is still whole without names
        return {}
