"""How often each row is used: the same for all, by the order of the vocabulary, counted in a text, by script, or a column of a
file."""

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from compress.errors import InputError
from compress.files import read_lines
from compress.sources.checkpoints.arrays import mapped
from compress.sources.choice.vocabulary import SENTENCEPIECE
from compress.sources.order import IN_NO_TEXT, by_order
from compress.sources.scripts import EVERYWHERE, written_in

Encoder = Callable[[list[str]], list[list[int]]]

UNIFORM = "uniform"
KINDS = "uniform, order:A, counts:TEXTFILE, scripts:NAMES or column:FILE[:NAME]"
MOST_A = 1.5
LONGEST_LINE = 1 << 20
BATCH = 1000  # lines that the tokenizer is given at once
PIECES = (  # of a word that has no row, tried in turn; single letters only beyond ASCII, where they can be words
    re.compile(r"\w+(?:['’.-]\w+)*|[^\w\s]"),
    re.compile(r"\w+|[^\w\s]"),
    re.compile(r"[^\x00-\x7f]"),
)


def row_weights(
    spec: str,
    n_rows: int,
    tokens: Sequence[str] | None = None,
    tokenizer: Path | None = None,
    mapping: np.ndarray | None = None,
) -> np.ndarray:
    """Row weights (n_rows,) float64, all at least 0, not scaled; EmbeddingMatrix scales them to mean 1.

    spec: "uniform"; "order:A", see `by_order`; "counts:TEXTFILE", see `counts_in`; "scripts:Latin,Greek", 1 for
    what is written in these alone and 0 for the rest, see `in_scripts`; "column:FILE", see `column_of`.
    tokens: the rows' names where they have any. tokenizer: the folder of the model's tokenizer, where there is one. mapping:
    (n_tokens,) the row of each of its tokens, where they share rows.
    Raises InputError with one plain sentence for a spec that is none of these and a file that cannot be used.
    """
    kind, _, what = str(spec).partition(":")
    try:
        if spec == UNIFORM:
            return np.ones(n_rows)
        if kind == "order":
            return by_order(exponent(what), n_rows, tokens)
        if kind == "counts" and what:
            return counts_in(Path(what).expanduser(), n_rows, tokens, tokenizer, mapping)
        if kind == "scripts" and what:
            return by_scripts(what.split(","), tokens, tokenizer)
        if kind == "column" and what:
            return column_of(what, n_rows)
    except FileNotFoundError as error:
        raise InputError(f"There is no file {error.filename}; check the path of the weights.") from error
    except OSError as error:
        name = Path(error.filename or what).name
        raise InputError(f"{name} cannot be read ({error.strerror or error}); check the file.") from error
    raise InputError(f"weights must be {KINDS}, got {spec!r}.")


def exponent(text: str) -> float:
    """A of order:A; InputError where it is not a number within its bounds."""
    try:
        found = float(text)
    except ValueError:
        found = np.nan
    if not 0 <= found <= MOST_A:
        raise InputError(f"A in order:A must be a number between 0 and {MOST_A}, got {text!r}.")
    return found


def counts_in(
    path: Path,
    n_rows: int,
    tokens: Sequence[str] | None,
    tokenizer: Path | None = None,
    mapping: np.ndarray | None = None,
) -> np.ndarray:
    """(n_rows,) how often each row occurs in a text file, plus 1, so that a row which is not there keeps a small weight.

    With the model's tokenizer each line is one text, with the special tokens that the model adds to it. Without one, words are
    looked up among the rows' names as they are written, then in lower case, then with the mark that pieces of text begin with, then
    by their parts.
    """
    if tokens is None:
        raise InputError("The rows have no tokens to count in a text; take order:A or a column of a file.")
    encode = encoder(tokenizer) if tokenizer else None
    counts = tokenized(path, n_rows, encode, mapping) if tokenizer and encode else looked_up(path, tokens)
    if not counts.any():
        raise InputError(f"No token of the matrix occurs in {path.name}; give a text in its language.")
    return counts + 1.0


