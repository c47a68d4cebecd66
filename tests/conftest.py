"""Small matrices that several tests share."""

from copy import deepcopy

import numpy as np
import pytest

from compress import EmbeddingMatrix, load_matrix
from compress.sources import planted

pytest_plugins = ("small_models",)
TOGETHER = {  # by folder or file: what shares something that takes long to make, a browser and its app, say
    "test_map": "map",
    "browser": "app",
    **dict.fromkeys(("test_filters_page", "test_prune", "test_readme", "test_task_command", "test_task_judge"), "digits, texts"),
}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Tests that share fixtures are run by one process: those of a file, and those of `TOGETHER`."""
    for item in items:
        name = item.path.stem
        item.add_marker(pytest.mark.xdist_group(TOGETHER.get(name) or TOGETHER.get(item.path.parent.name, name)))


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


@pytest.fixture(scope="session")
def trained():
    """The digits network, trained once."""
    from compress.pruning import digits_network

    return digits_network()


@pytest.fixture
def trained_before(trained, monkeypatch):
    """What trains the digits network finds it trained."""
    monkeypatch.setattr("compress.pruning.digits_network", lambda progress=None, seed=0: deepcopy(trained))
