"""HDF5 and Keras: the right dataset, its names, and files that say what they do not hold."""

import zipfile

import h5py
import numpy as np
import pytest

from compress import InputError
from compress.sources import load_matrix, tensors
from compress.sources.checkpoints import hdf5_file


def keras(file, values):
    file["layers/embedding/vars/0"] = values
    file["layers/dense/vars/0"] = np.ones((len(values) + 5, 2), np.float32)
    file["optimizer/vars/1"] = np.zeros_like(values)


@pytest.fixture
def h5(tmp_path):
    return tmp_path / "my.weights.h5"


def test_the_table_of_keras_weights_is_read(h5, values):
    with h5py.File(h5, "w") as file:
        keras(file, values)
    np.testing.assert_array_equal(load_matrix(h5).values, values)
    assert tensors(h5)[0].name == "layers/embedding/vars/0"


def test_a_table_that_keras_quantized_is_decoded_in_8_bits_and_refused_in_4(h5, values):
    scales = 127 / np.abs(values).max(axis=1)
    codes = np.rint(values * scales[:, None]).astype(np.int8)
    with h5py.File(h5, "w") as file:
        keras(file, codes)
        file["layers/embedding/vars/1"] = scales
    matrix = load_matrix(h5)
    np.testing.assert_allclose(matrix.values, values, atol=0.5 / scales.min())
    assert matrix.stored.scheme == "Keras in 8 bits"
    with h5py.File(h5, "a") as file:
        file["layers/embedding/vars/0"][...] = codes // 2
    with pytest.raises(InputError, match="two numbers of 4 bits"):
        load_matrix(h5)


def test_the_table_in_a_keras_archive_is_read(h5, tmp_path, values):
    with h5py.File(h5, "w") as file:
        keras(file, values)
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as archive:
        archive.writestr("config.json", "{}")
        archive.write(h5, "model.weights.h5")
    np.testing.assert_array_equal(load_matrix(tmp_path / "m.keras").values, values)


def test_a_packed_half_precision_dataset_is_read_with_the_words_beside_it(tmp_path, values):
    with h5py.File(tmp_path / "no ending", "w") as file:
        file.create_dataset("mat/vectors", data=values.astype(np.float16), chunks=(2, 4), compression="gzip", shuffle=True)
        file["mat/words"] = ["the", "of", "and", "ä", "b", "c d", "e"]
    matrix = load_matrix(tmp_path / "no ending")
    np.testing.assert_array_equal(matrix.values, values.astype(np.float16))
    assert matrix.tokens[3] == "ä"


def test_matlabs_columns_are_rows(tmp_path, values):
    with h5py.File(tmp_path / "x.mat", "w", userblock_size=512) as file:
        file["x"] = values.T
        file["x"].attrs["MATLAB_class"] = np.bytes_("single")
    np.testing.assert_array_equal(load_matrix(tmp_path / "x.mat").values, values)
    assert tensors(tmp_path / "x.mat")[0].shape == (7, 4)


def test_what_lies_in_other_files_is_not_read(h5, tmp_path, values):
    (tmp_path / "secret").write_bytes(values.tobytes())
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = values
    with h5py.File(h5, "w") as file:
        file.create_dataset("a", values.shape, np.float32, external=[(str(tmp_path / "secret"), 0, values.nbytes)])
        file["b"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "x")
        layout = h5py.VirtualLayout(values.shape, np.float32)
        layout[:] = h5py.VirtualSource(tmp_path / "other.h5", "x", values.shape)
        file.create_virtual_dataset("c", layout)
    with pytest.raises(InputError, match=r"my\.weights\.h5 has no 2-D tensor"):
        load_matrix(h5)


@pytest.mark.parametrize("how", [{}, {"chunks": (1000, 300), "compression": "gzip"}])
def test_numbers_that_are_not_in_the_file_are_not_made_up(h5, how):
    with h5py.File(h5, "w") as file:
        file.create_dataset("embedding", (1_000_000_000, 300), np.float32, **how)
    with pytest.raises(InputError, match=r"embedding in my\.weights\.h5 declares 1.20 TB, and the file holds 0 bytes of it"):
        load_matrix(h5)


def test_groups_that_hold_themselves_or_are_too_many_end(h5, values, monkeypatch):
    with h5py.File(h5, "w") as file:
        file["a/x"] = values
        file["a/a"] = file["a"]
        for at in range(50):
            file.create_group(f"more/{at}")
    assert [info.name for info in tensors(h5)] == ["a/x"]
    monkeypatch.setattr(hdf5_file, "MOST", 20)
    with pytest.raises(InputError, match="more than 20 groups and datasets"):
        tensors(h5)


def test_a_truncated_file_is_refused_by_its_name(h5, values):
    with h5py.File(h5, "w") as file:
        keras(file, values)
    data = h5.read_bytes()
    for share in (0.1, 0.5, 0.95):
        h5.write_bytes(data[: int(share * len(data))])
        with pytest.raises(InputError, match=r"^my\.weights\.h5 is a damaged HDF5 file"):
            load_matrix(h5)
