import numpy as np
import pytest

from compress.analysis.map_groups import cells_of, densest, hills

CENTRES = np.array([(0.0, 0.0), (10.0, 0.0), (5.0, 8.0)])


def planted(sizes=(300, 200, 100), seed=0):
    """Points around three centres, and the centre of each."""
    random = np.random.default_rng(seed)
    labels = np.repeat(np.arange(3), sizes)
    return CENTRES[labels] + 0.5 * random.standard_normal((len(labels), 2)), labels


def test_hills_are_the_planted_groups_the_largest_first():
    positions, planted_labels = planted()
    tops, labels = hills(positions, 6.0, 10)
    assert (labels == planted_labels).mean() > 0.99
    assert np.abs(positions[tops] - CENTRES).max() < 1


def test_a_hill_of_few_rows_is_none():
    positions, planted_labels = planted((300, 200, 4))
    tops, labels = hills(positions, 6.0, 10)
    assert len(tops) == 2
    assert (labels[planted_labels == 2] == -1).all()


def test_a_category_is_named_where_most_of_its_rows_lie():
    positions, codes = planted()
    codes = np.where(np.arange(len(codes)) < 40, 1, codes)  # some of the second lie with the first
    found = densest(positions, codes, 4)
    assert np.abs(found[:3] - CENTRES).max() < 1
    assert np.isnan(found[3]).all()


@pytest.mark.parametrize("positions", [np.zeros((5, 2)), np.array([[0.0, 1.0], [0.0, 2.0]])])
def test_flat_maps_have_cells_too(positions):
    assert (cells_of(positions) >= 0).all() and (cells_of(positions) < 128 * 128).all()
    tops, labels = hills(positions, 4.0, 1)
    assert len(tops) and (labels >= 0).all()
