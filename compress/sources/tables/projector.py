"""The embedding projector's files: `tensors.bytes`, and `metadata.tsv`, which tells of the rows of a matrix beside it."""

from functools import partial
from pathlib import Path

import numpy as np

from compress.errors import InputError
from compress.files import read_json
from compress.sources.choice.info import Read, TensorInfo, pick
from compress.sources.tables import columns, told

METADATA = "metadata"


def infos(path: Path) -> list[TensorInfo]:
    """The one matrix of `tensors.bytes`."""
    return [TensorInfo("embedding", shape_of(path), "float32")]


def read(path: Path, tensor: str | None) -> Read:
    """The numbers, mapped, with the names and the columns of the rows from the file beside."""
    found = pick(infos(path), tensor, path.name)
    values = np.memmap(path, "<f4", "r", shape=found.shape)
    held = columns.Columns((), columns.nothing)
    names, word = names_beside(path, len(values), held) or (None, "row")
    return Read(values, names, word, columns=held)


def shape_of(path: Path) -> tuple[int, int]:
    """(n, d), as the projector's config beside says, else of as many rows as its metadata. Raises InputError where neither fits."""
    size = path.stat().st_size // 4
    for config in sorted(path.parent.glob("*.json")):
        held = read_json(config)
        for each in held.get("embeddings", []) if isinstance(held, dict) else []:
            if Path(str(each.get("tensorPath"))).name == path.name:
                n, d = map(int, each["tensorShape"])
                if 0 < n * d <= size:
                    return n, d
    for n in (count for each in metadata_beside(path) for count in counts_in(each)):
        if n and size and size % n == 0:
            return n, size // n
    raise InputError(f"{path.name} does not say its width; put the projector's config, or its metadata.tsv, beside it.")


def counts_in(path: Path) -> tuple[int, int]:
    """How many rows a file may tell of: without a first line of names, which one with several columns has, or with it."""
    text = path.read_bytes().removesuffix(b"\n")
    n = text.count(b"\n") + 1
    return (n - 1, n) if b"\t" in text.split(b"\n", 1)[0] else (n, n - 1)


def metadata_beside(path: Path) -> list[Path]:
    """The files of a matrix's folder that tell of its rows."""
    return [each for each in path.parent.iterdir() if is_metadata(each) and each.is_file()]


def is_metadata(path: Path) -> bool:
    """Whether a file tells of the rows of a matrix beside it."""
    return path.suffix.lower() == ".tsv" and METADATA in path.stem.lower()


def names_beside(path: Path, n_rows: int, held: columns.Columns) -> tuple[list[str], str] | None:
    """The names of n_rows rows and what they are, from the one such file in its folder, whose columns are added to those held;
    None where there is none of that length."""
    found = metadata_beside(path)
    if is_metadata(path) or len(found) != 1:
        return None
    try:
        here = told.told_of(found[0], n_rows)
    except InputError:
        return None
    names = held.add(found[0], here.names, partial(told.column, found[0], n_rows))
    at = columns.naming(here.names, range(len(here.names))) or 0
    held.names_rows = names[here.names[at]]
    cells = told.column(found[0], n_rows, here.names[at])
    word = "word" if here.names == (found[0].stem,) else columns.row_word(here.names[at])
    return list(map(str, cells)), word
