"""Files and folders written whole or not at all."""

import errno
import os

import pytest

from compress.files import replacing, whole_folder


def refuse(number: int, name: str | None = None):
    raise OSError(number, os.strerror(number), *([name] if name else []))


def test_a_file_that_cannot_be_begun_is_named_as_it_was_asked_for(tmp_path):
    with pytest.raises(FileNotFoundError) as refused, replacing(tmp_path / "absent" / "x.safetensors"):
        pass
    assert refused.value.filename == str(tmp_path / "absent" / "x.safetensors")
    with pytest.raises(OSError) as refused, replacing(tmp_path / f"{'x' * 300}.npy"):
        pass
    assert refused.value.filename == str(tmp_path / f"{'x' * 300}.npy")


def test_a_full_disk_is_told_of_the_file_that_was_asked_for(tmp_path):
    with pytest.raises(OSError) as refused, replacing(tmp_path / "x.npy"):
        refuse(errno.ENOSPC)
    assert (refused.value.errno, refused.value.filename) == (errno.ENOSPC, str(tmp_path / "x.npy"))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_named_as_it_was_asked_for(tmp_path):
    def nothing(folder):
        return None

    with pytest.raises(OSError) as refused, whole_folder(tmp_path / "model", nothing) as part:
        refuse(errno.EACCES, str(part / "config.json"))
    assert refused.value.filename == str(tmp_path / "model") and isinstance(refused.value, PermissionError)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_read_meanwhile_keeps_its_own_name(tmp_path):
    with pytest.raises(OSError) as refused, replacing(tmp_path / "x.npy"):
        refuse(errno.EACCES, "/data/other.npy")
    assert refused.value.filename == "/data/other.npy"
