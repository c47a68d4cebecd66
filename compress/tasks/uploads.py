"""A person's own labelled file: a CSV or a TSV with text and label, or with two texts and a label or a score."""

from pathlib import Path

import numpy as np

from compress.errors import InputError
from compress.tasks.examples import Examples, drawn, examples_of, table_of

ENDINGS = (".csv", ".tsv")
COLUMNS = {
    "text": ("text", "sentence"),
    "text1": ("text1", "sentence1"),
    "text2": ("text2", "sentence2"),
    "label": ("label", "class"),
    "score": ("score", "similarity"),
}
KINDS = (("text1", "text2", "score"), ("text1", "text2", "label"), ("text", "label"))
SHAPE = "text and label, or text1, text2 and label or score"
TESTED = 0.2  # share of the examples that are put aside for the test


def read_upload(path: Path | str) -> tuple[Examples, bool]:
    """The examples of a file, and whether their labels are scores. A first line that names the columns is recognised; without one
    they are text and label, or text1, text2 and label, or score where it is no whole number somewhere.

    Raises InputError that says what is wrong.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise InputError(f"There is no file {path}; check the path of the examples.")
    rows = table_of(path, quoted=path.suffix.lower() == ".csv")
    if not rows:
        raise InputError(f"{path.name} is empty; give a table with the columns {SHAPE}.")
    named = [called(cell) for cell in rows[0]]
    kind = next((kind for kind in KINDS if set(kind) <= set(named)), None)
    if kind:
        places, rows, first = [named.index(column) for column in kind], rows[1:], 2
    elif any(named) and len(set(filter(None, named))) > 1:
        raise InputError(f"{path.name} has the columns {', '.join(rows[0])}; it must have {SHAPE}.")
    elif len(rows[0]) in (2, 3):
        places, first = list(range(len(rows[0]))), 1
    else:
        raise InputError(f"{path.name} has {len(rows[0])} columns and none is named; it must have {SHAPE}.")
    for number, row in enumerate(rows, first):
        if len(row) <= max(places):
            raise InputError(f"Row {number:,} of {path.name} has {len(row)} columns, not {max(places) + 1}; correct that row.")
    chosen = [[row[place].strip() for place in places] for row in rows]
    scored = kind[-1] == "score" if kind else len(places) == 3 and are_scores([row[-1] for row in chosen])
    return examples_of(chosen, path.name), scored


def called(cell: str) -> str | None:
    """The column that a header's cell names."""
    return next((column for column, names in COLUMNS.items() if cell.strip().lower() in names), None)


def are_scores(cells: list[str]) -> bool:
    """Whether all are numbers and some no whole one."""
    try:
        numbers = np.array(cells, float)
    except ValueError:
        return False
    return bool((numbers % 1 != 0).any())


def split(part: Examples) -> tuple[Examples, Examples]:
    """Examples to fit on and to test on, the same every time, every class parted alike."""
    train = np.sort(drawn([str(label) for label in part.labels], 1 - TESTED, 0))
    test = np.setdiff1d(np.arange(part.n), train)
    if not len(test):
        raise InputError("The examples are too few to put some aside for the test; give at least five of a class.")
    return part.only(train), part.only(test)
