"""Safetensors files, read and written."""

import json

import numpy as np
import pytest

from compress import EmbeddingMatrix, InputError
from compress.sources import limits, load_matrix, save_matrix, tensors


def raw(path, header, body=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + body)
    return path


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "bfloat16", "int32"])
def test_every_dtype_gives_what_torch_gives(tmp_path, dtype):
    import torch
    from safetensors.torch import save_file

    tensor = (torch.randn(9, 5, generator=torch.Generator().manual_seed(0)) * 10).to(getattr(torch, dtype))
    save_file({"w": tensor}, tmp_path / "x.safetensors")
    matrix = load_matrix(tmp_path / "x.safetensors")
    np.testing.assert_array_equal(matrix.values, tensor.float().numpy())
    assert [(info.shape, info.dtype) for info in tensors(tmp_path / "x.safetensors")] == [((9, 5), dtype)]


def test_a_tensor_at_an_odd_byte_is_read(tmp_path, values):
    header = {
        "pad": {"dtype": "U8", "shape": [3], "data_offsets": [0, 3]},
        "w": {"dtype": "F32", "shape": [7, 4], "data_offsets": [3, 115]},
    }
    matrix = load_matrix(raw(tmp_path / "x.safetensors", header, b"abc" + values.tobytes()))
    np.testing.assert_array_equal(matrix.values, values)
    assert matrix.values.flags.aligned


@pytest.mark.parametrize("length", [0x280, 0x480, 0x8B1F], ids=["as a pickle", "as a pickle of protocol 4", "as gzip"])
def test_a_header_whose_length_reads_as_another_kinds_sign_is_safetensors(tmp_path, values, length):
    text = json.dumps({"w": {"dtype": "F32", "shape": [7, 4], "data_offsets": [0, 112]}}).encode().ljust(length)
    np.testing.assert_array_equal(load_matrix(raw(tmp_path / "x.safetensors", text, values.tobytes())).values, values)


def test_embedding_like_tensors_come_first(tmp_path, write_safetensors):
    names = {
        "lm_head.weight": (50, 2),
        "embeddings.position_embeddings.weight": (40, 2),
        "embeddings.LayerNorm.weight": (30, 2),
        "embeddings.word_embeddings.weight": (20, 2),
        "shared.weight": (10, 2),
        "h.0.weight": (60, 2),
        "h.0.bias": (60,),
    }
    path = write_safetensors(tmp_path / "x.safetensors", {n: ("F32", s, np.ones(s, "<f4").tobytes()) for n, s in names.items()})
    assert [info.name for info in tensors(path)] == [
        "embeddings.word_embeddings.weight",
        "shared.weight",
        "lm_head.weight",
        "h.0.weight",
        "embeddings.position_embeddings.weight",
        "embeddings.LayerNorm.weight",
    ]
    assert load_matrix(path).shape == (20, 2)


@pytest.mark.parametrize("tokens", [None, ["a", "b\n", "<b>", "", "Ġд", '\\"', "a"]])
def test_a_saved_matrix_is_read_back(tmp_path, values, tokens):
    matrix = EmbeddingMatrix(values, tokens)
    save_matrix(matrix, tmp_path / "x.safetensors")
    again = load_matrix(tmp_path / "x.safetensors")
    assert again.digest == matrix.digest
    assert list(again.tokens) == list(matrix.tokens)
    assert again.has_tokens == matrix.has_tokens
    assert [path.name for path in tmp_path.iterdir()] == ["x.safetensors"]


def test_a_saved_matrix_is_what_the_library_reads(tmp_path, values):
    from safetensors.numpy import load_file

    save_matrix(EmbeddingMatrix(values, list("abcdefg")), tmp_path / "x.safetensors")
    np.testing.assert_array_equal(load_file(tmp_path / "x.safetensors")["embedding"], values)


def test_saving_over_the_mapped_file_keeps_both(tmp_path, values):
    path = tmp_path / "x.safetensors"
    save_matrix(EmbeddingMatrix(values), path)
    first = load_matrix(path)
    save_matrix(EmbeddingMatrix(values * 2), path)
    np.testing.assert_array_equal(first.values, values)
    np.testing.assert_array_equal(load_matrix(path).values, values * 2)


