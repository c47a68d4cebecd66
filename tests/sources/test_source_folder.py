"""Folders: transformers models, and data with a vocabulary beside it."""

import json

import numpy as np
import pytest

from compress import InputError
from compress.sources import load_matrix, tensors, torch_file

EMBEDDING = "model.embed_tokens.weight"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text("{}")
    return tmp_path / "model"


@pytest.fixture
def model(folder, values, write_safetensors):
    tensors = {
        "lm_head.weight": ("F32", (14, 4), np.tile(values, (2, 1)).tobytes()),
        EMBEDDING: ("F32", (7, 4), values.tobytes()),
    }
    write_safetensors(folder / "model.safetensors", tensors)
    return folder


def write_json(path, content):
    path.write_text(json.dumps(content))


def test_a_model_gives_its_embedding_and_is_named_after_its_folder(model, values):
    matrix = load_matrix(model)
    np.testing.assert_array_equal(matrix.values, values)
    assert matrix.name == "model"
    assert not matrix.has_tokens
    assert [info.name for info in tensors(model)] == [EMBEDDING, "lm_head.weight"]
    assert load_matrix(model, tensor="lm_head.weight").shape == (14, 4)


@pytest.mark.parametrize(
    "vocabulary",
    [{"a": 0, "Ġb": 1, "c": 3, "far": 99}, [["a", -1.0], ["Ġb", -2.0], ["old", 0.0], ["c", -3.0]]],
    ids=["by id", "in order"],
)
def test_tokenizer_json_names_rows_by_id(model, vocabulary):
    added = [{"id": 2, "content": "<s>"}, {"id": 50, "content": "<pad>"}]
    write_json(model / "tokenizer.json", {"model": {"vocab": vocabulary}, "added_tokens": added})
    assert list(load_matrix(model).tokens) == ["a", "Ġb", "<s>", "c", "row 4", "row 5", "row 6"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("vocab.txt", "a\nb\u2028\n\nd\n"),
        ("vocab.txt", "a\r\nb\u2028\r\n\r\nd"),
        ("vocab.json", json.dumps({"d": 3, "": 2, "b\u2028": 1, "a": 0})),
        ("vocab.json", json.dumps({"0": "a", "1": "b\u2028", "2": "", "3": "d"})),
        ("tokens.json", json.dumps(["a", "b\u2028", "", "d"])),
        ("my_vocab_file.txt", "b\u2028\x00 1\na 0\n"),
    ],
)
def test_plain_vocabularies_name_rows(model, name, content):
    (model / name).write_bytes(content.encode())
    tokens = load_matrix(model).tokens
    assert tokens[0] == "a"
    assert tokens[1].rstrip("\x00") == "b\u2028"
    assert tokens[6] == "row 6"


def test_tokens_past_the_last_row_are_left_out(model):
    (model / "vocab.txt").write_text("".join(f"w{i}\n" for i in range(30)))
    assert list(load_matrix(model).tokens) == [f"w{i}" for i in range(7)]


def test_counts_after_words_are_left_out(model):
    (model / "vocab.txt").write_text("".join(f"w{i} {900 - i}\n" for i in range(7)))
    assert load_matrix(model).tokens[2] == "w2"


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("tokenizer.json", b"[]", "is not a tokenizer's file"),
        ("tokenizer.json", b'{"model": {"vocab": {"a": "x", "b": 1}}}', "is not a tokenizer's file"),
        ("tokenizer.json", b'{"model": {"vocab": [[]]}}', "is not a tokenizer's file"),
        ("tokenizer.json", b'{"model"', "is not valid JSON"),
        ("vocab.json", b"3", "neither a list of tokens nor token to number"),
        ("vocab.json", b'{"a": "b"}', "neither a list of tokens nor token to number"),
        ("vocab.txt", b"\xff\xfe", "is not UTF-8 text"),
    ],
)
def test_a_bad_vocabulary_is_refused(model, name, content, sentence):
    (model / name).write_bytes(content)
    with pytest.raises(InputError, match=sentence):
        load_matrix(model)


def test_a_vocabulary_that_only_transformers_reads_is_optional(model):
    (model / "tokenizer.model").write_bytes(b"not a model")
    assert not load_matrix(model).has_tokens


