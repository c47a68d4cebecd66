"""Bounds of settings: what is outside is named with its bounds and what was given."""

import math


def whole(name: str, value, low: int, high: int | float = math.inf, because: str = "") -> None:
    """Raises ValueError unless the setting is a whole number between the bounds."""
    bounds = f"between {low} and {high}" if high < math.inf else f"at least {low}"
    because = f" ({because})" if because else ""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"{name} must be a whole number {bounds}{because}, got {value!r}")


def real(name: str, value, low: float, high: float) -> None:
    """Raises ValueError unless the setting is a number between the bounds."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ValueError(f"{name} must be a number between {low:g} and {high:g}, got {value!r}")


def one_of(name: str, value, choices) -> None:
    """Raises ValueError unless the setting is one of the choices, and of their type."""
    if not any(type(value) is type(choice) and value == choice for choice in choices):
        raise ValueError(f"{name} must be one of {', '.join(str(choice) for choice in choices)}, got {value!r}")
