"""What tells of the rows of a matrix for the embedding projector: `vectors.tsv` and `metadata.tsv`."""

from functools import partial
from pathlib import Path

from compress.errors import InputError
from compress.sources.tables import columns, told

METADATA = "metadata"


def is_metadata(path: Path) -> bool:
    """Whether a file tells of the rows of a matrix beside it."""
    return path.suffix.lower() == ".tsv" and METADATA in path.stem.lower()


def names_beside(path: Path, n_rows: int, held: columns.Columns) -> tuple[list[str], str] | None:
    """The names of n_rows rows and what they are, from the one such file in its folder, whose columns are added to those held;
    None where there is none of that length."""
    found = [each for each in path.parent.iterdir() if is_metadata(each) and each.is_file()]
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