def test_a_failed_save_leaves_nothing_behind(tmp_path, values, monkeypatch):
    def fail(part, path):
        raise OSError(28, "No space left")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(InputError, match="cannot be written: No space left"):
        save_matrix(EmbeddingMatrix(values), tmp_path / "x.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_saving_where_there_is_no_folder_is_refused(tmp_path, values):
    with pytest.raises(InputError, match="cannot be written"):
        save_matrix(EmbeddingMatrix(values), tmp_path / "absent" / "x.safetensors")
    with pytest.raises(InputError, match=r"saved as \.safetensors"):
        save_matrix(EmbeddingMatrix(values), tmp_path / "x.npy")


def test_lone_surrogates_in_tokens_are_replaced(tmp_path, values, write_safetensors):
    tokens = json.dumps(["\ud800x", *"bcdefg"])
    path = write_safetensors(tmp_path / "x.safetensors", {"w": ("F32", (7, 4), values.tobytes())}, {"tokens": tokens})
    assert load_matrix(path).tokens[0] == "?x"


@pytest.mark.parametrize("tokens", ["5", "[1, 2]", "not json", '["a"]', "[" * 100_000])
def test_other_metadata_under_tokens_is_left_alone(tmp_path, values, write_safetensors, tokens):
    path = write_safetensors(tmp_path / "x.safetensors", {"w": ("F32", (7, 4), values.tobytes())}, {"tokens": tokens})
    assert not load_matrix(path).has_tokens


def test_a_compressed_table_points_to_decode(tmp_path, values, write_safetensors):
    path = write_safetensors(tmp_path / "x.safetensors", {"w": ("F32", (7, 4), values.tobytes())}, {"flatland": "{}"})
    with pytest.raises(InputError, match="compressed table, not a matrix; decode it first: python -m compress decode"):
        load_matrix(path)


def test_only_vectors_are_no_matrix(tmp_path, write_safetensors):
    path = write_safetensors(tmp_path / "x.safetensors", {"bias": ("F32", (3,), bytes(12))})
    with pytest.raises(InputError, match=r"no 2-D tensor of numbers \(it holds bias \(3,\)\)"):
        load_matrix(path)


def test_a_dtype_that_is_not_read_is_named(tmp_path, write_safetensors):
    path = write_safetensors(tmp_path / "x.safetensors", {"w": ("F4", (3, 8), bytes(12))})
    for tensor in ("w", None):
        with pytest.raises(InputError, match="'w', is stored as F4, which is not read"):
            load_matrix(path, tensor=tensor)


def test_a_table_of_a_dtype_that_is_not_read_is_named_and_no_other_tensor_taken(tmp_path, values, write_safetensors):
    held = {"embed.weight": ("F4", (7, 8), bytes(28)), "lm_head.weight": ("F32", (7, 4), values.tobytes())}
    with pytest.raises(InputError, match=r"The table of x\.safetensors, 'embed\.weight', is stored as F4"):
        load_matrix(write_safetensors(tmp_path / "x.safetensors", held))


def entry(shape=(2, 2), offsets=(0, 16), dtype="F32"):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        ({"w": entry(offsets=(-16, 0))}, "is malformed"),
        ({"w": entry(offsets=(16, 0))}, "lies outside the file"),
        ({"w": entry(offsets=(0, 1600), shape=(2, 200))}, "lies outside the file"),
        ({"w": entry(shape=(2, 3))}, "does not take"),
        ({"w": entry(shape=(2**40, 2**40))}, "does not take"),
        ({"w": entry(shape=(-2, -2))}, "is malformed"),
        ({"w": entry(shape=(2.0, 2))}, "is malformed"),
        ({"w": entry(shape=(True, 4))}, "is malformed"),
        ({"w": {"dtype": "F32"}}, "is malformed"),
        ({"w": entry(dtype=4)}, "is malformed"),
        ({"w": 7}, "is malformed"),
        ({"v": entry(), "w": entry(offsets=(8, 24))}, "overlap"),
        ([1, 2], "is not that of a safetensors file"),
        ({"__metadata__": 3}, "is not that of a safetensors file"),
        (b'{"w": {', "is not valid JSON"),
        (b'{"w": 1, "w": 2}', "is not valid JSON"),
        (b"\xff\xff", "is not valid JSON"),
        (b"[" * 20_000, "is not valid JSON"),
        (b'{"w": ' + b"9" * 5000 + b"}", "is not valid JSON"),
    ],
)
def test_a_bad_header_is_refused(tmp_path, header, sentence):
    path = raw(tmp_path / "x.safetensors", header, bytes(32))
    with pytest.raises(InputError, match=sentence):
        load_matrix(path)


@pytest.mark.parametrize("length", [0, 1, 10**6, 2**63])
def test_an_absurd_header_length_is_refused(tmp_path, length):
    (tmp_path / "x.safetensors").write_bytes(length.to_bytes(8, "little") + b"{}" + bytes(50))
    with pytest.raises(InputError, match="do not hold the header they declare"):
        load_matrix(tmp_path / "x.safetensors")


def test_bfloat16_that_does_not_fit_is_refused(tmp_path, write_safetensors, monkeypatch):
    path = write_safetensors(tmp_path / "x.safetensors", {"w": ("BF16", (50, 4), bytes(400))})
    monkeypatch.setattr(limits, "MEMORY_LIMIT", 500)
    with pytest.raises(InputError, match="needs 800 bytes of memory"):
        load_matrix(path)
