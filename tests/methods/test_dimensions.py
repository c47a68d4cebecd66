"""Columns by sensitivity: which are kept, what is stored of them, and what is refused."""

import numpy as np
import pytest

import compress
from compress import Dimensions, EmbeddingMatrix
from compress.methods.dimensions import OVER, ROWS, rank_columns

EITHER = pytest.mark.parametrize("over", OVER)


def normal(n, d, seed=0):
    return np.random.default_rng(seed).standard_normal((n, d)).astype(np.float32)


def kept(result):
    """The columns that are kept, as numbers."""
    return np.flatnonzero(np.unpackbits(result.arrays["mask"], bitorder="little")).tolist()


@EITHER
def test_a_dead_column_goes_first(over):
    values = normal(60, 9)
    values[:, 4] = 0
    assert kept(Dimensions(kept=8, over=over).fit(EmbeddingMatrix(values))) == [0, 1, 2, 3, 5, 6, 7, 8]


@EITHER
def test_scaled_copies_of_a_column_are_kept_by_their_size(over):
    scales = np.array([0.3, 5, 0.1, 2, 1, 0.6, 9], np.float32)
    matrix = EmbeddingMatrix(normal(80, 1) * scales)
    for count in range(1, 8):
        assert kept(Dimensions(kept=count, over=over).fit(matrix)) == sorted(np.argsort(-scales)[:count])


@EITHER
def test_the_order_is_that_of_the_sensitivities_of_the_matrix_as_a_layer_that_reads_its_own_rows(over):
    values = normal(20, 5)
    shares = np.zeros((20, 20, 5, 4))  # inputs, outputs, columns, signs
    sums = np.zeros((20, 5, 4))
    for sign, (own, theirs) in enumerate([(1, 1), (1, -1), (-1, 1), (-1, -1)]):
        each = np.maximum(own * values, 0)[:, None] * np.maximum(theirs * values, 0)
        shares[..., sign] = each / np.maximum(each.sum(axis=2, keepdims=True), 1e-30)
        sums[..., sign] = each.sum(axis=0) / each.sum(axis=(0, 2))[:, None]
    expected = (shares if over == "largest" else sums[None]).max(axis=(0, 1, 3))
    assert np.all(np.diff(expected[rank_columns(EmbeddingMatrix(values), over, 0)]) <= 1e-6)


def test_columns_that_the_sampled_rows_lack_are_ranked_by_their_size():
    values = np.zeros((40 * ROWS, 6), np.float32)
    values[:, 0] = 1
    values[7, 1:] = [1, 5, 2, 4, 3]
    assert rank_columns(EmbeddingMatrix(values), "mean", 0).tolist() == [0, 2, 4, 5, 3, 1]


@pytest.mark.parametrize(("bits", "most"), [(32, 0), (16, 1e-6), (8, 1e-3), (4, 0.05)])
@pytest.mark.parametrize("scale", [1e-12, 1, 1e15])
def test_all_columns_give_the_matrix_up_to_its_stored_precision(bits, most, scale):
    matrix = EmbeddingMatrix(normal(100, 13) * np.float32(scale))
    assert compress.evaluate(matrix, Dimensions(kept=13, factor_bits=bits).fit(matrix)).relative_error <= most


def test_the_error_is_that_of_the_columns_that_are_dropped():
    matrix = EmbeddingMatrix(normal(300, 20) * np.linspace(1, 2, 20, dtype=np.float32))
    result = Dimensions(kept=12, factor_bits=32).fit(matrix)
    dropped = np.setdiff1d(np.arange(20), kept(result))
    decoded = result.reconstruct()
    assert np.array_equal(decoded[:, kept(result)], matrix.values[:, kept(result)]) and not decoded[:, dropped].any()
    expected = np.square(matrix.values[:, dropped]).sum() / np.square(matrix.values).sum()
    assert compress.evaluate(matrix, result).relative_error == pytest.approx(expected, rel=1e-5)


def test_the_seed_draws_the_rows_that_tell_the_columns():
    matrix = EmbeddingMatrix(normal(3 * ROWS, 60))
    first, again, other = (rank_columns(matrix, "mean", seed).tolist() for seed in (0, 0, 1))
    assert first == again != other and sorted(first) == list(range(60))


@EITHER
def test_rows_with_more_weight_choose_the_columns(over):
    values = np.abs(normal(200, 8)) * np.where(np.arange(8) < 4, 1, 0.01)
    values[100:] = values[100:, ::-1]
    for half in (slice(0, 100), slice(100, 200)):
        weights = np.full(200, 1e-9)
        weights[half] = 1
        result = Dimensions(kept=4, over=over).fit(EmbeddingMatrix(values, weights=weights))
        assert kept(result) == ([0, 1, 2, 3] if half.start == 0 else [4, 5, 6, 7])


@pytest.mark.parametrize(
    ("n", "d", "count", "bits", "n_bytes"),
    [
        (10, 16, 5, 32, 2 + 10 * 5 * 4),
        (10, 17, 5, 16, 3 + 10 * 5 * 2 + 4),
        (10, 8, 5, 8, 1 + 10 * 5 + 5 * 4),
        (10, 9, 5, 4, 2 + 10 * 3 + 5 * 4),
    ],
)
def test_bytes_are_a_bit_a_column_the_numbers_and_their_scales(n, d, count, bits, n_bytes):
    method = Dimensions(kept=count, factor_bits=bits)
    assert method.fit(EmbeddingMatrix(normal(n, d))).n_bytes == method.size(n, d) == n_bytes
    assert method.parameter_count(n, d) == n * count + 1


def test_more_columns_than_there_are_cannot_be_kept(small):
    with pytest.raises(ValueError, match=r"^kept must be a whole number between 1 and 7 \(the matrix has 7 columns\), got 8$"):
        Dimensions(kept=8).fit(small)
    wide = EmbeddingMatrix(normal(3, 9))
    assert Dimensions(kept=9).fit(wide).shape == (3, 9)
    assert Dimensions().within(3, 9, 3 * 9 * 2 + 6).kept == 9


def test_a_mask_of_another_number_of_columns_is_refused(small):
    result = Dimensions(kept=3).fit(small)
    with pytest.raises(ValueError, match=r"^the mask keeps 2 columns, not 3$"):
        result.method.check_stored(result.arrays | {"mask": np.array([0b1010_0001], np.uint8)}, 40, 7)
    with pytest.raises(ValueError, match=r"^over must be one of mean, largest, got 'least'$"):
        Dimensions(over="least")
