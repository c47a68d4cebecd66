"""How points are coloured: one byte a point, and what the legend says of each."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal

import numpy as np

from compress.analysis.matching import names_kept
from compress.charts.palette import CATEGORIES, SEQUENTIAL
from compress.sources.column_kinds import Categories, Dates, Numbers

from .packing import MISSING, TOP, quantised_values, robust_limits
from .ticks import date_ticks, number_ticks

MOST = 11  # categories of a column with a colour of their own
OTHER = "#8C7B6B"  # the colour of all others: seen on white and near-black, and no grey, which is a row without a value
SPREAD = 300  # times the lower limit of positive numbers that the upper one is, from which on they are spread by their logarithm


@dataclass(frozen=True, eq=False)
class Colouring:
    """How points are coloured.

    `values` (n,) are labels 0 to 253 for "categories", -1 where there is none, with `names` for the legend (the label itself where
    there is none), or numbers for "sequential", NaN where there is none; seconds since 1970 where they are `dates`. `title` heads
    the legend, with the unit. `limits` are the numbers at the two ends of the colour scale, by default the 1st and 99th percentile;
    `log` spreads them by their logarithm. `counted`: whether the legend says how many rows each category has. `colours`: of the
    labels, over and over.
    """

    values: np.ndarray
    kind: Literal["categories", "sequential"]
    names: tuple[str, ...] = ()
    title: str = ""
    limits: tuple[float, float] | None = None
    log: bool = False
    dates: bool = False
    counted: bool = False
    colours: tuple[str, ...] = CATEGORIES


@dataclass(frozen=True, eq=False)
class Recolouring:
    """Labels that colour the points and count in the legend while a dial is away from `at`, the value that the map is drawn for.

    dial: the key of its setting. values: (m,) of the dial. labels: (m, n) whole numbers from 0 to 253, a row for each value;
    the nearest value's are shown. names: of the labels. The colours are those of `Colouring.values` where the same rows are meant.
    """

    dial: str
    at: float
    values: Sequence[float]
    labels: np.ndarray
    names: tuple[str, ...] = ()


def by_column(column: Categories | Numbers | Dates) -> Colouring:
    """A column as colours: the commonest categories and all others together, or a scale of numbers or dates."""
    if isinstance(column, Categories):
        n = len(column.names)
        alone = n if n <= MOST + 1 else MOST
        names = column.names[:alone] if alone == n else (*column.names[:alone], f"other ({n - alone:,} more)")
        colours = (*CATEGORIES[:MOST], OTHER)
        return Colouring(np.minimum(column.codes, alone), "categories", names, column.name, counted=True, colours=colours)
    if isinstance(column, Dates):
        seconds = np.where(np.isnat(column.values), np.nan, column.values.astype("datetime64[s]").astype(np.int64))
        return Colouring(seconds, "sequential", title=column.name, dates=True)
    low, high = robust_limits(column.values, log=False)
    lowest = np.nanmin(column.values) if np.isfinite(column.values).any() else 0
    return Colouring(column.values, "sequential", title=column.name, log=bool(lowest > 0 and high >= SPREAD * low))


def coloured(colouring: Colouring) -> tuple[dict, np.ndarray]:
    """The legend's part of the header, and one byte a point (n,). Its `legend` names what the bytes stand for: with another,
    a filter by bytes holds no more."""
    header: dict = {"kind": colouring.kind, "title": colouring.title}
    values = np.asarray(colouring.values)
    if colouring.kind == "categories":
        if len(values) and (values.min() < -1 or values.max() > TOP):
            raise ValueError(f"labels must be between 0 and {TOP}, or -1 for none, got {values.min()} to {values.max()}")
        colours = np.where(values < 0, MISSING, values).astype(np.uint8)
        counts = np.bincount(colours, minlength=MISSING + 1)
        names = [*colouring.names, *map(str, range(len(colouring.names), int(values.max() if len(values) else -1) + 1))]
        told = {"palette": colouring.colours, "names": names, "counted": colouring.counted}
        beside = {"counts": counts[: len(names)].tolist()}
    else:
        low, high = map(float, colouring.limits or robust_limits(values, colouring.log))
        if not low <= high or (colouring.log and low <= 0):
            raise ValueError(f"limits must rise{' from above zero' if colouring.log else ''}, got {low} and {high}")
        colours = quantised_values(values, (low, high), colouring.log)
        ticks = date_ticks(low, high) if colouring.dates else number_ticks(low, high, colouring.log)
        told = {"palette": SEQUENTIAL, "limits": [low, high], "log": colouring.log, "dates": colouring.dates, "ticks": ticks}
        beside = {"beyond": [bool((values < low).any()), bool((values > high).any())]}
    header |= told
    legend = blake2b(json.dumps(header).encode(), digest_size=8).hexdigest()
    return header | beside | {"legend": legend, "missing": int((colours == MISSING).sum())}, colours


def recoloured(recolour: Recolouring, colouring: Colouring) -> dict:
    """What the browser is told of labels for every value of a dial. order: which label of the colouring shown each one is."""
    labels, values = recolour.labels, list(recolour.values)
    if labels.shape != (len(values), len(colouring.values)):
        raise ValueError(f"labels must be ({len(values)}, {len(colouring.values)}), got {labels.shape}")
    order = []
    if recolour.at in values:
        same = labels[values.index(recolour.at)]
        order = names_kept(colouring.values, same, int(max(same.max(initial=0), colouring.values.max(initial=0))) + 1).tolist()
    return {"dial": recolour.dial, "at": recolour.at, "values": values, "order": order, "names": recolour.names}
