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


def quantized(rows, dim, part, apart, rng):
    """A matrix in product quantization, and what its rows are: parts of so many columns, the last of what is left."""
    lengths = [part] * (dim // part) + ([dim % part] if dim % part else [])
    books = [rng.standard_normal((256, length)).astype("<f4") for length in lengths]
    codes = rng.integers(256, size=(rows, len(lengths)), dtype=np.uint8)
    values = np.concatenate([book[codes[:, at]] for at, book in enumerate(books)], axis=1)
    data = struct.pack("<? 2q i", apart, rows, dim, codes.size) + codes.tobytes()
    data += struct.pack("<4i", dim, len(lengths), part, lengths[-1]) + b"".join(book.tobytes() for book in books)
    if apart:
        sizes, each = rng.random(256).astype("<f4"), rng.integers(256, size=rows, dtype=np.uint8)
        data += each.tobytes() + struct.pack("<4i", 1, 1, 1, 1) + sizes.tobytes()
        values = values * sizes[each][:, None]
    return data, values


def small_model(apart=False, output_too=False, dim=5):
    """A quantized classifier (.ftz), its input rows, and its output rows."""
    rng = np.random.default_rng(3)
    whole = model(labels=["__label__a", "__label__b"], loss_model=3, dim=dim)[0]
    head = whole[: whole.rindex(b"__label__b") + len("__label__b") + 10]
    table, values = quantized(len(WORDS) + 3, dim, 2, apart, rng)
    out = rng.standard_normal((2, dim)).astype("<f4")
    last, out = quantized(2, dim, 2, apart, rng) if output_too else (struct.pack("<2q", *out.shape) + out.tobytes(), out)
    return head + b"\1" + table + bytes([output_too]) + last, values, out


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("output_too", [False, True])
def test_a_quantized_model_is_decoded(tmp_path, apart, output_too):
    path = tmp_path / "lid.ftz"
    data, table, out = small_model(apart, output_too)
    path.write_bytes(data)
    matrix = load_matrix(path)
    np.testing.assert_allclose(matrix.values, table[:5], rtol=1e-6)
    assert list(matrix.tokens) == WORDS
    assert matrix.notes[0].startswith("Stored as fastText's product quantization")
    np.testing.assert_allclose(load_matrix(path, tensor="subwords").values, table[5:], rtol=1e-6)
    labelled = load_matrix(path, tensor="output")
    np.testing.assert_allclose(labelled.values, out, rtol=1e-6)
    assert list(labelled.tokens) == ["__label__a", "__label__b"]


def test_a_quantized_model_that_is_not_whole_is_refused(tmp_path):
    path, whole = tmp_path / "lid.ftz", small_model(apart=True, output_too=True)[0]
    for cut in range(200, len(whole), 997):
        path.write_bytes(whole[:cut])
        with pytest.raises(InputError, match=r"^lid\.ftz "):
            load_matrix(path)


def test_a_model_that_is_not_whole_is_refused(tmp_path):
    whole = model()[0]
    bad = [whole[:cut] for cut in (30, 90, 100, 160, 250, len(whole) - 1)]
    bad += [model(rows=rows)[0] for rows in (1 << 60, -1, 2)]
    bad += [whole[:64] + struct.pack("<3i", 1 << 30, 1 << 30, 0) + whole[76:]]
    for data in bad:
        (tmp_path / "cc.bin").write_bytes(data)
        with pytest.raises(InputError, match=r"cc\.bin is a damaged model of fastText"):
            load_matrix(tmp_path / "cc.bin")
