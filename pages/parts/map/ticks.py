"""Ticks of a colour scale: round numbers, or dates that a calendar parts by."""

import math
from datetime import UTC, datetime, timedelta

MOST = 5  # ticks, about
STEPS = (1, 2, 5)  # times a power of ten
MINUTE, HOUR, DAY = 60, 3600, 86400
CLOCK = (1, 2, 5, 10, 30, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR)  # seconds
DAYS, MONTHS = (1, 2, 5, 10), (1, 2, 3, 6)
Tick = tuple[float, str]  # its place from 0 to 1, and what stands there


def number_ticks(low: float, high: float, log: bool) -> list[Tick]:
    """Between two limits, which have a tick each where they are equal."""
    if not low < high:
        return [(0.0, short(low))]
    if not log:
        step = rounded_up((high - low) / MOST)
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        return [((at * step - low) / (high - low), short(at * step, step)) for at in range(first, last + 1)]
    decades = range(math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9) + 1)
    every = max(1, math.ceil(len(decades) / MOST))
    return [(math.log(10.0**at / low) / math.log(high / low), short(10.0**at)) for at in decades if at % every == 0]


def rounded_up(step: float) -> float:
    """The least 1, 2 or 5 times a power of ten that is as large."""
    power = 10.0 ** math.floor(math.log10(step))
    return next((each * power for each in STEPS if each * power >= step * (1 - 1e-9)), 10 * power)


def short(value: float, step: float | None = None) -> str:
    """A number in a few letters. step: from one tick to the next."""
    if value and not 1e-4 <= abs(value) < 1e7:
        return f"{value:.3g}"
    digits = max(0, -math.floor(math.log10(step) + 1e-9)) if step else 0
    return f"{value:.{digits}f}" if step or value == round(value) else f"{value:.4g}"


def date_ticks(low: float, high: float) -> list[Tick]:
    """Between two limits in seconds since 1970, UTC: at years, months, days or hours."""
    if not low < high:
        return [(0.0, written(low, "%Y-%m-%d"))]
    ticks, pattern = calendar(low, high)
    return [((at - low) / (high - low), written(at, pattern)) for at in ticks if low <= at <= high]


def calendar(low: float, high: float) -> tuple[list[float], str]:
    """Seconds at which a calendar's round dates between the limits, or just beside them, lie; and how they are written."""
    step = (high - low) / MOST
    if step >= 365 * DAY:
        every = max(1, round(rounded_up(step / (365.25 * DAY))))
        first, last = year_of(low) // every * every, year_of(high)
        return [seconds(year) for year in range(first, last + 1, every)], "%Y"
    if step >= 20 * DAY:
        every = next((each for each in MONTHS if each * 31 * DAY >= step), 12)
        months = range(12 * year_of(low), 12 * (year_of(high) + 1), every)
        return [seconds(at // 12, at % 12 + 1) for at in months], "%Y-%m"
    steps = [*CLOCK, *(each * DAY for each in DAYS)]
    every = next((each for each in steps if each >= step), steps[-1])
    first = math.floor(low / every) * every
    return [first + at * every for at in range(math.ceil((high - first) / every) + 1)], "%m-%d" if every >= DAY else "%d %H:%M"


def year_of(at: float) -> int:
    return moment(at).year


def moment(at: float) -> datetime:
    """Within the years that Python's calendar has."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=min(max(at, seconds(1)), seconds(9999)))


def seconds(year: int, month: int = 1) -> float:
    return (datetime(min(max(year, 1), 9999), month, 1, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()


def written(at: float, pattern: str) -> str:
    return moment(at).strftime(pattern)
