"""What a source names, and what is refused before any reader is asked."""

import os
import subprocess
import sys

import numpy as np
import pytest

from compress import InputError
from compress.files import bytes_text
from compress.sources import limits, load_matrix, tensors


def test_import_brings_in_no_heavy_library():
    code = "import sys, compress.sources; print([m for m in ('torch', 'pandas', 'pyarrow') if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_a_path_and_its_string_are_one_source(tmp_path, values):
    np.save(tmp_path / "x.npy", values)
    assert load_matrix(tmp_path / "x.npy").digest == load_matrix(str(tmp_path / "x.npy")).digest


def test_a_matrix_is_named_after_its_file(tmp_path, values):
    np.save(tmp_path / "x.npy", values)
    assert load_matrix(tmp_path / "x.npy").name == "x.npy"


def test_a_missing_path_is_named(tmp_path):
    with pytest.raises(InputError, match=r"nothing at .*absent\.npy"):
        load_matrix(tmp_path / "absent.npy")


@pytest.mark.parametrize("content", [b"words and no numbers\nof any kind\n", b"\x00\x07\x00"])
def test_what_neither_bytes_nor_ending_tell_lists_what_is_read(tmp_path, content):
    (tmp_path / "x.xyz").write_bytes(content)
    with pytest.raises(InputError, match=r"x\.xyz holds nothing that is known.* read are: \.npy"):
        load_matrix(tmp_path / "x.xyz")


@pytest.mark.parametrize("source", ["", "\0", 5, None, "x" * 5000])
def test_what_is_no_path_is_refused(source):
    with pytest.raises(InputError):
        load_matrix(source)


def test_a_pipe_is_refused(tmp_path):
    os.mkfifo(tmp_path / "x.npy")
    with pytest.raises(InputError, match="neither a file nor a folder"):
        load_matrix(tmp_path / "x.npy")


def test_a_file_that_may_not_be_read_is_named(tmp_path, values, monkeypatch):
    np.save(tmp_path / "x.npy", values)

    def refuse(path, mode="r", *args, **kwargs):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(InputError, match=r"x\.npy may not be read"):
        load_matrix(tmp_path / "x.npy")
    with pytest.raises(InputError, match=r"x\.npy may not be read"):
        tensors(tmp_path / "x.npy")


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("extension", ["npy", "npz", "safetensors", "pt", "bin", "txt", "vec", "w2v", "csv", "tsv", "parquet"])
@pytest.mark.parametrize("content", [b"", b"\n", b"\x00" * 100, b"\xff\xfe words", b"PK\x03\x04", b"\x80\x04."])
def test_a_file_of_nothing_is_refused(tmp_path, extension, content):
    path = tmp_path / f"x.{extension}"
    path.write_bytes(content)
    with pytest.raises(InputError):
        load_matrix(path)


def test_content_decides_where_the_extension_is_wrong(tmp_path, values):
    np.save(tmp_path / "x.npy", values)
    for extension in ("bin", "pt", "txt", "safetensors"):
        (tmp_path / "x.npy").replace(tmp_path / f"x.{extension}")
        np.testing.assert_array_equal(load_matrix(tmp_path / f"x.{extension}").values, values)
        (tmp_path / f"x.{extension}").replace(tmp_path / "x.npy")


def test_a_converted_matrix_must_fit_and_a_mapped_one_need_not(tmp_path, values, monkeypatch):
    monkeypatch.setattr(limits, "MEMORY_LIMIT", 100)
    np.save(tmp_path / "f4.npy", values)
    np.save(tmp_path / "f8.npy", values.astype(np.float64))
    assert load_matrix(tmp_path / "f4.npy").shape == (7, 4)
    with pytest.raises(InputError, match="needs 112 bytes of memory and 100 bytes can be had"):
        load_matrix(tmp_path / "f8.npy")


def test_sizes_read_well():
    sizes = {0: "0 bytes", 999: "999 bytes", 999_600: "1.00 MB", 46_881_792: "46.9 MB", 3 << 30: "3.22 GB", 10**16: "10,000 TB"}
    assert {n: bytes_text(n) for n in sizes} == sizes


def test_nan_is_refused_with_its_row(tmp_path, values):
    values[3, 1] = np.nan
    np.save(tmp_path / "x.npy", values)
    with pytest.raises(InputError, match="row 3"):
        load_matrix(tmp_path / "x.npy")


def test_a_tensor_that_is_not_offered_lists_those_that_are(tmp_path, values):
    np.savez(tmp_path / "x.npz", users=values, items=values[:3])
    with pytest.raises(InputError, match="no 2-D tensor named 'absent'; choose one of: users, items"):
        load_matrix(tmp_path / "x.npz", tensor="absent")
