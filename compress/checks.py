"""Bounds of settings: what is outside is named with its bounds and what was given."""

import math
from collections.abc import Callable, Sequence
from dataclasses import field, fields
from functools import cache
from typing import Any


def whole(name: str, value: Any, low: int, high: float = math.inf, because: str = "") -> None:
    """Raises ValueError unless the setting is a whole number between the bounds."""
    bounds = f"between {low} and {high}" if high < math.inf else f"at least {low}"
    because = f" ({because})" if because else ""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"{name} must be a whole number {bounds}{because}, got {value!r}")


def real(name: str, value: Any, low: float, high: float) -> None:
    """Raises ValueError unless the setting is a number between the bounds."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ValueError(f"{name} must be a number between {low:g} and {high:g}, got {value!r}")


def one_of(name: str, value: Any, choices: Sequence[Any]) -> None:
    """Raises ValueError unless the setting is one of the choices, and of their type."""
    if not any(type(value) is type(choice) and value == choice for choice in choices):
        raise ValueError(f"{name} must be one of {', '.join(str(choice) for choice in choices)}, got {value!r}")


def setting(default: Any, check: Callable[..., None], *bounds: Any) -> Any:
    """A field of a dataclass with its check, as `j: int = setting(60, whole, 1)`; a None that is the default passes."""
    return field(default=default, metadata={"check": check, "bounds": bounds})


def random_seed() -> Any:
    """The setting that random choices come from."""
    return setting(0, whole, 0, 2**32 - 1)


def check_fields(record: Any) -> None:
    """Raises ValueError at the first field of a dataclass that its check does not take, see `setting`."""
    kind: Any = type(record)
    for name, check, bounds, optional in checks_of(kind):
        value = getattr(record, name)
        if not (optional and value is None):
            check(name, value, *bounds)


@cache
def checks_of(kind: type) -> list[tuple[str, Callable[..., None], tuple, bool]]:
    """The fields of a dataclass that have a check: name, check, bounds, and whether None passes."""
    own = [each for each in fields(kind) if "check" in each.metadata]
    return [(each.name, each.metadata["check"], each.metadata["bounds"], each.default is None) for each in own]
