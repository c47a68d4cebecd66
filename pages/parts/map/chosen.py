"""What a person has chosen on a map, and what the filter of its legend leaves: told by a browser, which can send anything."""

from dataclasses import dataclass, field

import numpy as np

from .packing import MISSING, TOP
from .polygon import points_in_polygon

MOST_CORNERS = 1_000


@dataclass(frozen=True, eq=False)
class MapSelection:
    """Rows that a person chose: those inside `polygon`, a list of [x, y], or the one clicked, where `polygon` is None. `shown` (n,)
    says which rows the map shows; None for all. Of the chosen only these are told."""

    rows: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    polygon: list[list[float]] | None = None
    shown: np.ndarray | None = None

    def among(self, shown: np.ndarray | None) -> "MapSelection":
        """What is left of it where only these rows (n,) are shown; None for all."""
        return self if shown is None else MapSelection(self.rows[shown[self.rows]], self.polygon, shown)


def selection(told: dict, positions: np.ndarray) -> MapSelection:
    """The rows that `told` stands for; what does not fit selects nothing."""
    row, polygon = told.get("row"), told.get("polygon")
    if isinstance(row, int) and 0 <= row < len(positions):
        return MapSelection(np.array([row]))
    if not isinstance(polygon, list) or not 3 <= len(polygon) <= MOST_CORNERS:
        return MapSelection()
    try:
        corners = np.array(polygon, dtype=np.float64)
    except (TypeError, ValueError):
        return MapSelection()
    if corners.shape != (len(polygon), 2) or not np.isfinite(corners).all():
        return MapSelection()
    return MapSelection(np.flatnonzero(points_in_polygon(positions, corners)), polygon)


def filter_of(told: object, legend: str) -> dict | None:
    """The filter that `told` says, if it is one of this legend: values that are hidden, or the range of those that are shown."""
    if not isinstance(told, dict) or told.get("legend") != legend:
        return None
    values, limits = told.get("hidden"), told.get("range")
    if isinstance(limits, list) and len(limits) == 2 and all(type(each) is int and 0 <= each <= TOP for each in limits):
        return {"range": limits}
    if isinstance(values, list) and values and all(type(each) is int and 0 <= each <= MISSING for each in values):
        return {"hidden": sorted({*values})}
    return None


def shown_by(wanted: dict | None, colours: np.ndarray) -> np.ndarray | None:
    """Which of the points of these values (n,) a filter shows, as booleans; None for all."""
    if wanted is None:
        return None
    table = np.ones(MISSING + 1, bool)
    if "range" in wanted:
        first, last = wanted["range"]
        table[:first] = table[last + 1 :] = False
    else:
        table[wanted["hidden"]] = False
    return table[colours]
