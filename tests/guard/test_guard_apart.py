"""A process apart gives what a call in this process gives, and takes no more than it may."""

import os
import signal
import socket

import numpy as np
import psutil
import pytest

from compress import SVD, InputError, load, load_matrix, tensors
from compress.guard import apart as asking
from compress.guard import budget
from compress.guard.apart import apart

pytestmark = pytest.mark.skipif(not asking.ABLE, reason="no process can be forked here")


def called(function, *args, size=0):
    with budget.sharing() as share:
        return apart(function, *args, name="x.npy", size=size, share=share)


def test_a_matrix_is_the_same_and_lies_in_its_file(tmp_path):
    values = np.random.default_rng(0).standard_normal((50, 8)).astype(np.float32)
    np.save(tmp_path / "x.npy", values)
    np.save(tmp_path / "y.npy", values.astype(np.float64))
    before = budget.left()
    for name, n_bytes in (("x.npy", 0), ("y.npy", values.nbytes)):
        matrix = load_matrix(tmp_path / name, guarded=True)
        assert np.array_equal(matrix.values, values) and matrix.name == name
        assert n_bytes <= before - budget.left() < n_bytes + 1000
        mapped = [each.path for each in psutil.Process().memory_maps(grouped=False)]
        assert (str(tmp_path / name) in mapped) == (n_bytes == 0)
        del matrix
    assert budget.left() == before


def test_a_tables_columns_are_read_apart_too(tmp_path):
    rows = [f"w{at},{at % 7},{at / 3},{at / 7 - 1}" for at in range(40)]
    (tmp_path / "x.csv").write_text("\n".join(["word,count,a,b", *rows]))
    plain, guarded = (load_matrix(tmp_path / "x.csv", left_out=["count"], guarded=how) for how in (False, True))
    assert guarded.tokens == plain.tokens and guarded.notes == plain.notes
    assert list(guarded.columns) == list(plain.columns)
    assert np.array_equal(guarded.columns["count"], plain.columns["count"])
    assert tensors(tmp_path / "x.csv", guarded=True) == tensors(tmp_path / "x.csv")


def test_a_compressed_form_is_the_same(small, tmp_path):
    SVD(j=3, factor_bits=8).fit(small).save(tmp_path / "x.safetensors")
    plain, guarded = load(tmp_path / "x.safetensors"), load(tmp_path / "x.safetensors", guarded=True)
    assert guarded.key == plain.key and np.array_equal(guarded.reconstruct(), plain.reconstruct())


@pytest.mark.parametrize(
    ("call", "told"),
    [
        ((os.abort,), "x.npy ended the process that was to read it"),
        ((sum, range(10**12)), "x.npy takes more than 0.8 s to read"),
        ((np.ones, 1 << 28), "x.npy does not fit in memory"),
    ],
    ids=["death", "time", "memory"],
)
def test_a_process_that_dies_or_takes_too_much_is_a_sentence(call, told):
    with pytest.raises(InputError, match=f"^{told}") as refused:
        called(*call)
    assert "\n" not in str(refused.value)
    assert called(sum, [1, 2]) == 3


def test_it_has_no_network_for_what_is_here():
    with socket.create_server(("127.0.0.1", 0)) as server:
        connect = f"__import__('socket').create_connection(('127.0.0.1', {server.getsockname()[1]}), 1)"
        with pytest.raises(InputError, match="may not be read"):
            called(eval, connect)


def test_one_that_forks_is_begun_again_where_it_was_ended():
    assert called(sum, [1, 2]) == 3
    for nursery in asking.nurseries:
        os.killpg(nursery.process.pid, signal.SIGKILL)
        assert nursery.control.recv(1) == b""  # all that had the other end of it are gone
    assert called(sum, [1, 2]) == 3


def test_a_file_is_not_blamed_where_its_process_never_began(monkeypatch):
    bear, asked = asking.Nursery.bear, []

    def lost(self, channel):
        asked.append(channel)
        if len(asked) > 1:
            bear(self, channel)

    monkeypatch.setattr(asking.Nursery, "bear", lost)
    assert called(sum, [1, 2]) == 3 and len(asked) == 2
    monkeypatch.setattr(asking.Nursery, "bear", lambda *_: None)
    with pytest.raises(InputError, match="Files cannot be read here now"):
        called(sum, [1, 2])
