"""The best path through a trellis, by dynamic programming, compiled."""

from typing import Any

import numpy as np
from numba import njit


@njit(nogil=True, cache=True)
def around(number: Any, scale: Any, levels: Any, count: int) -> tuple[int, int]:
    """Between which of the first `count` extra bits the nearest level is, for every hash: levels (2^e, hashes) rise with them, and
    each lies between the ends of its part of the density."""
    low, high = 0, count
    while low < high:  # the first whose lowest level is beyond the number
        middle = (low + high) // 2
        if scale * levels[middle, 0] > number:
            high = middle
        else:
            low = middle + 1
    return max(low - 2, 0), min(low + 2, count)


@njit(nogil=True, fastmath=True, cache=True)
def viterbi(
    numbers: Any,
    labels: Any,
    kinds: Any,
    scales: Any,
    moves: Any,
    extra: Any,
    hashes: Any,
    table: Any,
    window: int,
    symbols: Any,
) -> None:
    """Fills symbols (n, m) int32 with the states, and above them the extra bits, of the path that comes closest to numbers (n, m).

    labels: (n,) class of each sequence. kinds, scales: (c, m). moves, extra: by kind. hashes: (kinds, states) of each state.
    table: (e, 2^e, hashes) levels for each number of extra bits. The sequences are one path, which
    begins and ends in state 0; a bit enters the state at the top.
    """
    n, m = numbers.shape
    states = 1 << window
    half = states >> 1
    cost, least = np.full(states, np.float32(1e30)), np.empty(half, np.float32)
    cost[0] = 0
    near = np.empty(table.shape[2], np.float32)
    older = np.empty((n, m, half), np.uint8)
    for row in range(n):
        z = labels[row]
        for i in range(m):
            kind = kinds[z, i]
            if kind == 0:
                continue
            number, scale = numbers[row, i], scales[z, i]
            near[:] = np.float32(1e30)
            first, last = around(number, scale, table[extra[kind]], 1 << extra[kind])
            for own in range(first, last):
                levels = table[extra[kind], own]
                for h in range(len(near)):
                    away = number - scale * levels[h]
                    near[h] = min(near[h], away * away)
            hashed = hashes[kind]
            if moves[kind]:
                bits = older[row, i]
                for s in range(half):
                    one, other = cost[2 * s], cost[2 * s + 1]
                    bits[s] = other < one
                    least[s] = min(one, other)
                for s in range(half):
                    cost[s] = least[s] + near[hashed[s]]
                for s in range(half):
                    cost[half + s] = least[s] + near[hashed[half + s]]
            else:
                for s in range(states):
                    cost[s] += near[hashed[s]]
        lowest = cost.min()
        for s in range(states):
            cost[s] -= lowest
    state = 0
    for row in range(n - 1, -1, -1):
        z = labels[row]
        for i in range(m - 1, -1, -1):
            kind = kinds[z, i]
            if kind == 0:
                continue
            best, which = np.float32(1e30), 0
            first, last = around(numbers[row, i], scales[z, i], table[extra[kind]], 1 << extra[kind])
            for own in range(first, last):
                away = numbers[row, i] - scales[z, i] * table[extra[kind], own, hashes[kind, state]]
                if away * away < best:
                    best, which = away * away, own
            symbols[row, i] = which << window | state
            if moves[kind]:
                state = (state & (half - 1)) << 1 | older[row, i, state & (half - 1)]
