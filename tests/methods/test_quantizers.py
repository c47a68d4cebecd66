"""Rounding by row: bytes, and how far an entry can move."""

import numpy as np
import pytest

import compress
from compress import EmbeddingMatrix, Int4, Int8

BOTH = pytest.mark.parametrize(("method", "largest"), [(Int8(), 127), (Int4(), 7)], ids=["int8", "int4"])


@pytest.mark.parametrize(
    ("method", "n", "d", "n_bytes"),
    [(Int8(), 10, 6, 80), (Int8(), 10, 7, 90), (Int4(), 10, 6, 50), (Int4(), 10, 7, 60), (Int4(), 2, 1, 6)],
    ids=str,
)
def test_bytes_are_codes_and_a_step_a_row(method, n, d, n_bytes):
    matrix = EmbeddingMatrix(np.random.default_rng(0).standard_normal((n, d)).astype(np.float32))
    assert method.fit(matrix).n_bytes == method.size(n, d) == n_bytes
    assert method.parameter_count(n, d) == n * d + n


@BOTH
@pytest.mark.parametrize("d", [1, 2, 9, 64])
def test_an_entry_moves_half_a_step_or_to_the_end_of_the_grid(method, largest, d):
    values = np.random.default_rng(1).standard_normal((50, d)).astype(np.float32) * np.geomspace(0.01, 100, 50)[:, None]
    matrix = EmbeddingMatrix(values)
    result = method.fit(matrix)
    steps = result.arrays["scales"].astype(np.float32)[:, None]
    decoded = result.reconstruct()
    end = largest * steps
    inside = np.abs(matrix.values) <= end
    assert (np.abs(decoded - matrix.values) <= 0.5001 * steps)[inside].all()
    np.testing.assert_allclose(decoded[~inside], (np.sign(matrix.values) * end)[~inside], rtol=1e-6)
    assert compress.evaluate(matrix, result).worst_row_error < (1e-3 if largest == 127 else 0.05)


@BOTH
def test_zero_rows_and_zero_entries_stay_zero(method, largest):
    values = np.random.default_rng(2).standard_normal((20, 5)).astype(np.float32)
    values[::3] = 0
    values[:, 2] = 0
    decoded = method.fit(EmbeddingMatrix(values)).reconstruct()
    assert not decoded[values == 0].any()
    assert decoded[1].any()


@BOTH
def test_numbers_on_a_grid_are_kept_exactly(method, largest):
    values = np.random.default_rng(3).integers(-largest, largest + 1, (30, 8)).astype(np.float32) * 0.25
    values[:, 0] = largest * 0.25
    decoded = method.fit(EmbeddingMatrix(values)).reconstruct()
    assert np.array_equal(decoded, values)


@BOTH
def test_a_row_of_another_size_does_not_touch_the_others(method, largest):
    values = np.random.default_rng(4).standard_normal((10, 6)).astype(np.float32)
    changed = values.copy()
    changed[3] *= 1e4
    one, other = (method.fit(EmbeddingMatrix(each)).reconstruct() for each in (values, changed))
    assert np.array_equal(np.delete(one, 3, axis=0), np.delete(other, 3, axis=0))
    assert compress.evaluate(EmbeddingMatrix(changed), method.fit(EmbeddingMatrix(changed))).worst_row_error < 0.05


def test_eight_bits_are_closer_than_four(small):
    assert compress.evaluate(small, Int8().fit(small)).relative_error < 1e-4
    assert 1e-4 < compress.evaluate(small, Int4().fit(small)).relative_error < 0.02
