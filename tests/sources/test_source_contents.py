"""What kind a file is, told by its bytes; what is known and not read is named."""

import pickle

import numpy as np
import pytest

from compress import InputError
from compress.sources import load_matrix, tensors
from compress.sources.contents import kind_of

ROWS = [b"the 0.5 -1 2e-3", b"of 1 2 3.25", b"and -0.1 0 7"]


def named(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    return tmp_path / name


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("graph.emb", b"3 3\n0 1 2 3\n1 4 5 6\n2 7 8 9\n", "text"),
        ("vectors", b"\n".join(ROWS), "text"),
        ("deep.walk", b"\n".join(ROWS).replace(b" ", b"\t"), "text"),
        ("comma.glove", b", 0.1 0.2\nthe 0.3 0.4\n, 0.5 0.6\n", "text"),
        ("half", b"2 2\na \x00\x01\x02\x03\x04\x05\x06\x07b \x00\x01\x02\x03\x04\x05\x06\x07", "text"),
        ("really text.csv", b"\n".join(ROWS), "text"),
        ("a table.txt", b"word,x,y\nthe,1,2\nof,3,4\n", "csv"),
        ("a table", b"word;x;y\nthe;1,5;2\nof;3;4\n", "csv"),
        ("a table.dat", b"word\tx\ty\nthe\t1\t2\nof\t3\t4\n", "csv"),
        ("tabs.tsv", b"\n".join(ROWS).replace(b" ", b"\t"), "csv"),
        ("a list", b'[\n  {"word": "the"}]', "json"),
        ("numbers", b"[[0.1, 0.2], [1, 2]]", "json"),
        ("brackets", b"[ 0.1 0.2\n] 0.3 0.4\n", "text"),
        ("notes", b"Some words. And 3 more\nof them\n", None),
    ],
)
def test_a_text_is_told_by_its_lines(tmp_path, name, content, kind):
    assert kind_of(named(tmp_path, name, content)) == kind


@pytest.mark.parametrize("name", ["graph.emb", "walks.embeddings", "small.6d", "vectors"])
def test_word_vectors_under_any_name_are_read(tmp_path, name):
    matrix = load_matrix(named(tmp_path, name, b"3 3\n" + b"\n".join(ROWS)))
    assert matrix.tokens[2] == "and"
    np.testing.assert_array_equal(matrix.values[1], np.float32([1, 2, 3.25]))


def test_an_array_under_any_name_is_read(tmp_path, values):
    np.save(tmp_path / "x.npy", values)
    for name in ("x.array", "x"):
        (tmp_path / "x.npy").replace(tmp_path / name)
        np.testing.assert_array_equal(load_matrix(tmp_path / name).values, values)
        (tmp_path / name).replace(tmp_path / "x.npy")


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 90868376\n"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("model.safetensors", POINTER, "is a Git LFS pointer"),
        ("x.npy", b"<!DOCTYPE html>\n<html><body>Sign in</body></html>", "is a web page"),
        ("x.npy", pickle.dumps({"a": 1}), "is a pickle"),
        ("x.pkl", b"\x80\x04\x8c\x13joblib.numpy_pickle" + bytes(40), "is a file of joblib"),
        ("x.index", b"IxFI\x03\x00\x00\x00" + bytes(60), "is an index of faiss"),
        ("x", b"SQLite format 3\x00" + bytes(100), "is a database of SQLite"),
        ("model.ckpt.data-00000-of-00001", bytes(100), "is part of a TensorFlow checkpoint"),
        ("model.ckpt.index", bytes(40) + (0xDB4775248B80FB57).to_bytes(8, "little"), "is part of a TensorFlow checkpoint"),
        ("saved_model.pb", b"\x08\x01\x12\x04abcd", "is a graph of TensorFlow"),
        ("x.tar", bytes(257) + b"ustar" + bytes(250), "is an archive"),
    ],
)
def test_what_is_known_and_not_read_is_named_with_what_to_do(tmp_path, name, content, words):
    path = named(tmp_path, name, content)
    for use in (load_matrix, tensors):
        with pytest.raises(InputError, match=rf"^{name} {words}.*; "):
            use(path)


def test_a_model_cloned_without_its_files_is_told_so(tmp_path):
    named(tmp_path, "model.safetensors", POINTER)
    with pytest.raises(InputError, match=r"^model\.safetensors is a Git LFS pointer"):
        load_matrix(tmp_path)
    np.save(tmp_path / "table.npy", np.eye(3, dtype=np.float32))
    (tmp_path / "model.safetensors").unlink()
    named(tmp_path, "tokenizer.json", POINTER)
    with pytest.raises(InputError, match=r"^tokenizer\.json is a Git LFS pointer"):
        load_matrix(tmp_path)


def test_a_folder_of_one_file_without_an_ending_is_read_and_one_of_what_is_not_read_is_named(tmp_path, values):
    np.save(tmp_path / "x.npy", values)
    (tmp_path / "x.npy").rename(tmp_path / "vectors")
    named(tmp_path, "notes.md", b"# Notes\nof any kind\n")
    np.testing.assert_array_equal(load_matrix(tmp_path).values, values)
    (tmp_path / "vectors").unlink()
    named(tmp_path, "saved_model.pb", b"\x08\x01\x12\x04abcd")
    with pytest.raises(InputError, match=r"^saved_model\.pb is a graph of TensorFlow"):
        load_matrix(tmp_path)