def encoder(folder: Path) -> Encoder | None:
    """What turns a list of texts into lists of row numbers, from the tokenizer in a model's folder; None where it has none."""
    if (folder / "tokenizer.json").is_file():
        from tokenizers import Tokenizer

        try:
            tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        except Exception:  # tokenizers raises nothing narrower; words are looked up by name then
            return None
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return lambda texts: [each.ids for each in tokenizer.encode_batch(texts)]
    if not any((folder / name).is_file() for name in ("tokenizer_config.json", *SENTENCEPIECE)):
        return None
    from transformers import AutoTokenizer

    try:
        whole = AutoTokenizer.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
    except Exception:  # a tokenizer that this installation cannot build
        return None
    return lambda texts: whole(texts)["input_ids"]


def by_scripts(scripts: Sequence[str], tokens: Sequence[str] | None, tokenizer: Path | None = None) -> np.ndarray:
    """(n_rows,) 1 for rows whose tokens are written in the scripts alone, 0 for the others."""
    if tokens is None:
        raise InputError("The rows have no tokens to tell a script of; take order:A or a column of a file.")
    decoder = None
    if tokenizer and (tokenizer / "tokenizer.json").is_file():
        from tokenizers import Tokenizer

        with suppress(Exception):  # tokenizers raises nothing narrower; tokens are then taken as they are written
            decoder = Tokenizer.from_file(str(tokenizer / "tokenizer.json")).decoder
    return in_scripts(tokens, [script.strip() for script in scripts], decoder).astype(np.float64)


def in_scripts(tokens: Sequence[str], scripts: Sequence[str], decoder: Any) -> np.ndarray:
    """(n,) whether each token is written in the scripts alone, see `written_in`, and is none that no text has, as "[unused1]".
    decoder: of `tokenizers`, what makes text of a token; None where tokens are text. Raises InputError where none is."""
    texts = [decoder.decode([token]) if decoder else token for token in tokens]
    own = np.array(written_in(texts, scripts), bool)
    if not (own & ~np.array(written_in(texts, EVERYWHERE), bool)).any():
        raise InputError(f"No token is written in {', '.join(scripts)}; take other scripts.")
    return own & np.array([not IN_NO_TEXT.fullmatch(token.lower()) for token in tokens], bool)


def tokenized(path: Path, n_rows: int, encode: Encoder, mapping: np.ndarray | None = None) -> np.ndarray:
    """(n_rows,) how often each row is used, by what `encode` makes of the lines of a text. mapping: the row of each token, where
    tokens share rows."""
    counts = np.zeros(n_rows, np.int64)
    for texts in batches(path):
        ids = np.concatenate([np.asarray(each, np.int64) for each in encode(texts)])
        ids = ids if mapping is None else mapping[ids[ids < len(mapping)]].astype(np.int64)
        counts += np.bincount(ids[ids < n_rows], minlength=n_rows)
    return counts


def looked_up(path: Path, tokens: Sequence[str]) -> np.ndarray:
    """(n,) how often each row is used, by its name."""
    rows: dict[str, int] = {}
    for row, token in enumerate(tokens):
        rows.setdefault(token, row)

    def found(word: str, level: int = 0) -> list[int]:
        row = next((rows[form] for form in (word, word.lower(), f"▁{word}", f"Ġ{word}") if form in rows), None)
        if row is not None:
            return [row]
        return [row for part in PIECES[level].findall(word) for row in found(part, level + 1)] if level < len(PIECES) else []

    words: Counter = Counter()
    for texts in batches(path):
        words.update(word for text in texts for word in text.split())
    counts = np.zeros(len(tokens), np.int64)
    for word, times in words.items():
        for row in found(word):
            counts[row] += times
    return counts


def batches(path: Path) -> Iterator[list[str]]:
    """The lines of a text file, some at a time; lines of more than a million letters come in parts. Raises InputError where the
    file holds no text."""
    texts: list[str] = []
    told = False
    try:
        with open(path, encoding="utf-8-sig") as file:
            for line in iter(lambda: file.readline(LONGEST_LINE), ""):
                if "\0" in line:
                    raise InputError(f"{path.name} is not a text file; give UTF-8 text.")
                if line.strip():
                    texts.append(line.strip())
                if len(texts) == BATCH or (texts and len(line) == LONGEST_LINE):
                    told = True
                    yield texts
                    texts = []
    except UnicodeDecodeError as error:
        raise InputError(f"{path.name} is not UTF-8 text; convert it to UTF-8.") from error
    if texts:
        yield texts
    elif not told:
        raise InputError(f"{path.name} is empty; give a text to count the tokens in.")


