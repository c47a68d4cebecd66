"""Files and folders written whole or not at all."""

import errno
import os
import threading

import pytest

from compress.files import replacing, whole_folder
from tests.killed import killed_at


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


def write_file(folder, text):
    with replacing(folder / "x.txt") as file:
        file.write(text)


def write_folder(folder, text):
    with whole_folder(folder, lambda _: None) as part:
        for name in ("x.txt", "y.txt"):
            (part / name).write_bytes(text)


@pytest.mark.parametrize("write", [write_file, write_folder])
def test_whoever_is_killed_while_it_writes_leaves_what_was_there_or_what_it_wrote(tmp_path, write):
    folder = tmp_path / "out"
    folder.mkdir()
    write(folder, b"old")
    step, found = 0, set()
    while killed_at(step, lambda: write(folder, b"new")):
        texts = {(folder / name).read_bytes() for name in ("x.txt", "y.txt") if write is write_folder or name == "x.txt"}
        assert len(texts) == 1
        found |= texts
        write(folder, b"old")
        step += 1
    assert step > 2 and found >= {b"old"} and (folder / "x.txt").read_bytes() == b"new"


@pytest.mark.parametrize("write", [write_file, write_folder])
def test_a_reader_finds_a_whole_file_at_any_moment_while_it_is_replaced(tmp_path, write):
    folder = tmp_path / "out"
    folder.mkdir()
    write(folder, b"0" * 1000)
    done, read = threading.Event(), []

    def look():
        while not done.is_set():
            try:
                read.append((folder / "x.txt").read_bytes())
            except OSError as error:
                read.append(str(error))

    reader = threading.Thread(target=look)
    reader.start()
    for text in (b"1", b"2") * 100:
        write(folder, text * 1000)
    done.set()
    reader.join()
    assert read and {*read} <= {letter * 1000 for letter in (b"0", b"1", b"2")}
