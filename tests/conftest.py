"""Small matrices that several tests share."""

from copy import deepcopy
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from compress import EmbeddingMatrix, load_matrix
from compress.sources import planted

pytest_plugins = ("small_models",)
TOGETHER = {  # files that one process runs, since they share what takes long to make
    **dict.fromkeys(("test_filters_page", "test_prune", "test_task_command", "test_task_judge"), "digits and texts"),
    **{path.stem: "an app and a browser" for path in Path(__file__).with_name("browser").glob("test_*.py")},
}


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Where several processes run the tests, those of a file are run by one of them, and those of files that go `TOGETHER`. The
    marks that pytest-xdist 3.8 has for this do nothing under pytest 9.2; `tests/test_processes.py` tells when this does not."""
    from xdist.scheduler import LoadFileScheduling

    class Together(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = super()._split_scope(nodeid)
            return TOGETHER.get(Path(file).stem, file)

    return Together(config, log)


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


@pytest.fixture(scope="session")
def operators_read_once():
    """What torch reads of its sources for an export to ONNX, which takes longer than the export, it reads for the first alone."""
    from torch.onnx._internal.exporter._registration import ONNXRegistry

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ONNXRegistry, "from_torchlib", staticmethod(cache(ONNXRegistry.from_torchlib)))
        yield
