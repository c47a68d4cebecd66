"""What parts the cells of a text: a separator, the point or the comma of its numbers, and quotes."""

import csv
from collections import Counter
from dataclasses import dataclass

import numpy as np

from compress.errors import InputError
from compress.sources.tables.cells import is_missing, is_number, text_of, trailing, weight

LONG = 20_000  # letters of a line that tell what parts it
MOST_COLUMNS = 100_000
BLANKS = ""  # the separator of a text whose cells stand between spaces or tabs


def split(line: str, separator: str, quotes: str) -> list[str]:
    """The cells of a line."""
    if separator == BLANKS:
        if quotes != "none":
            return [cell for cell in next(csv.reader([line.replace("\t", " ")], delimiter=" "), []) if cell]
        return line.split()
    if quotes == "none":
        return line.split(separator)
    return next(csv.reader([line], delimiter=separator), [])


@dataclass(frozen=True)
class Parting:
    """What parts the cells of a text. score: how many of them it makes numbers."""

    separator: str
    decimal: str
    quotes: str
    n_fields: int
    score: float

    @classmethod
    def best(cls, lines: list[bytes], quotes: str, declared: tuple[int, int] | None, name: str) -> "Parting | None":
        """The one that makes the most numbers of the lines, by their beginnings where they are long. InputError where that is
        more columns than are read."""
        whole = [text_of(line) for line in lines[:60]]
        texts = [text[:LONG] for text in whole]
        found, tabs = [], {text.count("\t") for text in whole[1:] or whole}
        for separator in ("\t", BLANKS, ",", ";", "|"):
            if separator and not any(separator in text for text in texts):
                continue
            if separator == BLANKS and len(tabs) == 1 and tabs != {0}:
                continue  # a space beside them is part of a word
            wanted = quotes if separator or all_quoted(texts) else "none"
            if separator and wanted == "cells" and needless(texts, separator):
                wanted = "none"
            for decimal in (".", ","):
                if decimal != separator and (decimal == "." or any("," in text for text in texts)):
                    found.append(cls.of(texts, separator, decimal, wanted, declared))
        best = max(found, key=lambda each: each.score, default=None)
        if best is None or best.score == 0 or max(map(len, whole)) <= LONG:
            return best if best and best.score > 0 else None
        n_fields = max(text.count(best.separator or " ") for text in whole)
        if n_fields > MOST_COLUMNS:
            raise InputError(
                f"{name} has some {n_fields:,} columns, more than the {MOST_COLUMNS:,} that are read; turn it on its side."
            )
        return cls.of(whole, best.separator, best.decimal, best.quotes, declared)

    @classmethod
    def of(cls, texts: list[str], separator: str, decimal: str, quotes: str, declared: tuple[int, int] | None) -> "Parting":
        try:
            rows = [split(text, separator, quotes) for text in texts]
        except csv.Error:
            return cls(separator, decimal, quotes, 0, 0.0)
        body = rows[1:] if len(rows) > 1 else rows
        counts = Counter(map(len, body))
        n_fields = max(counts, key=lambda count: (counts[count], count == len(rows[0]), count))
        if separator == BLANKS:
            numbers = Counter(trailing(row[1:], decimal) for row in body)
            most = declared[1] if declared else max(numbers, key=lambda count: (numbers[count], count))
            if most and not (declared and n_fields == most and counts[n_fields] == len(body)):
                n_fields = most + 1
        fitting = sum(len(row) == n_fields for row in rows)
        scores, bare = [], separator != BLANKS or lists_behind_words(rows)
        for row in body:
            worth = [weight(cell, decimal, bare) for cell in row[-n_fields:]]
            every = sum(worth) + worth.count(0) + max(0, len(row) - n_fields)
            scores.append(sum(worth) ** 2 / max(1, every))
        return cls(separator, decimal, quotes, n_fields, float(np.mean(scores)) * (0.5 + 0.5 * fitting / len(rows)))


def lists_behind_words(rows: list[list[str]]) -> bool:
    """Whether words and lists without brackets may stand between blanks, not phrases that end in a number between commas."""
    alike = all(len(row) == len(rows[0]) and not row[-1].partition(",")[0].isdecimal() for row in rows)
    return alike and 2 * len({row[0] for row in rows if row}) > len(rows)


def all_quoted(texts: list[str]) -> bool:
    """Whether every line begins with a cell in quotes."""
    return all(text.lstrip().startswith('"') for text in texts) and all(text.count('"') >= 2 for text in texts)


def needless(texts: list[str], separator: str) -> bool:
    """Whether words in quotes that need none stand beside words without, so that the quotes are letters of theirs."""
    rows = [text.split(separator) for text in texts]
    plain = [cell for row in rows[1:] for cell in row if cell.strip() and '"' not in cell]
    cells = [cell for row in rows for cell in row]
    useless = [cell for cell in cells if len(cell) > 1 and cell[0] == cell[-1] == '"' and '"' not in cell[1:-1]]
    torn = any(cell.count('"') == 1 for cell in cells)
    return bool(useless) and not torn and any(not is_number(cell) and not is_missing(cell) for cell in plain)
