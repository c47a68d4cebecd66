"""Rows that are not used dropped, the others kept by another method."""

import numpy as np
import pytest

import compress
from compress import METHODS, SVD, EmbeddingMatrix, Importance, Int8, Trellis, Trimmed
from compress.methods.trimmed import named, spelled
from tests.cases import CASES

WEIGHTS = np.where(np.arange(240) % 3 == 1, 1.0, 0.0)  # 80 of the rows are used


@pytest.fixture
def matrix(flats):
    return EmbeddingMatrix(flats[0].values, weights=WEIGHTS)


def test_kept_rows_are_as_the_method_keeps_them_and_the_others_are_their_mean(matrix):
    used = WEIGHTS > 0
    result, alone = Trimmed(rows=80, of="svd", at=4).fit(matrix), SVD(j=4).fit(EmbeddingMatrix(matrix.values[used]))
    decoded = result.reconstruct()
    np.testing.assert_allclose(decoded[used], alone.reconstruct(), atol=1e-6)
    np.testing.assert_allclose(decoded[~used], np.broadcast_to(matrix.values[~used].mean(0), (160, 11)), atol=1e-5)
    assert result.n_bytes == alone.n_bytes + 240 // 8 + 4 * 11


def test_dropped_rows_count_in_full_in_the_relative_error_and_as_they_weigh_in_the_weighted_one(matrix):
    found = compress.evaluate(matrix, Trimmed(rows=80, of="int8").fit(matrix))
    kept = EmbeddingMatrix(matrix.values[WEIGHTS > 0])
    assert found.weighted_error == pytest.approx(compress.evaluate(kept, Int8().fit(kept)).relative_error)
    lost = matrix.values[WEIGHTS == 0]
    assert found.relative_error == pytest.approx(np.square(lost - lost.mean(0)).sum() / np.square(matrix.values).sum(), rel=0.01)


def test_a_size_is_reached_by_the_setting_of_the_method_with_the_rows_that_weights_tell(matrix):
    found = compress.fit_to(matrix, "trimmed", 12, of="svd(factor_bits=8)")
    assert found.method.rows == 80 and found.ratio >= 12
    assert found.method.turned_to(found.method.at + 1).size(240, 11) > 4 * 240 * 11 / 12
    assert Trimmed(rows=300).within(240, 11, 1e9) is None
    assert Trimmed.told_by(EmbeddingMatrix(matrix.values)) == Trimmed.told_by(compress.load_matrix("toy", weights="order:1")) == {}


def test_rows_are_chosen_by_what_is_important(flats):
    matrix = EmbeddingMatrix(flats[0].values)
    result = Trimmed(rows=80, of="int8").fit_for(matrix, Importance(WEIGHTS * 3, np.eye(11)))
    assert compress.evaluate(matrix, result).row_errors[WEIGHTS > 0].max() < 0.01


@pytest.mark.parametrize("method", [cases[-1] for name, cases in CASES.items() if name != "trimmed"], ids=str)
def test_a_method_is_named_with_what_is_not_as_usual(method):
    assert named(spelled(method)) == method
    assert spelled(METHODS[method.name]()) == method.name


def test_settings_that_do_not_go_together_are_refused(matrix):
    with pytest.raises(ValueError, match=r"^at must be left out for int8, which has one size, got 3$"):
        Trimmed(of="int8", at=3)
    with pytest.raises(ValueError, match=r"^of must be a method with its settings, such as .*, got 'svd\(k=3\)'$"):
        Trimmed(of="svd(k=3)")
    with pytest.raises(ValueError, match=r"^rows must be a whole number between 2 and 240 \(the matrix has 240 rows\), got 241$"):
        Trimmed(rows=241, of="int8").fit(matrix)
    result = Trimmed(rows=80, of="trellis(states=256)", at=5.0).fit(matrix)
    assert result.method.inner == Trellis(rate=5.0, states=256)
    with pytest.raises(ValueError, match="array 'kept_rows' does not name 80 rows"):
        result.method.check_stored(result.arrays | {"kept_rows": np.zeros(30, np.uint8)}, 240, 11)