@pytest.fixture
def sharded(folder, values, write_safetensors):
    write_safetensors(folder / "a.safetensors", {"h.weight": ("F32", (9, 4), np.ones((9, 4), "<f4").tobytes())})
    write_safetensors(folder / "b.safetensors", {EMBEDDING: ("F32", (7, 4), values.tobytes())})
    weight_map = {"h.weight": "a.safetensors", EMBEDDING: "b.safetensors"}
    write_json(folder / "model.safetensors.index.json", {"weight_map": weight_map})
    return folder


def test_a_sharded_model_is_read_from_the_one_shard(sharded, values):
    assert [info.name for info in tensors(sharded)] == [EMBEDDING, "h.weight"]
    (sharded / "a.safetensors").unlink()
    np.testing.assert_array_equal(load_matrix(sharded).values, values)


def test_a_missing_shard_is_named(sharded):
    (sharded / "b.safetensors").unlink()
    with pytest.raises(InputError, match=r"b\.safetensors is missing"):
        load_matrix(sharded)


@pytest.mark.parametrize("file", ["../b.safetensors", "/etc/passwd", "", 3, ".."])
def test_an_index_cannot_lead_out_of_the_folder(sharded, file):
    write_json(sharded / "model.safetensors.index.json", {"weight_map": {EMBEDDING: file}})
    with pytest.raises(InputError, match="does not say in which file"):
        load_matrix(sharded)


def test_a_model_with_pytorch_weights_is_read(folder, values):
    torch = pytest.importorskip("torch")
    torch.save({"wte.weight": torch.from_numpy(values)}, folder / "pytorch_model.bin")
    write_json(folder / "vocab.json", {f"w{i}": i for i in range(7)})
    matrix = load_matrix(folder)
    np.testing.assert_array_equal(matrix.values, values)
    assert matrix.tokens[6] == "w6"
    assert torch_file.infos(folder / "pytorch_model.bin") == tensors(folder)


def test_a_model_saved_by_transformers_is_read(tmp_path):
    transformers = pytest.importorskip("transformers")
    config = transformers.BertConfig(vocab_size=20, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8)
    model = transformers.BertModel(config)
    model.save_pretrained(tmp_path / "bert")
    (tmp_path / "bert" / "vocab.txt").write_text("".join(f"t{i}\n" for i in range(20)))
    matrix = load_matrix(tmp_path / "bert")
    np.testing.assert_array_equal(matrix.values, model.embeddings.word_embeddings.weight.detach().numpy())
    assert matrix.tokens[19] == "t19"


def test_a_data_folder_with_one_matrix_and_a_vocabulary_is_read(tmp_path, values):
    np.save(tmp_path / "embeddings.npy", values)
    (tmp_path / "vocab.txt").write_text("\n".join("abcdefg"))
    (tmp_path / "notes.txt").write_text("not a matrix")
    assert list(load_matrix(tmp_path).tokens) == list("abcdefg")


def test_a_data_folder_with_two_matrices_names_them(tmp_path, values):
    np.save(tmp_path / "a.npy", values)
    np.save(tmp_path / "b.npy", values)
    with pytest.raises(InputError, match=r"several files that may be the matrix \(a\.npy, b\.npy\)"):
        load_matrix(tmp_path)


def test_a_folder_without_a_model_says_what_one_has(folder):
    for source in (folder, folder.parent):
        with pytest.raises(InputError, match=r"holds no model and no matrix file; a model's folder has config\.json"):
            load_matrix(source)


def test_a_table_one_level_down_is_read_with_its_names(tmp_path, values, write_safetensors):
    for name, tensor in (("0_StaticEmbedding", "embedding.weight"), ("1_Dense", "linear.weight")):
        (tmp_path / name).mkdir()
        write_safetensors(tmp_path / name / "model.safetensors", {tensor: ("F32", (7, 4), values.tobytes())})
    words = {"model": {"type": "WordLevel", "vocab": {f"word{row}": row for row in range(7)}}}
    (tmp_path / "0_StaticEmbedding" / "tokenizer.json").write_text(json.dumps(words))
    with pytest.raises(InputError, match=r"several folders with a model \(0_StaticEmbedding, 1_Dense\)"):
        load_matrix(tmp_path)
    (tmp_path / "modules.json").write_text(json.dumps([{"path": "0_StaticEmbedding"}, {"path": "1_Dense"}]))
    matrix = load_matrix(tmp_path)
    np.testing.assert_array_equal(matrix.values, values)
    assert (matrix.tokens[2], matrix.name) == ("word2", tmp_path.name)
