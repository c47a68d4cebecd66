"""Texts without labels: of installed packages, which need no download, or a file of the user's."""

import ast
import hashlib
import importlib.metadata
import importlib.util
import re
import sysconfig
import warnings
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from compress.errors import InputError
from compress.files import read_json, read_lines
from compress.sources.limits import OF_TEXT, check_fits

Text = str | tuple[int, ...]  # a text, or its token ids where there is no tokenizer

PACKAGES = ("numpy", "sklearn")  # beside the standard library
OTHERS = ("scipy", "torch", "pandas")  # that passages come from, and no sentence
STORIES = Path("tinystories_text", "tinystories.txt")  # in a folder of tasks
MOST_PASSAGES = 20  # of a kind
PASSAGE = 900  # characters, or as many more as end a paragraph
PASSED_OVER = {"test", "tests", "site-packages", "dist-packages", "idlelib", "lib2to3", "__pycache__", "_vendor", "externals"}
MOST_OF_A_FILE, MOST_OF_A_PAPER = 16, 64  # sentences, so that no file speaks for all
MOST = 3000
TOGETHER = 1000  # lines of a file
SENTENCE = re.compile(r"[A-Z][A-Za-z0-9 ,;'’()\-]+[.?!]")
WORDS = range(6, 41)
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
HOLDERS = ("body", "handlers", "orelse", "finalbody", "cases")  # the fields of a node that hold statements, or what holds them
LICENCE = re.compile(r"(LICEN[CS]E|COPYING|NOTICE|AUTHORS)", re.IGNORECASE)
EDGE = re.compile(r"(?<=[.?!])\s+(?=[A-Z])")
PROSE = re.compile(r"(?!\s)(?!.*(>>>|\.\. |::|--|\s:\s|`|=)).+", re.DOTALL)  # no code, no markup, no list of parameters


def read_texts(path: Path | str | None) -> list[Text]:
    """The texts of a file, the built-in ones for None.

    A .json is a list of strings or a list of lists of token ids, every other file has one text a line. Raises InputError where the
    file holds no text.
    """
    if path is None:
        return list(built_in()[:MOST])
    path = Path(path).expanduser()
    try:
        check_fits(OF_TEXT * path.stat().st_size, path.name)
        found = texts_of_json(path) if path.suffix.lower() == ".json" else [line.strip() for line in read_lines(path)]
    except FileNotFoundError:
        raise InputError(f"There is no file {path}; check the path of the text.") from None
    except OSError as error:
        raise InputError(f"{path.name} cannot be read ({error.strerror or error}); check the file.") from error
    found = [text for text in found if text]
    if not found:
        raise InputError(f"{path.name} is empty; give a text with something on its lines.")
    return found


def texts_to_learn(path: Path | str | None) -> list[Text]:
    """The texts of a file; for None built-in ones, none of which `read_texts` gives, so that what learns from them can be judged on
    those."""
    return list(built_in()[MOST:]) if path is None else read_texts(path)


def texts_with_ends(path: Path | str) -> list[str]:
    """The texts of a file as a tokenizer meets them: each by itself, and where each is a line also many at a time with the ends of
    lines between them. Raises InputError as `read_texts` does, and where it holds token ids."""
    path, found = Path(path).expanduser(), read_texts(path)
    texts = [text for text in found if isinstance(text, str)]
    if len(texts) < len(found):
        raise InputError(f"{path.name} holds token ids; give the texts themselves.")
    lines = [] if path.suffix.lower() == ".json" else read_lines(path)
    return [*texts, *("\n".join(lines[at : at + TOGETHER]) for at in range(0, len(lines), TOGETHER))]


def passages(data: Path | str | None) -> list[Text]:
    """What a model of the next token is judged on where no text is given, for a sentence alone tells it little: prose of packages
    that no built-in sentence comes from, and stories where the folder of tasks has them; 20 of each, some 200 tokens long."""
    stories = Path(data).expanduser() / STORIES if data else None
    told = pieced(read_lines(stories), "\n") if stories and stories.is_file() else []
    return [*(documentation() or built_in()[:MOST_PASSAGES]), *told[:MOST_PASSAGES]]


@cache
def documentation() -> tuple[str, ...]:
    """Passages of long docstrings' prose, each of another file, the same every time; none where the packages are not there."""
    found: list[str] = []
    for path in sources(OTHERS):
        found += [piece for text in docstrings_of(path) for piece in pieced(paragraphs(text), "\n\n")][:1]
        if len(found) >= MOST_PASSAGES:
            break
    return tuple(found)


