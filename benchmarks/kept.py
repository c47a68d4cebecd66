"""What a stopped benchmark goes on from: a file of figures by name, a line of JSON each."""

import json
from collections.abc import Callable
from pathlib import Path


def kept_or(kept: Path | None, name: str, measured: Callable[[], dict]) -> dict:
    """What is kept under a name; else what is measured, which is kept."""
    lines = kept.read_text().splitlines() if kept and kept.exists() else []
    found = next((figures for each, figures in map(json.loads, lines) if each == name), None)
    if found is None:
        found = measured()
        if kept:
            kept.write_text("\n".join([*lines, json.dumps([name, found])]) + "\n")
    return found
