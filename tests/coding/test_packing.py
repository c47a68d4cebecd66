"""Packed numbers come back, all at once and one at a time, in numpy and torch alike."""

import numpy as np
import pytest
import torch

from compress.coding.packing import pack_nibbles, pack_stream, read_nibbles, read_stream, width


def test_width_is_the_least_number_of_bits():
    assert [width(count) for count in (1, 2, 3, 4, 5, 8, 9, 256, 257, 65536)] == [0, 1, 2, 2, 3, 3, 4, 8, 9, 16]


@pytest.mark.parametrize("bits", range(17))
def test_a_stream_is_read_back_at_any_place(bits):
    rng = np.random.default_rng(bits)
    for n in (1, 2, 7, 8, 9, 33, 1000):
        numbers = rng.integers(0, 2**bits, n)
        numbers[-1] = 2**bits - 1
        packed = pack_stream(numbers, bits)
        assert packed.dtype == np.uint8 and packed.shape == ((n * bits + 7) // 8,)
        rows = np.concatenate([np.arange(n), rng.integers(0, n, 20), np.array([n - 1, 0])])
        read = read_stream(packed, bits, rows)
        assert read.dtype == np.int64
        assert np.array_equal(read, numbers[rows])
        from_torch = read_stream(torch.from_numpy(packed), bits, torch.from_numpy(rows))
        assert from_torch.dtype == torch.int64
        assert np.array_equal(from_torch.numpy(), read)


@pytest.mark.parametrize("bits", [0, 1, 5, 16])
def test_no_rows_of_a_stream_are_no_numbers(bits):
    assert read_stream(pack_stream(np.array([0, 1]) % 2**bits, bits), bits, np.zeros(0, np.int64)).shape == (0,)


def test_a_stream_lies_least_bit_first():
    assert pack_stream(np.array([1, 2, 3]), 2).tolist() == [0b00_11_10_01]
    assert pack_stream(np.array([0x1FF, 0]), 9).tolist() == [0xFF, 0x01, 0x00]


def test_nibbles_are_read_back_row_by_row():
    rng = np.random.default_rng(0)
    for _ in range(50):
        n, m = rng.integers(1, 20, 2)
        numbers = rng.integers(-8, 8, (n, m)).astype(np.int8)
        packed = pack_nibbles(numbers)
        assert packed.dtype == np.uint8 and packed.shape == (n, (m + 1) // 2)
        rows = rng.integers(0, n, rng.integers(0, 9))
        read = read_nibbles(packed[rows], m)
        assert read.dtype == np.int8
        assert np.array_equal(read, numbers[rows])
        assert np.array_equal(read_nibbles(torch.from_numpy(packed)[torch.from_numpy(rows)], m).numpy(), read)