def pieced(parts: Iterable[str], between: str) -> list[str]:
    """Parts of a text after each other, in passages of so many characters as PASSAGE says; what is left at the end is left out."""
    found, held = [], ""
    for part in parts:
        held = f"{held}{between}{part}".strip()
        if len(held) >= PASSAGE:
            found.append(held)
            held = ""
    return found


def texts_of_json(path: Path) -> list[Text]:
    """The texts of a .json, or their token ids. Raises InputError where it holds something else."""
    held = read_json(path)
    if isinstance(held, list) and all(isinstance(text, str) for text in held):
        return [text.strip() for text in held]
    if isinstance(held, list) and all(
        isinstance(ids, list) and all(type(number) is int and number >= 0 for number in ids) for ids in held
    ):
        return [tuple(ids) for ids in held]
    raise InputError(f"{path.name} must be a list of texts, or a list of lists of token ids.")


@cache
def built_in() -> tuple[str, ...]:
    """6,000 plain English sentences from docstrings of the standard library, NumPy and scikit-learn, each once, mixed, in the same
    order every time. The code is parsed and never run."""
    found: dict[str, None] = {}
    for path in sources(PACKAGES, Path(sysconfig.get_paths()["stdlib"])):
        found |= dict.fromkeys(sentences(path)[:MOST_OF_A_FILE])
        if len(found) >= 2 * MOST:
            break
    if not found:
        raise InputError("The installed packages have no docstrings to take sentences from; give a text.")
    return tuple(sorted(found, key=mixed)[: 2 * MOST])


@cache
def papers() -> tuple[str, ...]:
    """Plain English sentences of licences and descriptions of installed packages, another kind of text than `built_in`; each once,
    mixed, in the same order every time. There may be none."""
    found: dict[str, None] = {}
    for package in importlib.metadata.distributions():
        licences = [
            Path(str(place.locate())) for place in package.files or () if LICENCE.match(place.name) and place.suffix != ".py"
        ]
        texts = [path.read_text("utf-8", "replace") for path in licences if path.is_file()]
        for text in (package.metadata["Description"] or "", *texts):
            found |= dict.fromkeys(prose(text)[:MOST_OF_A_PAPER])
    return tuple(sorted(found, key=mixed))


def mixed(text: str) -> bytes:
    """A key to sort by that has nothing to do with the text's first letters."""
    return hashlib.blake2b(text.encode(), digest_size=8).digest()


def sources(packages: Iterable[str], *folders: Path) -> list[Path]:
    """The Python files whose docstrings are read, those of the packages and the folders mixed."""
    roots = [*folders]
    for name in packages:
        spec = importlib.util.find_spec(name)
        roots += [Path(place) for place in (spec.submodule_search_locations or [])[:1]] if spec else []
    found = {path: str(path.relative_to(root)) for root in roots for path in root.rglob("*.py")}
    return sorted((path for path in found if not PASSED_OVER & {*Path(found[path]).parts}), key=lambda path: mixed(found[path]))


def sentences(path: Path) -> list[str]:
    """The plain sentences of a file's docstrings, in their order."""
    return [sentence for text in docstrings_of(path) for sentence in prose(text)]


def prose(text: str) -> list[str]:
    """The plain sentences of a text's paragraphs of prose, in their order."""
    return [each for paragraph in paragraphs(text) for each in EDGE.split(paragraph) if is_plain(each)]


def paragraphs(text: str) -> list[str]:
    """Those that are prose, each in one line."""
    return [" ".join(paragraph.split()) for paragraph in text.split("\n\n") if PROSE.fullmatch(paragraph)]


def docstrings_of(path: Path) -> list[str]:
    """The docstrings of a file, none where it is no Python of this version."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of old escapes in the code
            return [*docstrings(ast.parse(path.read_bytes()))]
    except (OSError, SyntaxError, ValueError, RecursionError):
        return []


def docstrings(tree: ast.Module) -> Iterator[str]:
    """Level by level, as `ast.walk` goes, but not into expressions: most nodes are there, and no docstring."""
    level = [tree]
    while level:
        for node in level:
            text = ast.get_docstring(node) if isinstance(node, DOCUMENTED) else None
            if text:
                yield text
        level = [inner for node in level for field in HOLDERS for inner in getattr(node, field, ())]


def is_plain(sentence: str) -> bool:
    """Whether it is a sentence of 6 to 40 words, in letters, digits and the usual signs."""
    return len(sentence.split()) in WORDS and bool(SENTENCE.fullmatch(sentence))
