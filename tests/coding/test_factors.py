"""Stored factors: what rounding them may cost."""

import numpy as np
import pytest
import torch

from compress import EmbeddingMatrix
from compress.coding import factors
from compress.coding.layout import bytes_of


def made(rng):
    """A random matrix that is coefficients times the bases of its groups, and those."""
    n, d, groups = rng.integers(20, 60), rng.integers(2, 12), rng.integers(1, 4)
    m = int(rng.integers(1, d + 1))
    bases = np.stack([np.linalg.qr(rng.standard_normal((d, m)))[0].T for _ in range(groups)])  # (groups, m, d)
    labels = rng.permutation(np.arange(n) % groups)
    coefficients = (rng.standard_normal((n, m)) * np.geomspace(3, 0.1, m)).astype(np.float32)
    values = np.einsum("nm,nmd->nd", coefficients, bases[labels]).astype(np.float32)
    return EmbeddingMatrix(values), coefficients, bases, labels


def decoded(arrays, labels, m):
    rows = np.arange(len(labels))
    return np.einsum("nm,nmd->nd", factors.read_coefficients(arrays, rows, m), factors.read_bases(arrays)[labels])


@pytest.mark.parametrize(("bits", "bound"), [(32, 1e-12), (16, 1e-6), (8, 3e-4), (4, 0.05)])
def test_rounded_factors_stay_close(bits, bound):
    rng = np.random.default_rng(bits)
    for _ in range(25):
        matrix, coefficients, bases, labels = made(rng)
        arrays = factors.store(matrix, coefficients, bases, bits, labels)
        layout = factors.layout(*matrix.shape, *bases.shape[:2], bits)
        assert {name: (array.shape, array.dtype) for name, array in arrays.items()} == layout
        assert factors.n_bytes(*matrix.shape, *bases.shape[:2], bits) == bytes_of(layout)
        lost = ((decoded(arrays, labels, bases.shape[1]) - matrix.values) ** 2).sum() / matrix.squared_norms.sum()
        assert lost <= bound


@pytest.mark.parametrize("bits", factors.BITS)
def test_torch_reads_what_numpy_reads(bits):
    rng = np.random.default_rng(1)
    for _ in range(10):
        matrix, coefficients, bases, labels = made(rng)
        arrays = factors.store(matrix, coefficients, bases, bits, labels)
        tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
        rows, m = rng.integers(0, matrix.shape[0], 9), bases.shape[1]
        expected = factors.read_coefficients(arrays, rows, m)
        assert expected.shape == (9, m) and expected.dtype == np.float32
        assert np.array_equal(factors.read_coefficients(tensors, torch.from_numpy(rows), m).numpy(), expected)
        assert np.array_equal(factors.read_bases(tensors).numpy(), factors.read_bases(arrays))


@pytest.mark.parametrize("bits", [8, 4])
def test_refitted_bases_are_the_least_squares_ones(bits):
    matrix, coefficients, bases, labels = made(np.random.default_rng(2))
    codes = factors.store(matrix, coefficients, bases, bits, labels)["coefficients"]
    codes = codes if bits == 8 else factors.packing.read_nibbles(codes, bases.shape[1])
    offsets = np.zeros((len(bases), bases.shape[2]))
    refitted = factors.least_squares(matrix, codes, bases, labels, offsets)
    for z in range(len(bases)):
        used = codes[labels == z].astype(np.float64)
        expected = np.linalg.lstsq(used, matrix.values[labels == z], rcond=None)[0]
        np.testing.assert_allclose(refitted[z], expected, atol=1e-4 * np.abs(expected).max())


def test_refitted_bases_are_what_is_stored():
    matrix, coefficients, bases, labels = made(np.random.default_rng(2))
    arrays = factors.store(matrix, coefficients, bases, 4, labels)
    codes = factors.packing.read_nibbles(arrays["coefficients"], bases.shape[1])
    for z in range(len(bases)):
        expected = np.linalg.lstsq(codes[labels == z].astype(np.float64), matrix.values[labels == z], rcond=None)[0]
        half_a_step = np.abs(expected).max(axis=1, keepdims=True) / 127 / 2
        assert (np.abs(factors.read_bases(arrays)[z] - expected) <= 1.01 * half_a_step).all()


def test_a_group_without_rows_keeps_its_basis():
    matrix, coefficients, bases, _ = made(np.random.default_rng(2))
    none = np.zeros(len(coefficients), np.int64)
    two = np.stack([bases[0], bases[0][::-1]])
    kept = factors.read_bases(factors.store(matrix, coefficients, two, 8, none))[1]
    np.testing.assert_allclose(kept, two[1], atol=1 / 127)


def test_the_chosen_step_rounds_no_worse_than_any_tried():
    numbers = np.random.default_rng(3).standard_t(3, (300, 4)).astype(np.float32)

    def lost(steps):
        return ((factors.round_to(numbers, steps, 7) * steps - numbers) ** 2).sum(axis=0)

    chosen = lost(factors.grid_steps(numbers, 7))
    for clip in factors.CLIPS:
        assert (chosen <= lost(clip * np.abs(numbers).max(axis=0) / 7) * (1 + 1e-5)).all()


def test_a_few_rows_far_out_among_many_are_seen_when_the_step_is_chosen():
    numbers = np.random.default_rng(0).standard_normal((10_000, 3)).astype(np.float32)
    numbers[[1, 4001]] *= 40  # neither is among those that tell the steps of usual columns
    steps = factors.grid_steps(numbers, 127)
    lost = (factors.round_to(numbers, steps, 127) * steps - numbers) ** 2
    assert lost.sum() < 0.02 * (numbers**2).sum() and lost[1].sum() < 0.1 * (numbers[1] ** 2).sum()


def test_what_float16_cannot_hold_ends_at_its_largest():
    held = factors.within(np.array([1e6, -1e6, 1.5]), np.float16)
    assert held.dtype == np.float16
    assert held.tolist() == [65504, -65504, 1.5]
