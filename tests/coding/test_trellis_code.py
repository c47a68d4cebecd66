"""The trellis: what is read is what was chosen, in the bits that were asked for, and close to what theory allows."""

import itertools
import sys

import numpy as np
import pytest
import torch

from compress.coding.trellis_code import (
    AT_ONCE,
    EXTRA,
    GUARD,
    HIGHEST_RATE,
    LOWEST_RATE,
    MOVES,
    SEEDS,
    Schedule,
    encode,
    hashes,
    kinds_at,
    levels,
    levels_of,
    masks,
    multiply,
    read,
    rounded_rates,
    spread,
)
from compress.coding.viterbi import around

RATES = [LOWEST_RATE, 0.25, 0.4, 0.5, 0.8, 1.0, 1.5, 2.0, 3.0, 4.5, HIGHEST_RATE]


def coded(numbers, rates, states=256, labels=None):
    """Symbols, labels, scales and schedule of normal numbers (n, m) at rates (c, m)."""
    labels = np.zeros(len(numbers), np.int64) if labels is None else labels
    schedule = Schedule(kinds_at(rates), states)
    scales = spread(rates).astype(np.float32)
    return encode(numbers, labels, scales, schedule), labels, scales, schedule


def streams_of(symbols, labels, schedule):
    """The two packed streams and where each sequence begins in them."""
    bits, extra_bits = schedule.pack(symbols, labels)
    lengths = schedule.lengths[:, labels]
    packed = np.packbits(np.concatenate([np.zeros(8 * GUARD, np.uint8), bits]), bitorder="little")
    return packed, np.packbits(extra_bits, bitorder="little"), *(np.cumsum(lengths, axis=1) - lengths)


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("states", SEEDS)
@pytest.mark.parametrize("rate", RATES)
def test_what_is_read_from_the_bits_is_what_the_encoder_chose(states, rate):
    rates = np.stack([np.full(50, rate), rounded_rates(np.linspace(rate, 0, 50)), rounded_rates(np.linspace(0, 5, 50))])
    labels = np.arange(40) % 3
    symbols, labels, _, schedule = coded(normal(40, 50), rates, states, labels)
    chosen = levels_of(symbols, labels, schedule)
    stream, extra, starts, extra_starts = streams_of(symbols, labels, schedule)
    assert np.array_equal(read(stream, extra, starts, extra_starts, labels, schedule), chosen)
    some = np.array([39, 0, 7, 7, 20])
    asked = stream, extra, starts[some], extra_starts[some], labels[some]
    assert np.array_equal(read(*asked, schedule), chosen[some])
    assert np.array_equal(read(*map(torch.from_numpy, asked), schedule).numpy(), chosen[some])


