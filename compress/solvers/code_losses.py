"""How far a decoded row is from its row: squared distance, and a bound above it that minds the direction more."""

from typing import Any

from array_api_compat import array_namespace

SHARPNESS = 1.0


def recalibrate(turn: Any) -> Any:
    """φ(t) = t (1 + t) for t = 1 − cos, between 0 and 2: rising, and nowhere below t. LightToken's own φ is not public; this one is
    ours."""
    return turn * (1 + SHARPNESS * turn)


def euclidean(inner: Any, squared: Any, own: Any) -> Any:
    """‖x − x̂‖² of rows from x·x̂, ‖x̂‖² and ‖x‖²; numpy arrays or torch tensors."""
    return own - 2 * inner + squared


def directional(inner: Any, squared: Any, own: Any) -> Any:
    """(‖x‖ − ‖x̂‖)² + 2 ‖x‖ ‖x̂‖ φ(1 − cos) from the same: with φ(t) = t it is the squared distance, so it bounds that from
    above."""
    sizes = product(squared, own)
    turn = turn_of(inner, sizes)
    return own + squared - 2 * sizes + 2 * sizes * recalibrate(turn)


def turn_of(inner: Any, sizes: Any) -> Any:
    """1 − cos, 0 where a row is zero."""
    xp = array_namespace(inner)
    known = sizes > 1e-30
    turn = xp.where(known, 1 - inner / xp.where(known, sizes, xp.ones_like(sizes)), xp.zeros_like(sizes))
    return xp.clip(turn, 0.0, 2.0)  # rounding would leave that range where a row is all but zero


def product(squared: Any, own: Any) -> Any:
    """‖x‖ ‖x̂‖."""
    xp = array_namespace(squared)
    return (xp.maximum(squared * own, 1e-38 * xp.ones_like(own))) ** 0.5


LOSSES = {"euclidean": euclidean, "direction": directional}
