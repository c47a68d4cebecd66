"""Trellis-coded quantization: sequences of numbers in a few bits each, or in less than one, each sequence readable anywhere.

The bits of a sequence run past a window of the last log₂(states) of them. What stands in the window, the state, chooses 2^e levels
for the number at hand, and e bits of the number's own choose among those. Both are look-ups, so nothing is decoded in order; the
encoder finds the best bits by dynamic programming over the states. Nothing is stored beside the bits: the levels are quantiles of
a normal density. (Marcellin and Fischer, Trellis Coded Quantization, 1990; windows of bits as states as in Tseng et al., QTIP,
2024; the hashes of states and the kinds below one bit are ours.)
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import import_module
from os import cpu_count
from sys import modules
from types import ModuleType
from typing import Any

import numpy as np
from array_api_compat import array_namespace, device

from compress.coding import packing

# A number's kind says what it costs: 0 nothing, it is left out; 1 to PHASES less than one bit, kind 1 moves the window by a bit and
# the others use the window again; then for e = 1, 2, … extra bits three kinds: with a bit of the window each, or with one for two.
PHASES = 6
MOST_EXTRA = 9
EXTRA = np.array([0] * (1 + PHASES) + [e for e in range(1, MOST_EXTRA + 1) for _ in range(3)])
MOVES = np.array([0, 1] + [0] * (PHASES - 1) + [1, 1, 0] * MOST_EXTRA)
HASH = np.array([0, *range(PHASES)] + [0, 0, 1] * MOST_EXTRA)  # which hash of the state a kind looks at
KINDS = len(EXTRA)

HASH_BITS = 6
GUARD = 2  # bytes before a stream, for the window of its first number
EVERY = 64  # sequences of which the first is known where it begins
AT_ONCE = 8192  # numbers that are coded as one sequence
GROUP = 6  # numbers whose bits are loaded at once: 6 · MOST_EXTRA of their own are less than a word's 57
MANY = 1 << 20  # numbers that are worth loading what is compiled
SPANS = 16  # that many rows are read in, for idle cores
SEEDS = {256: (78, 263, 217, 270, 271, 272), 1024: (149, 263, 219, 220, 221, 222), 4096: (41, 220, 206, 217, 218, 219)}
HIGHEST_RATE = MOST_EXTRA + 1
LOWEST_RATE = 1 / PHASES


@cache
def hashes(states: int) -> np.ndarray:
    """(PHASES, states) uint8: parities of some bits of the window, chosen at random by seeds that were found to code normal
    numbers well."""
    state = np.arange(states)
    out = np.zeros((PHASES, states), np.uint8)
    for number, seed in enumerate(SEEDS[states]):
        for bit, mask in enumerate(masks(seed, states)):
            out[number] |= (np.bitwise_count(state & mask) & 1) << bit
    return out


def masks(seed: int, states: int) -> list[int]:
    """HASH_BITS numbers from 1 to states − 1 (SplitMix64, Steele, Lea and Flood 2014)."""
    found: list[int] = []
    x = seed * 7919
    while len(found) < HASH_BITS:
        x = (x + 0x9E3779B97F4A7C15) % 2**64
        z = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB % 2**64
        mask = (z ^ (z >> 31)) >> (65 - states.bit_length())
        if mask:
            found.append(mask)
    return found


def rounded_rates(rates: np.ndarray) -> np.ndarray:
    """The rates that there are kinds for, in bits a number: 0, anything from LOWEST_RATE to 1, and halves up to HIGHEST_RATE."""
    halves = np.clip(np.round(2 * rates) / 2, 1, HIGHEST_RATE)
    return np.where(rates < LOWEST_RATE, 0, np.where(rates < 1, rates, halves))


def kinds_at(rates: np.ndarray) -> np.ndarray:
    """(c, m) uint8 kinds that come to the rounded rates (c, m), never above them in sum over a sequence."""
    kinds = np.zeros(rates.shape, np.uint8)
    for sequence, row in zip(kinds, rates, strict=True):
        owed, phase = 0.0, 0
        for i in np.flatnonzero(row):
            extra = max(0, int(np.ceil(row[i])) - 1)
            owed += row[i] - extra
            moves = owed >= 1 - 1e-9
            owed -= moves
            phase = 0 if moves else min(phase + 1, PHASES - 1)
            if extra:
                sequence[i] = 1 + PHASES + 3 * (extra - 1) + (0 if row[i] == extra + 1 else 1 if moves else 2)
            else:
                sequence[i] = 1 + phase
    return kinds


@dataclass(frozen=True, eq=False)
class Schedule:
    """Where the bits of each number lie in the two streams, of bits that move the window and of extra bits. kinds: (c, m), for c
    classes of sequences of m numbers. The window of a sequence's first numbers reaches back into the sequence before."""

    kinds: np.ndarray
    states: int

    @property
    def window(self) -> int:
        return self.states.bit_length() - 1

    @cached_property
    def extra(self) -> np.ndarray:
        """(c, m) bits of a number's own."""
        return EXTRA[self.kinds]

    @cached_property
    def ends(self) -> np.ndarray:
        """(c, m) where a number's window ends, in bits from the start of its sequence."""
        return np.cumsum(MOVES[self.kinds], axis=1)

    @cached_property
    def extra_ends(self) -> np.ndarray:
        """(c, m) where its own bits end."""
        return np.cumsum(self.extra, axis=1)

    @cached_property
    def lengths(self) -> np.ndarray:
        """(2, c) bits of a sequence in either stream."""
        return np.stack([self.ends[:, -1], self.extra_ends[:, -1]])

    @cached_property
    def tables(self) -> tuple[np.ndarray, ...]:
        """What `read` looks up, by class: the bits of a number's state, what its kind adds to a place among the levels; those
        places and the numbers that have bits of their own; by class again the bits of these and their masks; the levels."""
        own = np.flatnonzero(self.extra.any(axis=0))
        return (
            self.ends + 8 * GUARD - self.window,
            self.kinds * np.int64(self.states),
            level_places(self.states),
            own,
            (self.extra_ends - self.extra)[:, own],
            (1 << self.extra[:, own]) - 1,
            levels(),
        )

    @cached_property
    def groups(self) -> tuple[Any, ...]:
        """What trellis_reader.py looks up: by class and group the bits at which its numbers begin in either stream, (c, groups, 2);
        by class and number (c, m, 5) how far behind it begins in these, the mask of its own bits above a hash, where the hashes
        of its kind begin, and its levels; at last the hashes, the levels, and the mask of a state."""
        kinds = np.pad(self.kinds, ((0, 0), (0, -self.kinds.shape[1] % GROUP)))
        ends, extra_ends, extra = np.cumsum(MOVES[kinds], axis=1), np.cumsum(EXTRA[kinds], axis=1), EXTRA[kinds]
        begins = np.stack([ends + 8 * GUARD - self.window, extra_ends - extra], axis=2)  # (c, m, 2)
        places = begins[:, ::GROUP]
        levels_at = np.where(kinds > 0, LEVELS_AT[extra], len(levels()) - (1 << HASH_BITS))
        own = [((1 << extra) - 1) << HASH_BITS, HASH[kinds] * self.states, levels_at]
        fields = np.concatenate([begins - np.repeat(places, GROUP, axis=1), np.stack(own, axis=2)], axis=2)
        tables = hashes(self.states).ravel(), levels(), np.uint64(self.states - 1)
        return places.astype(np.uint32), fields.astype(np.uint32), tables

    def pack(self, symbols: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The two streams of sequences (n, m) of some classes, one after another: bits as uint8 of 0 and 1."""
        lengths = self.lengths[:, labels]
        starts, extra_starts = np.cumsum(lengths, axis=1) - lengths
        bits, extra_bits = (np.zeros(int(total), np.uint8) for total in lengths.sum(axis=1))
        for z in np.unique(labels):
            members = np.flatnonzero(labels == z)
            for i in np.flatnonzero(self.kinds[z]):
                symbol, own = symbols[members, i], self.extra[z, i]
                if MOVES[self.kinds[z, i]]:
                    bits[starts[members] + self.ends[z, i] - 1] = (symbol >> (self.window - 1)) & 1
                for bit in range(own):
                    at = extra_starts[members] + self.extra_ends[z, i] - own + bit
                    extra_bits[at] = (symbol >> (self.window + bit)) & 1
        return bits, extra_bits


@dataclass(frozen=True, eq=False)
class Starts:
    """At which bit each of many sequences begins, known of every EVERY-th and counted from there when it is asked for, so that it
    takes little memory. labels: (n,) of classes. lengths: (c,) bits. known: (⌈n / EVERY⌉,)."""

    labels: np.ndarray
    lengths: np.ndarray
    known: np.ndarray

    @classmethod
    def of(cls, labels: np.ndarray, lengths: np.ndarray) -> "Starts":
        """Those of sequences of some classes, one after another."""
        sums = [
            np.add.reduceat(own, np.arange(0, len(own), EVERY))
            for own in (lengths[labels[at : at + (EVERY << 10)]] for at in range(0, len(labels), EVERY << 10))
        ]
        known = np.cumsum(np.concatenate(sums))
        return cls(labels, lengths, np.concatenate([[0], known[:-1]]))

    @property
    def shape(self) -> tuple[int]:
        return self.labels.shape

    def __getitem__(self, rows: Any) -> np.ndarray:
        """Of those sequences, (r,) int64."""
        if isinstance(rows, slice):
            first, stop, _ = rows.indices(len(self.labels))
            begun = first // EVERY
            own = self.lengths[self.labels[begun * EVERY : stop]]
            return (self.known[begun] + np.cumsum(own) - own)[first - begun * EVERY :]
        rows = np.asarray(rows)
        if len(rows) > 1 and 0 <= rows[-1] - rows[0] == len(rows) - 1 and (np.diff(rows) == 1).all():
            return self[int(rows[0]) : int(rows[-1]) + 1]
        begun = rows // EVERY
        beside = begun[:, None] * EVERY + np.arange(EVERY)  # (r, EVERY)
        before = beside < rows[:, None]
        own = self.lengths[self.labels[np.minimum(beside, len(self.labels) - 1)]]
        return self.known[begun] + np.where(before, own, 0).sum(axis=1)

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return self[:]


@cache
def levels() -> np.ndarray:
    """The levels for every number of extra bits e, one after another from LEVELS_AT[e]: 2^e times 2^HASH_BITS of them, quantiles of
    a normal density in as many equal parts. The lowest two bits of the hash shift a quantile the most. Zeros after them all."""
    from scipy.special import ndtri

    hashed = np.arange(1 << HASH_BITS)
    shift = ((hashed & 3) + ((hashed >> 2) + 0.5) / (1 << HASH_BITS - 2)) / 4
    found = [ndtri((np.arange(1 << e)[:, None] + shift) / (1 << e)).ravel() for e in range(MOST_EXTRA + 1)]
    return np.concatenate([*found, np.zeros(1 << HASH_BITS)]).astype(np.float32)


LEVELS_AT = (2 ** np.arange(MOST_EXTRA + 1) - 1) << HASH_BITS


@cache
def level_places(states: int) -> np.ndarray:
    """(KINDS · states,) where among the levels the first is that a kind of number has in a state; for what is left out, a 0 after
    them all."""
    places = LEVELS_AT[EXTRA][:, None] + hashes(states)[HASH]
    places[0] = LEVELS_AT[-1] + (1 << HASH_BITS + MOST_EXTRA)
    return places.ravel()


def spread(rates: np.ndarray) -> np.ndarray:
    """What the levels are to be multiplied by for numbers of variance 1 at those rates: an ideal code's variance is less by its
    error, and levels a little wide do better where there are many (measured on normal numbers)."""
    return np.sqrt(1 - 4.0**-rates) * (1 + 0.05 * np.clip(rates - 1, 0, 4))


def reach(rates: np.ndarray) -> np.ndarray:
    """How far from 0 the levels of those rates go, before they are multiplied; 0 where nothing is kept."""
    from scipy.special import ndtri

    parts = 2.0 ** np.maximum(np.ceil(rates) - 1, 0)  # of the density, each with levels of its own
    return np.where(rates > 0, ndtri(1 - 2.0 ** -(HASH_BITS + 1) / parts), 0)


def read(stream: Any, extra_stream: Any, starts: Any, extra_starts: Any, labels: Any, schedule: Schedule) -> Any:
    """The levels of sequences that begin at bits (r,) of the two streams, of classes `labels` (r,): (r, m) float32, 0 where a
    number is left out; numpy arrays or torch tensors. The first stream begins with GUARD bytes more, of zeros."""
    xp = array_namespace(stream)
    size = starts.shape[0], schedule.kinds.shape[1]
    if at_hand(stream) and (reader := compiled(size[0] * size[1])):
        found = np.empty(size, np.float32)
        read_in_spans(reader.read_rows, (stream, extra_stream, starts, extra_starts, labels), schedule, (), found)
        return xp.asarray(found)
    tables = [xp.asarray(array, device=device(stream)) for array in schedule.tables]
    ends, kinds, places, own, extra_at, masks, heights = tables
    state = packing.read_bits(stream, starts[:, None] + ends[labels], schedule.window)
    entry = places[kinds[labels] + state]
    if own.shape[0]:
        bits = packing.read_bits(extra_stream, extra_starts[:, None] + extra_at[labels], MOST_EXTRA)
        entry[:, own] += (bits & masks[labels]) << HASH_BITS
    return heights[entry]


def multiply(
    stream: Any,
    extra_stream: Any,
    starts: Any,
    extra_starts: Any,
    labels: Any,
    schedule: Schedule,
    vectors: np.ndarray,
    constants: np.ndarray,
) -> np.ndarray | None:
    """The products (r, v) float32 of the levels of such sequences with the vectors (c, v, m) of their classes, plus their constants
    (c, v), without the levels in memory; None where what does so is not there, or not worth loading."""
    reader = compiled(starts.shape[0] * vectors.shape[2])
    if not reader:
        return None
    padded = np.pad(vectors, ((0, 0), (0, 0), (0, -vectors.shape[2] % GROUP)))
    found = np.empty((starts.shape[0], vectors.shape[1]), np.float32)
    sequences = stream, extra_stream, starts, extra_starts, labels
    read_in_spans(reader.multiply_rows, sequences, schedule, (padded, constants), found)
    return found


def read_in_spans(kernel: Callable, sequences: Sequence, schedule: Schedule, others: tuple, found: np.ndarray) -> None:
    """Runs a kernel of trellis_reader.py over sequences, on every core where they are many."""
    stream, extra_stream, starts, extra_starts, labels = map(np.asarray, sequences)
    streams = words(stream), words(extra_stream)

    def run(rows: slice) -> None:
        kernel(streams, starts[rows], extra_starts[rows], labels[rows], *schedule.groups, *others, found[rows])

    in_spans(run, len(found), len(found) * schedule.kinds.shape[1])


def in_spans(run: Callable[[slice], None], count: int, numbers: int) -> None:
    """Runs it over `count` rows, on every core where their numbers are many."""
    step = -(-count // SPANS)
    if numbers < MANY:
        run(slice(None))
    else:
        with ThreadPoolExecutor(cpu_count()) as pool:
            list(pool.map(run, (slice(first, first + step) for first in range(0, count, step))))


def words(stream: np.ndarray) -> np.ndarray:
    """The words of 8 bytes that begin at every byte of a stream but the last seven, in place; of a shorter one, with zeros."""
    if len(stream) < 8:
        stream = np.pad(stream, (0, 8 - len(stream)))
    found = np.ndarray(len(stream) - 7, "<u8", np.ascontiguousarray(stream), strides=(1,))
    found.flags.writeable = False
    return found


def compiled(numbers: int, reader: str = "trellis_reader") -> ModuleType | None:
    """That file of this folder, if so many numbers are worth what it takes to load it, or it is loaded; None where numba is not
    there, or has no place for what it compiles."""
    name = f"compress.coding.{reader}"
    if numbers < MANY and name not in modules:
        return None
    try:
        return import_module(name)
    except (ImportError, RuntimeError):
        return None


def at_hand(array: Any) -> bool:
    """Whether an array's numbers are there to be read: NumPy's, or those of a torch tensor on the CPU outside of graphs."""
    if isinstance(array, np.ndarray):
        return True
    import torch

    traced = torch.compiler.is_compiling() or torch.jit.is_tracing()
    return type(array) is torch.Tensor and array.device.type == "cpu" and not traced


def encode(numbers: np.ndarray, labels: np.ndarray, scales: np.ndarray, schedule: Schedule) -> np.ndarray:
    """The symbols, state and above it the extra bits, of the sequences (n, m) that come closest to the numbers: (n, m) int32.

    labels: (n,) class of each sequence. scales: (c, m) by which the levels are multiplied. Some sequences at a time are coded as
    one; each time the window begins and ends as zeros. Runs on every core.
    """
    from compress.coding.viterbi import viterbi

    most = int(schedule.extra.max())
    table = np.zeros((most + 1, 1 << most, 1 << HASH_BITS), np.float32)
    for e in range(most + 1):
        table[e, : 1 << e] = levels()[LEVELS_AT[e] :][: 1 << (HASH_BITS + e)].reshape(-1, 1 << HASH_BITS)
    symbols = np.zeros(numbers.shape, np.int32)
    unit = np.float32(max(scales.max(initial=0), 1e-30))  # costs are sums of squares, which must not overflow
    numbers = numbers / unit
    fixed = schedule.kinds, scales / unit, MOVES, EXTRA, hashes(schedule.states)[HASH], table, schedule.window

    step = max(1, AT_ONCE // numbers.shape[1])

    def code(first: int) -> None:
        rows = slice(first, first + step)
        viterbi(numbers[rows], labels[rows], *fixed, symbols[rows])

    with ThreadPoolExecutor(cpu_count()) as pool:
        list(pool.map(code, range(0, len(numbers), step)))
    return symbols


def levels_of(symbols: np.ndarray, labels: np.ndarray, schedule: Schedule) -> np.ndarray:
    """The levels of symbols, as `read` gives them from their bits: (n, m) float32."""
    state, own = symbols & (schedule.states - 1), symbols >> schedule.window
    places = level_places(schedule.states)[(schedule.kinds * np.int64(schedule.states))[labels] + state]
    return levels()[places + (own << HASH_BITS)]
