"""Trials that ship with the program: the survey of the demo, so that its first look shows every method at once."""

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from compress.files import read_json, replacing

FILE = Path(__file__).with_name("measured.json")
MADE_BY = "python -m benchmarks.survey --write"
VERSION = 1  # raised when a method comes to give other figures: a file of another version is not used
DIGITS = 9  # of a figure

Row = tuple[str, str, str]  # a method's name, its settings and its figures as JSON


def rows(key: str) -> list[Row]:
    """The trials of a matrix, by its key as `Trials` keeps them."""
    return [
        (method, json.dumps(settings, sort_keys=True), json.dumps(figures)) for method, settings, figures in read().get(key, [])
    ]


@cache
def read() -> dict[str, list]:
    """What the file holds, by key; nothing where it is of another version."""
    held = read_json(FILE)
    return held["trials"] if held["version"] == VERSION else {}


def write(trials: Iterable[tuple[str, Iterable[Row]]]) -> None:
    """Writes the file anew, a line a trial."""
    lists = ",\n".join(f"{json.dumps(key)}: [\n" + ",\n".join(map(line, found)) + "\n]" for key, found in trials)
    head = f'"made_by": {json.dumps(MADE_BY)},\n"version": {VERSION},\n'
    with replacing(FILE) as file:
        file.write(f'{{\n{head}"trials": {{\n{lists}\n}}\n}}\n'.encode())


def line(row: Row) -> str:
    """A trial as the file has it."""
    method, settings, figures = row
    told = {name: shortened(value) for name, value in json.loads(figures).items()}
    return json.dumps([method, json.loads(settings), told])


def shortened(value: float) -> float:
    """A figure with as many digits as are kept."""
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value
