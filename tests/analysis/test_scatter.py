"""Two coordinates a row."""

import numpy as np
import pytest

from compress import EmbeddingMatrix
from compress.analysis.scatter import pca_map, umap_map


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


def test_umap_parts_what_is_apart_and_is_told_by_its_seed(capsys):
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
