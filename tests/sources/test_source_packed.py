"""Packed files, and the files that come in pairs."""

import bz2
import gzip
import lzma
import zipfile

import numpy as np
import pytest
import zstandard

from compress import InputError
from compress.sources import limits, load_matrix, packed, tensors

WORDS = [f"term{i}" for i in range(24)]
VECTORS = np.random.default_rng(7).standard_normal((24, 6)).astype(np.float32)
TEXT = "\n".join(f"{word} {' '.join(map(str, row))}" for word, row in zip(WORDS, VECTORS.tolist(), strict=True)).encode()


def zipped(path, *files):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files:
            archive.writestr(name, data)


PACK = {
    "x.vec.gz": lambda path, data: path.write_bytes(gzip.compress(data)),
    "x.txt.xz": lambda path, data: path.write_bytes(lzma.compress(data)),
    "x.txt.bz2": lambda path, data: path.write_bytes(bz2.compress(data)),
    "x.txt.zst": lambda path, data: path.write_bytes(zstandard.compress(data)),
    "x.zip": lambda path, data: zipped(path, ("folder/", b""), ("folder/x.txt", data), ("__MACOSX/folder/._x.txt", b"1")),
}


@pytest.mark.parametrize("name", PACK)
def test_a_packed_file_is_read_as_what_is_in_it(tmp_path, name):
    path = tmp_path / name
    PACK[name](path, TEXT)
    matrix = load_matrix(path)
    np.testing.assert_array_equal(matrix.values, VECTORS)
    assert list(matrix.tokens) == WORDS and matrix.name == name
    assert tensors(path)[0].shape == (24, 6)


@pytest.mark.parametrize("name", PACK)
def test_a_packed_file_that_is_cut_or_damaged_is_named(tmp_path, name):
    path = tmp_path / name
    PACK[name](path, TEXT)
    whole = path.read_bytes()
    for data in (whole[:-20], whole[: len(whole) // 2], whole[:30] + bytes(20) + whole[50:]):
        path.write_bytes(data)
        with pytest.raises(InputError, match=name) as refused:
            load_matrix(path)
        assert str(tmp_path) not in str(refused.value) and "flatland" not in str(refused.value)


@pytest.mark.parametrize("name", PACK)
def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path, monkeypatch, name):
    monkeypatch.setattr(limits, "FREE", 1 << 20)
    monkeypatch.setattr(packed, "CHUNK", 1 << 16)
    PACK[name](tmp_path / name, bytes(8 << 20))
    with pytest.raises(InputError, match=rf"{name} has .* and unpacks to .*, as a trap does"):
        load_matrix(tmp_path / name)


def test_what_cannot_be_one_table_is_told(tmp_path):
    zipped(tmp_path / "x.zip", ("a.txt", TEXT), ("b.txt", TEXT))
    with pytest.raises(InputError, match=r"x.zip holds 2 files \(a.txt, b.txt\)"):
        load_matrix(tmp_path / "x.zip")
    (tmp_path / "x.gz").write_bytes(gzip.compress(gzip.compress(TEXT)))
    with pytest.raises(InputError, match=r"x\.gz is packed more than once"):
        load_matrix(tmp_path / "x.gz")


def test_words_beside_vectors_name_the_rows(tmp_path):
    np.savez(tmp_path / "x.npz", words=np.array(WORDS), vectors=VECTORS, others=np.array(["a", "b"]))
    matrix = load_matrix(tmp_path / "x.npz")
    assert list(matrix.tokens) == WORDS and matrix.row_word == "word"


@pytest.mark.parametrize("head", ["", "count\tword\n"])
def test_the_pair_of_the_projector_is_read_by_folder_and_by_file(tmp_path, head):
    np.savetxt(tmp_path / "vectors.tsv", VECTORS, delimiter="\t")
    lines = [f"{row}\t{word}" if head else word for row, word in enumerate(WORDS)]
    (tmp_path / "metadata.tsv").write_text(head + "\n".join(lines) + "\n")
    for source in (tmp_path, tmp_path / "vectors.tsv"):
        matrix = load_matrix(source)
        np.testing.assert_allclose(matrix.values, VECTORS, rtol=1e-6)
        assert list(matrix.tokens) == WORDS
