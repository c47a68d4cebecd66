"""Sequences of a trellis code read number after number, compiled: into their levels, or straight into products with vectors.

Bits are taken from 64 of them that are loaded for a group of numbers at once, so that no number looks for its place.
"""

from typing import Any

import numpy as np
from numba import njit

from compress.coding.trellis_code import GROUP, HASH_BITS

Whole = np.uint64  # of indices too: others are asked whether they count from the end


@njit(nogil=True, cache=True)
def word(stream: Any, at: Any) -> Any:
    """The bits of a stream from bit `at` on, 57 or more, or all that there are. stream: words that begin at every byte."""
    first = min(at >> Whole(3), Whole(len(stream) - 1))
    return Whole(stream[first]) >> (at - (first << Whole(3)))


@njit(nogil=True, cache=True)
def read_sequence(stream: Any, extra_stream: Any, at: Any, extra_at: Any, places: Any, fields: Any, tables: Any, out: Any) -> None:
    """Fills out (m,) with the levels of the sequence that begins at those bits of the streams. places (groups, 2) and fields (m, 5)
    of its class: see `Schedule.groups`. tables: the hashes, the levels, and the mask of a state."""
    hashes, levels, mask = tables
    for group in range(len(places)):
        bits = word(stream, at + Whole(places[group, 0]))
        own = word(extra_stream, extra_at + Whole(places[group, 1])) << Whole(HASH_BITS)
        for each in range(GROUP):
            i = Whole(group) * Whole(GROUP) + Whole(each)
            state = (bits >> Whole(fields[i, 0] & Whole(63))) & mask
            upper = (own >> Whole(fields[i, 1] & Whole(63))) & Whole(fields[i, 2])
            out[i] = levels[Whole(fields[i, 4]) + Whole(hashes[Whole(fields[i, 3]) + state]) + upper]


@njit(nogil=True, cache=True)
def read_rows(
    streams: Any, starts: Any, extra_starts: Any, labels: Any, places: Any, fields: Any, tables: Any, levels: Any
) -> None:
    """Fills levels (r, m) with those of the sequences that begin at bits starts, extra_starts (r,), of classes labels (r,)."""
    row = np.empty(fields.shape[1], np.float32)
    for r in range(len(starts)):
        z = labels[r]
        read_sequence(streams[0], streams[1], Whole(starts[r]), Whole(extra_starts[r]), places[z], fields[z], tables, row)
        for i in range(levels.shape[1]):
            levels[r, i] = row[i]


@njit(nogil=True, fastmath=True, cache=True)
def multiply_rows(
    streams: Any,
    starts: Any,
    extra_starts: Any,
    labels: Any,
    places: Any,
    fields: Any,
    tables: Any,
    vectors: Any,
    constants: Any,
    products: Any,
) -> None:
    """Fills products (r, v) with those of such sequences' levels with the vectors (c, v, m) of their classes, plus their constants
    (c, v)."""
    row = np.empty(fields.shape[1], np.float32)
    for r in range(len(starts)):
        z = labels[r]
        read_sequence(streams[0], streams[1], Whole(starts[r]), Whole(extra_starts[r]), places[z], fields[z], tables, row)
        for v in range(vectors.shape[1]):
            vector, total = vectors[z, v], np.float32(0)
            for i in range(len(row)):
                total += row[i] * vector[i]
            products[r, v] = total + constants[z, v]
