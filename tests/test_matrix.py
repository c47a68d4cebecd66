"""What a matrix may be, and what is said where it may not."""

import numpy as np
import pytest

from compress import EmbeddingMatrix, InputError

GOOD = np.arange(12, dtype=np.float32).reshape(4, 3)


def bad(row, value):
    values = GOOD.copy()
    values[row] = value
    return values


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (GOOD.astype(complex), r"^The entries must be real numbers, these are complex128; convert them to float32\.$"),
        (np.array([["a", "b"]] * 3), r"^The entries must be real numbers, these are <U1;"),
        (np.array([[None]] * 3), r"^The entries must be real numbers, these are object;"),
        (np.ones((3, 3), bool), r"^The entries must be real numbers, these are bool;"),
        (GOOD[0], r"has 2 dimensions, rows by columns; this array has shape \(3,\)\.$"),
        (GOOD[None], r"this array has shape \(1, 4, 3\)\.$"),
        (GOOD[:1], r"^An embedding matrix needs at least 2 rows and 1 column; this one is 1 × 3\.$"),
        (GOOD[:, :0], r"this one is 4 × 0\.$"),
        (GOOD[:0], r"this one is 0 × 3\.$"),
        (bad(2, np.nan), r"^1 of 4 rows have NaN or infinite entries in float32 \(row 2, counted from 0\); remove or repair"),
        (bad(slice(1, 3), -np.inf), r"^2 of 4 rows have NaN or infinite entries in float32 \(row 1, 2, counted from 0\)"),
        (np.full((9, 2), np.nan), r"^9 of 9 rows .*\(row 0, 1, 2, 3, 4 and 4 more, counted from 0\)"),
        (bad(0, 1).astype(np.float64) * 1e39, r"^4 of 4 rows have NaN or infinite entries in float32"),
        (0 * GOOD, r"^Every entry is zero, so there is nothing to compress; check that the right tensor was read\.$"),
        (bad(1, 2e18), r"^The largest entry is 2e\+18, whose square overflows float32; scale the matrix down\.$"),
        (bad(1, -2e18), r"^The largest entry is 2e\+18, whose square"),
    ],
)
def test_values_that_are_no_embedding_matrix_are_refused(values, sentence):
    with pytest.raises(InputError, match=sentence):
        EmbeddingMatrix(values)


@pytest.mark.parametrize(
    ("weights", "sentence"),
    [
        ([1, 2, 3], r"^There are 3 weights for 4 rows; give one weight a row\.$"),
        (np.ones((4, 1)), r"^There are 4 weights for 4 rows; give one weight a row\.$"),
        ([1, -1, 1, 1], r"^Weights must be finite numbers of at least 0, and not all 0\.$"),
        ([1, np.nan, 1, 1], r"^Weights must be finite"),
        ([1, np.inf, 1, 1], r"^Weights must be finite"),
        ([0, 0, 0, 0], r"^Weights must be finite"),
    ],
)
def test_weights_that_cannot_be_are_refused(weights, sentence):
    with pytest.raises(InputError, match=sentence):
        EmbeddingMatrix(GOOD, weights=weights)


def test_weights_on_zero_rows_alone_are_refused():
    with pytest.raises(InputError, match=r"^Every row with a weight is zero, so there is nothing to compress;"):
        EmbeddingMatrix(bad(1, 0), weights=[0, 1, 0, 0])


def test_tokens_name_every_row():
    with pytest.raises(InputError, match=r"^There are 3 tokens for 4 rows; give one token a row, or none\.$"):
        EmbeddingMatrix(GOOD, tokens=["a", "b", "c"])
    matrix = EmbeddingMatrix(GOOD, tokens=["a", "b", "c", 4])
    assert matrix.tokens == ("a", "b", "c", "4") and matrix.has_tokens


def test_rows_without_tokens_have_their_numbers_as_names():
    matrix = EmbeddingMatrix(GOOD)
    assert not matrix.has_tokens
    assert list(matrix.tokens) == ["row 0", "row 1", "row 2", "row 3"]
    assert matrix.tokens[-1] == "row 3" and matrix.tokens[1:3] == ["row 1", "row 2"]
    with pytest.raises(IndexError, match="out of range"):
        matrix.tokens[4]


@pytest.mark.parametrize("kind", [np.float16, np.float64, np.int8, np.uint8, np.int64])
def test_numbers_of_every_kind_become_float32(kind):
    matrix = EmbeddingMatrix(GOOD.astype(kind))
    assert matrix.values.dtype == np.float32
    assert np.array_equal(matrix.values, GOOD)


def test_float32_is_taken_without_a_copy_and_read_only():
    given = GOOD.copy()
    matrix = EmbeddingMatrix(given)
    assert np.shares_memory(matrix.values, given)
    with pytest.raises(ValueError, match="read-only"):
        matrix.values[0, 0] = 1
    given[0, 0] = 5  # the caller's own array stays writeable
    assert given[0, 0] == 5


def test_weights_have_mean_one():
    matrix = EmbeddingMatrix(GOOD, weights=[1, 2, 3, 2])
    assert matrix.weights.tolist() == [0.5, 1, 1.5, 1]
    assert matrix.weighted
    assert not EmbeddingMatrix(GOOD, weights=[3, 3, 3, 3]).weighted
    assert EmbeddingMatrix(GOOD).weights.tolist() == [1, 1, 1, 1]


def test_bytes_are_those_of_float32():
    assert EmbeddingMatrix(GOOD.astype(np.float16)).n_bytes == 4 * 3 * 4


def test_moments_are_the_weighted_sums():
    weights = np.array([0.5, 1, 1.5, 1])
    matrix = EmbeddingMatrix(GOOD, weights=weights)
    np.testing.assert_allclose(matrix.gram, (GOOD * weights[:, None]).T @ GOOD)
    np.testing.assert_allclose(EmbeddingMatrix(GOOD).gram, GOOD.T @ GOOD)
    np.testing.assert_allclose(matrix.squared_norms, (GOOD**2).sum(axis=1))


def test_a_digest_tells_values_and_shapes_apart_and_nothing_else():
    digest = EmbeddingMatrix(GOOD).digest
    assert EmbeddingMatrix(np.asfortranarray(GOOD), tokens="abcd", name="other").digest == digest
    changed = GOOD.copy()
    changed[3, 2] = np.nextafter(changed[3, 2], np.float32(0))
    others = [GOOD.reshape(6, 2), GOOD[::-1], changed]
    assert len({digest, *(EmbeddingMatrix(each).digest for each in others)}) == 4
