"""Two coordinates a row."""

import numpy as np
import pytest

from compress import EmbeddingMatrix, load_matrix
from compress.analysis import layout
from compress.analysis.scatter import SHIPPED, VERSION, pca_map, shipped_map, umap_map
from compress.linalg.blocks import unit_rows


def test_the_map_of_principal_axes_is_the_centred_svd():
    values = np.random.default_rng(0).standard_normal((50, 6)) * [5, 3, 1, 1, 1, 1] + 7
    found = pca_map(EmbeddingMatrix(values))
    left, sizes, _ = np.linalg.svd(values - values.mean(axis=0), full_matrices=False)
    assert found.shape == (50, 2) and found.dtype == np.float32
    np.testing.assert_allclose(np.abs(found), np.abs(left[:, :2] * sizes[:2]), atol=1e-4)
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-5)


def test_row_weights_move_the_centre_of_the_map():
    values, weights = np.random.default_rng(1).standard_normal((50, 6)), np.random.default_rng(2).exponential(size=50)
    found = pca_map(EmbeddingMatrix(values, weights=weights))
    np.testing.assert_allclose(weights @ found / weights.sum(), 0, atol=1e-5)
    assert np.abs(found.mean(axis=0)).max() > 1e-3


def test_one_column_lies_on_a_line():
    found = pca_map(EmbeddingMatrix(np.array([[1.0], [2.0], [6.0]])))
    np.testing.assert_allclose(found, [[-2, 0], [-1, 0], [3, 0]], atol=1e-6)


@pytest.mark.parametrize("shape", [(2, 4), (2, 1), (3, 1), (12, 1)])
def test_two_rows_and_one_column_have_a_map(shape):
    matrix = EmbeddingMatrix(np.random.default_rng(0).standard_normal(shape))
    for found in (pca_map(matrix), umap_map(matrix)):
        assert found.shape == (shape[0], 2) and np.isfinite(found).all() and np.ptp(found[:, 0]) > 0


def test_umap_parts_what_is_apart_and_is_told_by_its_seed():
    rng = np.random.default_rng(3)
    centres = np.repeat(5 * np.eye(2, 8), 30, axis=0)
    matrix, told = EmbeddingMatrix(centres + 0.1 * rng.standard_normal((60, 8))), []
    found = umap_map(matrix, 1, told.append)
    assert found.shape == (60, 2) and found.dtype == np.float32
    assert np.array_equal(umap_map(matrix, 1), found)
    assert not np.array_equal(umap_map(matrix, 2), found)
    means = found[:30].mean(axis=0), found[30:].mean(axis=0)
    nearest = [np.argmin([np.linalg.norm(point - mean) for mean in means]) for point in found]
    assert nearest == [0] * 30 + [1] * 30
    assert told[0].figures == {"stage": "neighbours", "done": 0.0}
    layout = [step.figures["done"] for step in told if step.figures["stage"] == "layout"]
    assert layout == sorted(layout) and layout[-1] == pytest.approx(1)


def clouds(n):
    """Rows around 10 directions of 12, and the direction of each."""
    of, noise = np.arange(n) % 10, np.random.default_rng(4).standard_normal((n, 12))
    return EmbeddingMatrix(np.eye(10, 12)[of] + 0.15 * noise), of


def alike(places, of):
    """How many of the nearest in a map lie around the same direction."""
    apart = np.square(places[:, None] - places).sum(axis=2)
    nearest = np.argsort(apart, axis=1)[:, 1:6]
    return (of[nearest] == of[:, None]).mean()


def test_rows_that_are_not_laid_out_lie_beside_their_nearest(monkeypatch):
    matrix, of = clouds(400)
    first = umap_map(matrix, rows=100)
    assert alike(first, of) > 0.9
    monkeypatch.setattr("compress.analysis.scatter.FIRST", 100)
    told = []
    whole = umap_map(matrix, progress=told.append)
    assert alike(whole, of) > 0.95
    shares = [step.share for step in told]
    assert shares == sorted(shares) and shares[-1] == pytest.approx(1)
    middles = [np.array([places[of == each].mean(axis=0) for each in range(10)]) for places in (first, whole)]
    assert all(np.corrcoef(before, after)[0, 1] > 0.9 for before, after in zip(*(each.T for each in middles), strict=True))


@pytest.mark.parametrize("values", [np.eye(3), np.ones((40, 3)), np.eye(40, 3), np.arange(20.0)[:, None]])
def test_tables_with_few_or_equal_rows_have_a_map(values):
    assert np.isfinite(umap_map(EmbeddingMatrix(values))).all()
    assert np.isfinite(umap_map(EmbeddingMatrix(values), rows=2)).all()


def test_no_rows_are_refused():
    with pytest.raises(ValueError, match="rows must be 1 or more, got 0"):
        umap_map(EmbeddingMatrix(np.eye(5)), rows=0)


def test_each_row_is_its_own_first_neighbour_also_among_equal_ones():
    rows, cosines = layout.with_itself(np.array([[1, 0], [1, 0], [0, 1]]), np.array([[1, 1], [1, 1], [0.5, 0.25]]))
    assert rows.tolist() == [[0, 1], [1, 0], [2, 0]]
    np.testing.assert_allclose(cosines, [[1, 1], [1, 1], [1, 0.5]])


def test_neighbours_of_a_large_matrix_are_found_by_lists(monkeypatch):
    unit = unit_rows(np.random.default_rng(6).standard_normal((2000, 8)).astype(np.float32))
    exact, cosines = layout.nearest_rows(unit, unit[:200], 5)
    assert np.array_equal(exact, np.argsort(-unit[:200] @ unit.T, axis=1)[:, :5])
    np.testing.assert_allclose(cosines, np.take_along_axis(unit[:200] @ unit.T, exact, axis=1), atol=1e-5)
    monkeypatch.setattr(layout, "EXACT", 1000)
    found, _ = layout.nearest_rows(unit, unit[:200], 5)
    assert np.mean([len(set(a) & set(b)) for a, b in zip(exact, found, strict=True)]) > 4.5


def test_the_demos_map_ships_and_keeps_neighbours_far_above_chance():
    matrix = load_matrix("demo")
    places = shipped_map(matrix)
    assert places.shape == (matrix.shape[0], 2) and places.dtype == np.uint16
    assert [path.name for path in SHIPPED.iterdir()] == [f"{matrix.digest}-{VERSION}.npy"]
    rows = np.random.default_rng(0).permutation(len(places))[:200]
    unit = unit_rows(matrix.values)
    nearest, _ = layout.nearest_rows(unit, unit[rows], 51)
    places = places.astype(np.float64)
    apart = np.square(places[rows][:, None] - places[None]).sum(axis=2)
    close = np.argpartition(apart, 51, axis=1)[:, :51]
    kept = np.mean([len(set(a) & set(b)) - 1 for a, b in zip(nearest, close, strict=True)]) / 50
    assert kept > 0.1  # by chance 50 of 30,522: 0.0016
    assert shipped_map(EmbeddingMatrix(matrix.values[:100])) is None
