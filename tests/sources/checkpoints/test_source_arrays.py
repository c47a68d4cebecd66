"""NumPy's own files."""

import io
import zipfile

import numpy as np
import pytest

from compress import InputError
from compress.sources import limits, load_matrix, tensors
from compress.sources.checkpoints import arrays


@pytest.mark.parametrize("dtype", ["<f4", ">f4", "<f8", "<f2", "<i4", "u1"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_npy_gives_its_values(tmp_path, dtype, order):
    array = np.asarray(np.arange(1, 25).reshape(8, 3), dtype, order=order)
    np.save(tmp_path / "x.npy", array)
    np.testing.assert_array_equal(load_matrix(tmp_path / "x.npy").values, array)


def test_float32_npy_is_mapped_and_not_copied(tmp_path, values):
    np.save(tmp_path / "x.npy", values)
    held = load_matrix(tmp_path / "x.npy").values
    while not isinstance(held, np.memmap):
        held = held.base
    assert held.mode == "r"


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_every_version_of_the_header_is_read(tmp_path, values, version):
    with open(tmp_path / "x.npy", "wb") as file:
        np.lib.format.write_array(file, values, version=version)
    np.testing.assert_array_equal(load_matrix(tmp_path / "x.npy").values, values)


def test_object_arrays_are_refused_and_not_unpickled(tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "sprung"), "w"))

    np.save(tmp_path / "x.npy", np.array([[Trap(), 1]], dtype=object), allow_pickle=True)
    np.savez(tmp_path / "x.npz", a=np.array([[Trap(), 1]], dtype=object))
    for name in ("x.npy", "x.npz"):
        with pytest.raises(InputError, match="holds Python objects"):
            load_matrix(tmp_path / name)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("array", [np.ones((4, 2), complex), np.ones((4, 2), bool), np.full((4, 2), "a")])
def test_what_is_not_real_numbers_is_refused(tmp_path, array):
    np.save(tmp_path / "x.npy", array)
    with pytest.raises(InputError, match="not real numbers"):
        load_matrix(tmp_path / "x.npy")


@pytest.mark.parametrize("shape", [(5,), (2, 3, 4), (), (0, 4)])
def test_npy_that_is_not_a_matrix_is_refused(tmp_path, shape):
    np.save(tmp_path / "x.npy", np.ones(shape, np.float32))
    with pytest.raises(InputError, match="has no 2-D tensor of numbers"):
        load_matrix(tmp_path / "x.npy")
    assert tensors(tmp_path / "x.npy") == []


def npy_with(header: str) -> bytes:
    text = header.encode("latin-1")
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + bytes(96)


@pytest.mark.parametrize(
    "header",
    [
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-4, 6)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (True, 6)}",
        "{'descr': '<f4', 'fortran_order': 0, 'shape': (4, 6)}",
        "{'descr': '<f4', 'shape': (4, 6)}",
        "__import__('os').getcwd()",
        "[" * 3000,
        "",
    ],
)
def test_a_header_that_is_not_one_is_refused(tmp_path, header):
    (tmp_path / "x.npy").write_bytes(npy_with(header))
    with pytest.raises(InputError, match=r"header of .* is damaged"):
        load_matrix(tmp_path / "x.npy")


def test_a_dtype_that_does_not_exist_is_refused_by_its_name(tmp_path):
    (tmp_path / "x.npy").write_bytes(npy_with("{'descr': '<f3', 'fortran_order': False, 'shape': (4, 6)}"))
    with pytest.raises(InputError, match=r"has an unknown dtype .*'<f3'"):
        load_matrix(tmp_path / "x.npy")


@pytest.mark.parametrize("version", [2, 3])
def test_a_header_of_gigabytes_is_refused_unread(version):
    class Watched(io.BytesIO):
        def read(self, count):
            assert count <= arrays.MAX_HEADER
            return super().read(count)

    file = Watched(b"\x93NUMPY" + bytes([version, 0]) + b"\xff" * 4 + b" " * (1 << 20))
    with pytest.raises(InputError, match="header of x is damaged"):
        arrays.read_header(file, "x")


def test_a_shape_whose_product_is_absurd_is_refused(tmp_path):
    (tmp_path / "x.npy").write_bytes(npy_with("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296)}"))
    with pytest.raises(InputError, match="is cut short"):
        load_matrix(tmp_path / "x.npy")


def test_npz_offers_its_matrices_embedding_like_first(tmp_path, values):
    np.savez(tmp_path / "x.npz", bias=values[0], dense=np.tile(values, (3, 1)), user_embedding=values)
    assert [info.name for info in tensors(tmp_path / "x.npz")] == ["user_embedding", "dense"]
    np.testing.assert_array_equal(load_matrix(tmp_path / "x.npz").values, values)
    assert load_matrix(tmp_path / "x.npz", tensor="dense").shape == (21, 4)


@pytest.mark.parametrize("order", ["C", "F"])
def test_compressed_npz_gives_its_values(tmp_path, values, order):
    np.savez_compressed(tmp_path / "x.npz", a=np.asarray(values, order=order))
    np.testing.assert_array_equal(load_matrix(tmp_path / "x.npz").values, values)


def test_a_zip_that_declares_more_than_fits_is_refused_unread(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "MEMORY_LIMIT", 1 << 20)
    np.savez_compressed(tmp_path / "x.npz", a=np.zeros((2000, 1000), np.float32))
    assert (tmp_path / "x.npz").stat().st_size < 20_000
    with pytest.raises(InputError, match=r"needs 8\.00 MB of memory"):
        load_matrix(tmp_path / "x.npz")


def test_an_array_longer_than_its_member_is_refused(tmp_path, values):
    held = io.BytesIO()
    np.save(held, values)
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.writestr("a.npy", held.getvalue()[:-5])
    with pytest.raises(InputError, match=r"a in .*x\.npz is cut short"):
        load_matrix(tmp_path / "x.npz")


def test_an_object_array_beside_a_matrix_does_not_hide_it(tmp_path, values):
    np.savez(tmp_path / "x.npz", a=values, words=np.array(["a", None], dtype=object))
    assert load_matrix(tmp_path / "x.npz").shape == (7, 4)


def test_an_unusual_packing_is_refused(tmp_path, values):
    held = io.BytesIO()
    np.save(held, values)
    with zipfile.ZipFile(tmp_path / "x.npz", "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("a.npy", held.getvalue())
    with pytest.raises(InputError, match="packed in a way that NumPy does not use"):
        load_matrix(tmp_path / "x.npz")
