"""What a benchmark prints: a heading, rows under their columns, a figure beside what it should reach."""

import os
from collections.abc import Sequence


def heading(title: str) -> None:
    print(f"{title} ({os.cpu_count()} cores)\n")


def table(columns: Sequence[str], rows: Sequence[Sequence]) -> None:
    """Prints rows under their columns, the first column flush left, the others right."""
    lines = [list(columns), *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(columns))]
    for line in lines:
        first, *others = (
            cell.rjust(width) if at else cell.ljust(width) for at, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        print("  ".join([first, *others]).rstrip())


def against(value: float, target: float, form: str = ".4f") -> str:
    """A value beside the target that it should not exceed."""
    return f"{value:{form}} (≤ {target:{form}}: {'met' if value <= target else 'missed'})"


def at_least(value: float, target: float, form: str = ".4f") -> str:
    """A value beside the target that it should reach."""
    return f"{value:{form}} (≥ {target:{form}}: {'met' if value >= target else 'missed'})"
