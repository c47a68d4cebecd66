"""What goes to the browser: a JSON header and raw arrays in one run of bytes."""

import json

import numpy as np

from compress.coding.packing import pack_stream, width

NAME_BUDGET = 4_000_000  # characters for all names together
LONGEST_NAME, SHORTEST_NAME = 80, 12
MISSING = 255


def pack(header: dict, *arrays: bytes) -> bytes:
    """The JSON of `header`, then each of `arrays`, each after its length in bytes as a little-endian uint32."""
    parts = []
    for part in (json.dumps(header, separators=(",", ":")).encode(), *arrays):
        parts += [len(part).to_bytes(4, "little"), part]
    return b"".join(parts)


def frame(positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The lower and upper corner, each (2,), of the box that `positions` (n, 2) fill; a flat side is given some width."""
    if not len(positions):
        return np.zeros(2), np.ones(2)
    low, high = positions.min(axis=0), positions.max(axis=0)
    flat = high - low <= 0
    width = (high - low).max() or 1.0
    return np.where(flat, low - width / 2, low), np.where(flat, high + width / 2, high)


def quantised_positions(positions: np.ndarray, low: np.ndarray, high: np.ndarray) -> bytes:
    """`positions` (n, 2) as pairs of little-endian uint16, 0 at `low` and 65,535 at `high`."""
    return np.rint((positions - low) / (high - low) * 65535).astype("<u2").tobytes()


def packed_labels(labels: np.ndarray) -> tuple[list[int], list[bytes]]:
    """Each row of `labels` (m, n) in as few bits a label as its largest needs, from the lowest bit on; before them how many."""
    bits = [width(int(row.max(initial=0)) + 1) for row in labels]
    return bits, [pack_stream(row, wide).tobytes() for row, wide in zip(labels, bits, strict=True)]


def quantised_values(values: np.ndarray, limits: tuple[float, float], log: bool) -> bytes:
    """`values` (n,) as uint8: 0 at or under the lower limit, 254 at or above the upper one, 255 where there is no value."""
    values = np.asarray(values, dtype=np.float64)
    low, high = limits
    known = np.isfinite(values)
    if log:
        known &= values > 0
        values = np.log(values, where=known, out=np.zeros_like(values))
        low, high = np.log(low), np.log(high)
    steps = np.clip((np.where(known, values, low) - low) / ((high - low) or 1.0), 0, 1) * 254
    return np.where(known, np.rint(steps), MISSING).astype(np.uint8).tobytes()


def robust_limits(values: np.ndarray, log: bool) -> tuple[float, float]:
    """The 1st and 99th percentile of the finite `values` (n,), where `log` of the positive ones; (0, 1) or (1, 10) without any."""
    values = np.asarray(values, dtype=np.float64)
    values = values[np.isfinite(values) & ((values > 0) | (not log))]
    if not len(values):
        return (1.0, 10.0) if log else (0.0, 1.0)
    low, high = np.percentile(values, (1, 99))
    return float(low), float(high)


def joined_names(tokens) -> bytes:
    """`tokens` as UTF-8, one a line. Line breaks inside a token become ␤, and long tokens are cut, shorter the more there are."""
    longest = int(np.clip(NAME_BUDGET // max(len(tokens), 1), SHORTEST_NAME, LONGEST_NAME))
    text = "\n".join(tokens)
    if text.count("\n") != max(len(tokens) - 1, 0):
        tokens = [token.replace("\n", "␤") for token in tokens]
    if max(map(len, tokens), default=0) > longest:
        tokens = [token if len(token) <= longest else token[: longest - 1] + "…" for token in tokens]
    return "\n".join(tokens).encode("utf-8", "replace")