@pytest.mark.parametrize("states", SEEDS)
@pytest.mark.parametrize("width", [1, 6, 50])
@pytest.mark.parametrize("rate", [LOWEST_RATE, 0.8, 4.5, HIGHEST_RATE])
def test_what_is_compiled_reads_and_multiplies_the_same_levels(monkeypatch, states, width, rate):
    rates = np.stack([np.full(width, rate), rounded_rates(np.linspace(0, 2 * rate, width))])
    symbols, labels, _, schedule = coded(normal(40, width), rates, states, np.arange(40) % 2)
    asked, vectors, constants = (*streams_of(symbols, labels, schedule), labels, schedule), normal(2, 3, width), normal(2, 3)
    monkeypatch.setattr("compress.coding.trellis_code.modules", {})
    plain = read(*asked)
    assert multiply(*asked, vectors, constants) is None
    monkeypatch.setattr("compress.coding.trellis_code.MANY", 0)
    assert np.array_equal(read(*asked), plain) and np.array_equal(plain, levels_of(symbols, labels, schedule))
    expected = np.einsum("rm,rvm->rv", plain, vectors[labels]) + constants[labels]
    np.testing.assert_allclose(multiply(*asked, vectors, constants), expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("extra", range(10))
def test_the_nearest_level_of_every_hash_is_looked_for_around_the_number(extra):
    heights = levels()[64 * (2**extra - 1) :][: 64 << extra].reshape(-1, 64)
    for number in (*normal(50), -9.0, 0.0, 9.0):
        first, last = around(np.float32(number), np.float32(1.3), heights, len(heights))
        nearest = np.abs(number - np.float32(1.3) * heights).argmin(axis=0)
        assert first <= nearest.min() and nearest.max() < last <= first + 4


def test_without_numba_codes_are_read_as_they_were(monkeypatch):
    symbols, labels, _, schedule = coded(normal(40, 50), np.full((1, 50), 3.0))
    asked = *streams_of(symbols, labels, schedule), labels, schedule
    monkeypatch.setattr("compress.coding.trellis_code.MANY", 0)
    monkeypatch.delitem(sys.modules, "compress.coding.trellis_reader", raising=False)
    monkeypatch.setitem(sys.modules, "numba", None)
    assert multiply(*asked, normal(1, 1, 50), normal(1, 1)) is None
    assert np.array_equal(read(*asked), levels_of(symbols, labels, schedule))


def test_a_number_without_a_rate_is_left_out():
    rates = np.tile([0.0, 1.0, 0.0, 2.5], (1, 6))
    symbols, labels, _, schedule = coded(normal(20, 24), rates)
    assert (levels_of(symbols, labels, schedule)[:, rates[0] == 0] == 0).all()
    assert (levels_of(symbols, labels, schedule)[:, rates[0] > 0] != 0).all()
    assert schedule.lengths.sum() == 6 + 15


@pytest.mark.parametrize("rate", RATES)
def test_the_bits_are_at_most_what_was_asked(rate):
    rates = np.stack([np.full(97, rate), rounded_rates(np.random.default_rng(1).uniform(0, 2 * rate, 97))])
    schedule = Schedule(kinds_at(rates), 256)
    lengths = schedule.lengths.sum(axis=0)
    assert (lengths <= rates.sum(axis=1) + 1e-6).all()
    assert (lengths > rates.sum(axis=1) - 1).all()
    symbols, labels, _, schedule = coded(normal(9, 97), rates, labels=np.arange(9) % 2)
    assert [len(bits) for bits in schedule.pack(symbols, labels)] == schedule.lengths[:, labels].sum(axis=1).tolist()


def test_rounded_rates_are_those_that_there_are_kinds_for():
    asked = np.array([0, 0.1, LOWEST_RATE, 0.7, 1.1, 1.3, 2.2, 2.26, 40])
    assert rounded_rates(asked).tolist() == [0, 0, LOWEST_RATE, 0.7, 1, 1.5, 2, 2.5, HIGHEST_RATE]


@pytest.mark.parametrize(("rate", "most"), [(0.25, 0.5), (0.5, 0.6), (1.0, 0.6), (1.5, 1.0), (2.0, 0.75), (3.0, 0.9), (6.0, 1.3)])
def test_normal_numbers_come_within_some_decibels_of_the_limit(rate, most):
    numbers = normal(200, 300, seed=2)
    symbols, labels, scales, schedule = coded(numbers, np.full((1, 300), rate), states=1024)
    error = ((levels_of(symbols, labels, schedule) * scales[labels] - numbers) ** 2).mean()
    assert 0 < 10 * np.log10(error * 4**rate) < most


def test_the_error_falls_with_the_rate_and_with_the_states():
    numbers = normal(100, 200, seed=3)

    def error(rate, states):
        symbols, labels, scales, schedule = coded(numbers, np.full((1, 200), rate), states)
        return ((levels_of(symbols, labels, schedule) * scales[labels] - numbers) ** 2).mean()

    by_rate = [error(rate, 256) for rate in (0.2, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 5.0)]
    assert all(later < earlier for earlier, later in itertools.pairwise(by_rate))
    assert error(1.0, 4096) < error(1.0, 1024) < error(1.0, 256)


@pytest.mark.parametrize("rates", [[1.0] * 8, [0.5, 0.5, 1.0, 2.0], [2.0, 1.5, 1.5, 0.0], [3.0, 0.4, 0.4, 0.4]], ids=str)
def test_no_other_bits_come_closer(rates):
    rates = np.array([rates])
    numbers = normal(4, rates.shape[1], seed=4)
    symbols, labels, scales, schedule = coded(numbers, rates)
    stream, extra, *starts = streams_of(symbols, labels, schedule)
    lengths = schedule.lengths[:, labels].sum(axis=1)

    def error(stream, extra):
        away = read(stream, extra, *starts, labels, schedule) * scales[labels] - numbers
        return (away**2 * (rates > 0)).sum()

    found = error(stream, extra)
    rng = np.random.default_rng(5)
    free = lengths[0] - schedule.window  # the last of them are zeros
    for _ in range(2000):
        other, other_extra = stream.copy(), extra.copy()
        for at in rng.integers(max(free, 1), size=rng.integers(1, 4)) if free > 0 else []:
            other[(8 * GUARD + at) // 8] ^= 1 << (at % 8)
        for at in rng.integers(max(lengths[1], 1), size=rng.integers(0, 3)) if lengths[1] else []:
            other_extra[at // 8] ^= 1 << (at % 8)
        assert error(other, other_extra) >= found - 1e-5


def test_the_window_ends_as_zeros():
    symbols, labels, _, schedule = coded(normal(5, 40), np.full((1, 40), 1.5))
    assert schedule.pack(symbols, labels)[0][-schedule.window :].sum() == 0


def test_the_result_does_not_depend_on_how_sequences_are_dealt_to_threads(monkeypatch):
    numbers, rates = normal(600, 30), np.full((1, 30), 1.5)
    expected = coded(numbers, rates)[0]
    monkeypatch.setattr("compress.coding.trellis_code.cpu_count", lambda: 1)
    assert np.array_equal(coded(numbers, rates)[0], expected)
    step = AT_ONCE // 30
    assert np.array_equal(coded(numbers[step:], rates)[0], expected[step:])


@pytest.mark.parametrize("states", SEEDS)
def test_hashes_use_the_newest_bit_and_are_even(states):
    assert all(0 < mask < states for seed in SEEDS[states] for mask in masks(seed, states))
    for seed, hashed in zip(SEEDS[states], hashes(states), strict=True):
        seen = np.bitwise_or.reduce(masks(seed, states))
        assert seen & (states >> 1), "the newest bit must count"
        assert np.bincount(hashed, minlength=64).max() <= states // 32


def test_hashes_stay_what_files_were_written_with():
    assert hashes(256)[0, :6].tolist() == [0, 30, 31, 1, 32, 62]
    assert [int(hashes(states).astype(np.int64) @ np.arange(states) @ np.arange(1, 7)) for states in SEEDS] == [
        21603648,
        346477824,
        5547709440,
    ]


def test_levels_are_symmetric_quantiles():
    table = levels()
    assert table[-1] == 0
    np.testing.assert_allclose(np.sort(table[:64]), -np.sort(table[:64])[::-1], atol=1e-6)
    assert (EXTRA[MOVES == 0] >= 0).all() and EXTRA.max() + 1 == HIGHEST_RATE
