"""Labelled examples, and the tables of text that they are read from."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from compress.errors import InputError
from compress.files import read_lines
from compress.linalg.blocks import sample_rows
from compress.sources.limits import OF_TEXT, check_fits


class Examples(NamedTuple):
    """Examples of one kind: texts, second texts where they are pairs, and labels or gold scores."""

    texts: tuple[str, ...]
    others: tuple[str, ...] | None
    labels: tuple

    @property
    def n(self) -> int:
        """How many there are."""
        return len(self.labels)

    def only(self, rows: Sequence[int] | np.ndarray) -> "Examples":
        """Those of these rows."""

        def chosen(column: tuple | None) -> Any:
            return None if column is None else tuple(column[row] for row in rows)

        return Examples(chosen(self.texts), chosen(self.others), chosen(self.labels))

    def at_most(self, limit: int | None) -> "Examples":
        """All examples, or at most so many drawn by a fixed seed."""
        return self if limit is None else self.only(sample_rows(self.n, limit, np.random.default_rng(0)))


def examples_of(rows: Sequence[Sequence[str]], where: str) -> Examples:
    """Examples from rows of one or two texts and a label. Raises InputError for a text or a label that is missing."""
    for number, row in enumerate(rows, 1):
        for cell, what in zip(row[::-1], ("label", "text", "text"), strict=False):
            if not str(cell).strip():
                raise InputError(f"Example {number:,} of {where} has no {what}; fill it in or leave the example out.")
    if not rows:
        raise InputError(f"{where} holds no examples; check the file.")
    *texts, labels = zip(*rows, strict=True)
    return Examples(texts[0], texts[1] if len(texts) > 1 else None, labels)


def checked_classes(part: Examples, where: str) -> Examples:
    """The same examples, unless their labels are all one class."""
    if len(set(part.labels)) < 2:
        raise InputError(f"Every label of {where} is “{part.labels[0]}”; give examples of at least two classes.")
    return part


def with_numbers(part: Examples, where: str) -> Examples:
    """The same examples with gold scores as numbers. Raises InputError where one is no number, or where all are the same."""
    try:
        numbers = tuple(float(label) for label in part.labels)
    except ValueError as error:
        raise InputError(f"{where} has a score that is no number ({error}); correct it.") from None
    if not np.isfinite(numbers).all():
        raise InputError(f"{where} has a score that is not finite; correct it.")
    if len(set(numbers)) < 2:
        raise InputError(f"Every score of {where} is {numbers[0]:g}; give examples with different scores.")
    return Examples(part.texts, part.others, numbers)


def table_of(path: Path, quoted: bool) -> list[list[str]]:
    """The rows of cells of a file: parted at tabs as they stand, or a CSV with its quotes."""
    try:
        check_fits(OF_TEXT * path.stat().st_size, path.name)
        lines = read_lines(path)
    except OSError as error:
        raise InputError(f"{path.name} cannot be read ({error.strerror or error}); check the file.") from error
    if not quoted:
        return [line.split("\t") for line in lines if line.strip()]
    try:
        rows = list(csv.reader((line + "\n" for line in lines), delimiter=separator_of(lines), strict=True))
    except csv.Error as error:
        raise InputError(f"{path.name} is not a regular CSV ({error}); correct that place.") from error
    return [row for row in rows if any(cell.strip() for cell in row)]


def separator_of(lines: list[str]) -> str:
    """The comma or the semicolon, whichever the first line has more of."""
    return max(",;", key=lines[0].count) if lines else ","


def drawn(labels: Sequence | np.ndarray, share: float, seed: int) -> np.ndarray:
    """Rows drawn by a seed, the same share of every class, at least one of each."""
    rng, classes = np.random.default_rng(seed), np.asarray(labels)
    parts = [rng.permutation(np.flatnonzero(classes == label)) for label in np.unique(classes)]
    return rng.permutation(np.concatenate([rows[: int(np.ceil(share * len(rows)))] for rows in parts]))
