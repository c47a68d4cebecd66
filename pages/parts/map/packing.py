"""What goes to the browser: a JSON header and raw arrays in one run of bytes."""

import json
from collections.abc import Sequence

import numpy as np

from compress.coding.packing import pack_stream, width
from compress.sources.column_kinds import Categories, Dates, Numbers, Texts, Typed

NAME_BUDGET = 4_000_000  # characters for all names together
TEXT_BUDGET = 8_000_000  # and for all texts of other columns
LONGEST_NAME, SHORTEST_NAME = 80, 12
LONGEST_TEXT, SHORTEST_TEXT = 240, 16
TOP, MISSING = 253, 255  # the largest value of a point's colour, and none; 254 is the browser's, for a row that is left out


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


def quantised_values(values: np.ndarray, limits: tuple[float, float], log: bool) -> np.ndarray:
    """`values` (n,) as uint8: 0 at or under the lower limit, 253 at or above the upper one, 255 where there is no value."""
    values = np.asarray(values, dtype=np.float64)
    low, high = limits
    known = np.isfinite(values)
    if log:
        known &= values > 0
        values = np.log(values, where=known, out=np.zeros_like(values))
        low, high = np.log(low), np.log(high)
    steps = np.clip((np.where(known, values, low) - low) / ((high - low) or 1.0), 0, 1) * TOP
    return np.where(known, np.rint(steps), MISSING).astype(np.uint8)


def robust_limits(values: np.ndarray, log: bool) -> tuple[float, float]:
    """The 1st and 99th percentile of the finite `values` (n,), where `log` of the positive ones; (0, 1) or (1, 10) without any."""
    values = np.asarray(values, dtype=np.float64)
    values = values[np.isfinite(values) & ((values > 0) | (not log))]
    if not len(values):
        return (1.0, 10.0) if log else (0.0, 1.0)
    low, high = np.percentile(values, (1, 99))
    return float(low), float(high)


def joined_names(tokens: Sequence[str]) -> bytes:
    """`tokens` as UTF-8, one a line. Line breaks inside a token become ␤, and long tokens are cut, shorter the more there are."""
    return lines(tokens, int(np.clip(NAME_BUDGET // max(len(tokens), 1), SHORTEST_NAME, LONGEST_NAME)))


def lines(texts: Sequence[str], longest: int) -> bytes:
    """Texts as UTF-8, one a line, each cut to so many letters."""
    if max(map(len, texts), default=0) > longest:
        texts = [text if len(text) <= longest else text[: longest - 1] + "…" for text in texts]
    text = "\n".join(texts)
    if text.count("\n") != max(len(texts) - 1, 0):
        text = "\n".join(each.replace("\n", "␤") for each in texts)
    return text.encode("utf-8", "replace")


def packed_columns(columns: Sequence[Typed]) -> tuple[list[dict], list[bytes]]:
    """What is told of each column that is shown on hover, and its cells: codes of categories, numbers, seconds since 1970, or texts
    one a line, which are cut, shorter the more there are."""
    n_texts = sum(len(each.values) for each in columns if isinstance(each, Texts))
    longest = int(np.clip(TEXT_BUDGET // max(n_texts, 1), SHORTEST_TEXT, LONGEST_TEXT))
    headers, arrays = [], []
    for column in columns:
        kind, cells, names = packed_column(column, longest)
        header: dict = {"name": lines([column.name], LONGEST_NAME).decode(), "kind": kind}
        if isinstance(cells, np.ndarray):
            header |= {"width": cells.itemsize, "names": names}
            cells = cells.tobytes()
        headers.append(header)
        arrays.append(cells)
    return headers, arrays


def packed_column(column: Typed, longest: int) -> tuple[str, np.ndarray | bytes, list[str]]:
    """The kind of a column, its cells (n,), the largest code, NaN or an empty line for none, and the names of its codes."""
    if isinstance(column, Categories):
        names = lines(column.names, LONGEST_NAME).decode().split("\n")
        kind, none = (np.uint8, 255) if len(names) <= 255 else (np.uint16, 65535)
        return "category", np.where(column.codes < 0, none, column.codes).astype(kind), names
    if isinstance(column, Numbers):
        small = column.values.astype("<f4")
        exact = np.abs(column.values) < 2**24  # whole numbers that float32 holds
        fits = bool((exact | ~np.isfinite(column.values)).all())
        return "number", small if fits else column.values.astype("<f8"), []
    if isinstance(column, Dates):
        seconds = column.values.astype("datetime64[s]")
        return "date", np.where(np.isnat(seconds), np.nan, seconds.astype(np.int64)).astype("<f8"), []
    texts = [column.values[at : at + 1000] for at in range(0, len(column.values), 1000)]  # a lazy one gives them by slices
    return "text", lines([text[: longest + 1] for part in texts for text in part], longest), []
