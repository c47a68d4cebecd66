"""fastText's own file: words, subwords and output layer by name, and files that are not whole."""

import struct

import numpy as np
import pytest

from compress import InputError
from compress.sources import load_matrix, tensors

WORDS = ["</s>", "the", "ä", "b c", "e"]


def model(words=WORDS, labels=(), bucket=3, dim=4, loss_model=2, quantized=False, rows=None, seed=0):
    rng = np.random.default_rng(seed)
    table = rng.standard_normal((len(words) + bucket, dim)).astype("<f4")
    out = rng.standard_normal((len(labels) or len(words), dim)).astype("<f4")
    settings = [793712314, 12, dim, 5, 5, 1, 5, 1, 2, loss_model, bucket, 3, 6, 100]
    data = struct.pack("<14i d", *settings, 1e-4)
    data += struct.pack("<3i 2q", len(words) + len(labels), len(words), len(labels), 99, -1)
    for kind, names in enumerate((words, labels)):
        data += b"".join(name.encode() + b"\0" + struct.pack("<qb", 7, kind) for name in names)
    data += bytes([quantized]) + struct.pack("<2q", rows or len(table), dim) + table.tobytes()
    return data + b"\0" + struct.pack("<2q", *out.shape) + out.tobytes(), table, out


def test_the_rows_of_the_words_are_read_and_the_others_are_named(tmp_path):
    data, table, out = model()
    (tmp_path / "cc.bin").write_bytes(data)
    matrix = load_matrix(tmp_path / "cc.bin")
    np.testing.assert_array_equal(matrix.values, table[:5])
    assert list(matrix.tokens) == WORDS
    assert "subwords" in matrix.notes[0]
    assert [(each.name, each.shape) for each in tensors(tmp_path / "cc.bin")] == [
        ("words", (5, 4)),
        ("subwords", (3, 4)),
        ("output", (5, 4)),
    ]
    np.testing.assert_array_equal(load_matrix(tmp_path / "cc.bin", tensor="subwords").values, table[5:])
    np.testing.assert_array_equal(load_matrix(tmp_path / "cc.bin", tensor="output").values, out)


def test_a_classifiers_output_rows_are_its_labels(tmp_path):
    data, _, _ = model(labels=["__label__a", "__label__b"], loss_model=3, bucket=0)
    (tmp_path / "model").write_bytes(data)
    matrix = load_matrix(tmp_path / "model", tensor="output")
    assert list(matrix.tokens) == ["__label__a", "__label__b"]
    assert load_matrix(tmp_path / "model").notes == ()


def test_a_quantized_model_is_named(tmp_path):
    (tmp_path / "lid.ftz").write_bytes(model(quantized=True)[0])
    with pytest.raises(InputError, match=r"lid\.ftz is a quantized model of fastText"):
        load_matrix(tmp_path / "lid.ftz")


def test_a_model_that_is_not_whole_is_refused(tmp_path):
    whole = model()[0]
    bad = [whole[:cut] for cut in (30, 90, 100, 160, 250, len(whole) - 1)]
    bad += [model(rows=rows)[0] for rows in (1 << 60, -1, 2)]
    bad += [whole[:64] + struct.pack("<3i", 1 << 30, 1 << 30, 0) + whole[76:]]
    for data in bad:
        (tmp_path / "cc.bin").write_bytes(data)
        with pytest.raises(InputError, match=r"cc\.bin is a damaged model of fastText"):
            load_matrix(tmp_path / "cc.bin")
