"""Error figures against closed forms."""

import json

import numpy as np
import pytest

import compress
from compress import SVD, Compressed, EmbeddingMatrix, InputError, Int8, ProjectiveClustering
from compress.form.metrics import error_text
from compress.matrix import Stored


def decoding_to(values, matrix, method=None):
    """A compressed form of the matrix that decodes to those values."""
    values = np.asarray(values, np.float32)
    bases = np.eye(values.shape[1], dtype=np.float32)[None]
    method = method or SVD(j=values.shape[1], factor_bits=32)
    return Compressed(method, {"coefficients": values, "bases": bases}, matrix.shape, matrix.digest)


@pytest.mark.parametrize("scale", [1e-18, 1e-22, 1e-24, 1e-30, 1e-35])
def test_a_table_whose_squares_vanish_measures_as_the_same_scaled_up(scale):
    values = np.random.default_rng(0).standard_normal((30, 6)).astype(np.float32)
    tiny, same = (EmbeddingMatrix(values * np.float32(factor)) for factor in (scale, 1))
    found, expected = (compress.evaluate(each, SVD(j=1, factor_bits=32).fit(each)).figures() for each in (tiny, same))
    assert found == pytest.approx(expected, rel=1e-3)


def test_figures_have_their_closed_forms():
    matrix = EmbeddingMatrix(np.array([[3, 4], [0, 2], [1, 0]]), weights=[1, 3, 2])
    found = compress.evaluate(matrix, decoding_to([[3, 0], [0, 1], [0, 1]], matrix))
    assert found.relative_error == pytest.approx((16 + 1 + 2) / (25 + 4 + 1))
    assert found.weighted_error == pytest.approx((16 + 3 + 4) / (25 + 12 + 2))
    assert found.l1_error == pytest.approx((4 + 1 + 2) / 10)
    np.testing.assert_allclose(found.row_errors, [16 / 25, 1 / 4, 2])
    assert found.median_row_error == pytest.approx(16 / 25)
    assert found.worst_row_error == pytest.approx(2)
    assert found.mean_cosine == pytest.approx((3 / 5 + 1 + 0) / 3)
    assert found.worst_cosine == pytest.approx(0)
    assert found.n_bytes == 4 * (3 * 2 + 2 * 2)
    assert found.ratio == 24 / 40
    assert found.parameter_count == 10
    assert found.saved == pytest.approx(1 - 10 / 6)


def test_the_ratio_against_the_file_is_that_of_the_bytes_there():
    matrix = EmbeddingMatrix(np.eye(3, 2), stored=Stored("float16", 12))
    found = compress.evaluate(matrix, decoding_to(np.eye(3, 2), matrix))
    assert (found.ratio, found.file_ratio) == (24 / 40, 12 / 40)
    assert compress.evaluate(EmbeddingMatrix(np.eye(3, 2)), decoding_to(np.eye(3, 2), matrix)).file_ratio is None
    assert "file_ratio" not in found.figures()


def test_nothing_lost_is_no_error(small):
    found = compress.evaluate(small, decoding_to(small.values, small))
    assert found.relative_error == found.weighted_error == found.l1_error == found.worst_row_error == 0
    assert found.worst_cosine == pytest.approx(1)


def test_everything_lost_is_an_error_of_one(small):
    found = compress.evaluate(small, decoding_to(0 * small.values, small))
    lost = [found.relative_error, found.weighted_error, found.l1_error, found.median_row_error]
    assert lost == pytest.approx([1, 1, 1, 1], abs=1e-6)
    assert found.mean_cosine == found.worst_cosine == 0


def test_zero_rows_are_left_out_of_row_figures_unless_they_are_filled():
    matrix = EmbeddingMatrix(np.array([[0, 0], [0, 0], [2, 0], [0, 2]]))
    found = compress.evaluate(matrix, decoding_to([[0, 0], [1, 1], [1, 0], [0, 1]], matrix))
    assert found.row_errors.tolist() == [0, np.inf, 0.25, 0.25]
    assert found.median_row_error == found.worst_row_error == 0.25
    assert found.mean_cosine == pytest.approx(1)
    assert found.relative_error == pytest.approx((2 + 1 + 1) / 8)


def test_figures_are_plain_numbers_and_all_but_the_rows_and_the_files(small):
    found = compress.evaluate(small, Int8().fit(small))
    figures = found.figures()
    assert set(figures) == {name for name in vars(found) if name not in ("row_errors", "file_ratio")}
    assert {type(value) for value in figures.values()} <= {int, float}
    assert json.loads(json.dumps(figures)) == figures


def test_the_numbers_saved_are_the_papers_share(small):
    method = ProjectiveClustering(k=2, j=2)
    found = compress.evaluate(small, method.fit(small))
    assert found.parameter_count == 40 * 2 + 2 * 2 * 7
    assert found.saved == 1 - found.parameter_count / (40 * 7)


def test_a_form_of_another_shape_is_refused(small):
    other = EmbeddingMatrix(small.values[:30])
    with pytest.raises(ValueError, match=r"^the compressed form is 40 × 7, the matrix 30 × 7$") as caught:
        compress.evaluate(other, Int8().fit(small))
    assert not isinstance(caught.value, InputError)


@pytest.mark.parametrize(
    "error, text", [(0, "0"), (np.inf, "∞"), (0.0000123456, "1.23e-05"), (0.00012, "0.00012"), (0.72704, "0.727"), (0.5, "0.500")]
)
def test_an_error_has_three_significant_digits_however_small(error, text):
    assert error_text(error) == text


def test_the_worst_rows_are_those_that_lose_the_largest_share_of_themselves():
    values = np.ones((40, 2))
    decoded = values.copy()
    decoded[[7, 3]] += [[1], [0.5]]
    decoded[5] += 0.01
    found = compress.evaluate(EmbeddingMatrix(values), decoding_to(decoded, EmbeddingMatrix(values)))
    assert found.worst(3).tolist() == [7, 3, 5]
    assert found.mean_row_error == pytest.approx((1 + 0.25 + 1e-4) / 40)
    assert found.worse.tolist() == [7]  # 1 is more than 8 times .031, a quarter is not


def test_rows_that_lose_more_than_all_of_themselves_hide_no_other_row_that_loses_much():
    values = np.ones((300, 4))
    decoded = values.copy()
    values[:2] = 1e-5  # decoded to 1 they lose 10 billion times themselves
    decoded[2:9] = 0.1
    found = compress.evaluate(EmbeddingMatrix(values), decoding_to(decoded, EmbeddingMatrix(values)))
    assert found.worse.tolist() == [*range(9)]