def column_of(what: str, n_rows: int) -> np.ndarray:
    """(n_rows,) one number a row: a .npy of shape (n,), a .txt with one number a line, or a column of a .csv or .tsv, by its name
    after a colon ("weights.csv:count") where there are several columns of numbers."""
    path, name = Path(what).expanduser(), None
    if not path.is_file() and ":" in what:
        head, _, name = what.rpartition(":")
        path = Path(head).expanduser()
    numbers = read_array(path) if path.suffix.lower() == ".npy" else read_column(path, name)
    count = len(numbers)
    if count != n_rows:
        raise InputError(f"{path.name} has {count:,} number{'s' * (count != 1)} for {n_rows:,} rows; give one a row.")
    bad = np.flatnonzero(~(np.isfinite(numbers) & (numbers >= 0)))
    if len(bad):
        held = f"{path.name} has {numbers[bad[0]]:g} for row {bad[0]:,}, counted from 0"
        raise InputError(f"{held}; weights must be finite numbers of at least 0.")
    if not numbers.any():
        raise InputError(f"{path.name} holds nothing but zeros; give some row a weight.")
    return numbers / numbers.max() if numbers.max() > 1e100 else numbers  # whose sum could overflow


def read_array(path: Path) -> np.ndarray:
    """(n,) float64, from a .npy file."""
    try:
        numbers = mapped(path, "fiubcUSM")
    except (InputError, OSError):
        raise
    except Exception as error:  # of an array without entries
        raise InputError(f"{path.name} is not a NumPy array of numbers; save it again with numpy.save.") from error
    if numbers.dtype.kind not in "fiub" or numbers.ndim == 0 or numbers.size != len(numbers):
        raise InputError(f"{path.name} holds {numbers.dtype} of shape {numbers.shape}; give one column of numbers.")
    return np.array(numbers, np.float64).reshape(-1)


def read_column(path: Path, name: str | None) -> np.ndarray:
    """(n,) float64, from a table or a text; InputError naming the line that holds no number."""
    separator = {".csv": ",", ".tsv": "\t"}.get(path.suffix.lower())
    lines = read_lines(path)
    try:
        cells = list(csv.reader(lines, delimiter=separator)) if separator else [[line.strip()] for line in lines]
    except csv.Error as error:
        raise InputError(f"{path.name} is not a table; check the file and its extension.") from error
    rows = [(number, row) for number, row in enumerate(cells, start=1) if any(cell.strip() for cell in row)]
    if not rows:
        raise InputError(f"{path.name} is empty; give one number a row.")
    head = rows[0][1]
    names = head if name in head or not any(is_number(cell) for cell in head) else None
    rows = rows[1:] if names else rows
    at = column_at(path, name, names, rows[0][1] if rows else [])
    try:
        return np.array([number_of(row[at]) for number, row in rows])
    except (ValueError, IndexError):
        number, row = next((number, row) for number, row in rows if at >= len(row) or not is_number(row[at]))
        held = repr(row[at][:40]) if at < len(row) else "nothing"
        raise InputError(f"Line {number:,} of {path.name} has {held} where a number should be; correct that line.") from None


def column_at(path: Path, name: str | None, names: list[str] | None, first: list[str]) -> int:
    """Which column of a table is meant."""
    if name is not None:
        if names and name in names:
            return names.index(name)
        held = f"its columns are {', '.join(names)}" if names else "its first line names none"
        raise InputError(f"{path.name} has no column {name!r}; {held}.")
    numeric = [at for at, cell in enumerate(first) if is_number(cell)]
    if len(numeric) == 1:
        return numeric[0]
    if len(first) == 1:
        return 0
    held = ", ".join(names[at] for at in numeric if at < len(names)) if names else ""
    which = f" ({held}); say which one" if held else "; give a file with one"
    raise InputError(f"{path.name} has {len(numeric)} columns of numbers{which}.")


def number_of(cell: str) -> float:
    """A cell as a number; ValueError where it is none."""
    return float(cell.strip().replace("_", "x"))  # Python reads "1_000", tables do not mean it


def is_number(cell: str) -> bool:
    """Whether a cell is a number."""
    try:
        number_of(cell)
    except ValueError:
        return False
    return True


def top_share(weights: np.ndarray, part: float = 0.01) -> float:
    """The share of all weight that the heaviest part of the rows carries, at least one row."""
    count = max(1, round(part * len(weights)))
    return float(np.sort(weights)[-count:].sum() / weights.sum())
