"""Small matrices that several tests share."""

import numpy as np
import pytest

from compress import EmbeddingMatrix, load_matrix
from compress.sources import planted

pytest_plugins = ("small_models",)


@pytest.fixture(scope="session")
def flats():
    """Rows near three flats of dimension 2, as a matrix, and the flat of each row."""
    values, labels = planted(n_rows=240, k=3, j=2, dim=11, noise=0.05, outliers=0.0, seed=1)
    return EmbeddingMatrix(values), labels


@pytest.fixture
def small():
    """A matrix with entries of no structure, 40 × 7."""
    return EmbeddingMatrix(np.random.default_rng(0).standard_normal((40, 7)).astype(np.float32))


@pytest.fixture(scope="session")
def demo():
    return load_matrix("demo")
