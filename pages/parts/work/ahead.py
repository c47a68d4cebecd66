"""Work done before it is asked for: tables of answers, kept on disk."""

from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from compress import EmbeddingMatrix, InputError
from compress.answers import tables
from pages.parts import jobs
from pages.parts.cached import cached
from pages.parts.kept import cache_folder
from pages.parts.matrix import stamp


def ahead(
    matrix: EmbeddingMatrix, table: str, *, name: str | None = None, source: str | None = None, **settings: Any
) -> dict[str, np.ndarray] | None:
    """What there is by now of a table of answers of the matrix; None while there is nothing, and its work is asked for where it is
    not finished. Not to be written to.

    name: of the work, the table unless given. source: of the matrix, if it is not the one in use. settings: of the table.
    """
    path = answers_path(matrix.key, table, settings)
    found = answers(path)
    if found is None or not found.whole:
        name = f"ahead {name or table}"
        jobs.run("answers", matrix, name=name, key=path.stem, source=source, again=False, table=table, settings=settings, out=path)
    return found and found.arrays


def answers_path(key: str, table: str, settings: dict[str, Any]) -> Path:
    name = blake2b(repr((table, sorted(settings.items()))).encode(), digest_size=8).hexdigest()
    return cache_folder("answers") / f"{key}-{name}.safetensors"


def answers(path: Path) -> tables.Answers | None:
    """A table as it stands on disk, if it is there."""
    written = stamp(str(path))
    try:
        return read(str(path), written) if written else None
    except InputError:
        path.unlink(missing_ok=True)  # cut short by a full disk, say: made anew
        return None


@cached(16)
def read(path: str, written: tuple) -> tables.Answers:
    """written: when and how long, so that a table that has grown is read again."""
    return tables.read(Path(path))
