"""Folders: transformers models, and data with a vocabulary beside it."""

import json
import os

import numpy as np
import pytest

from compress import InputError
from compress.sources import load_matrix, tensors
from compress.sources.checkpoints import torch_file

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
    [{"a": 0, "Ġb": 1, "c": 3, "g": 6}, [[token, -1.0] for token in ("a", "Ġb", "old", "c", "row 4", "row 5", "g")]],
    ids=["by id", "in order"],
)
def test_tokenizer_json_names_rows_by_id(model, vocabulary):
    added = [{"id": 2, "content": "<s>"}, {"id": 50, "content": "<pad>"}]
    write_json(model / "tokenizer.json", {"model": {"vocab": vocabulary}, "added_tokens": added})
    assert list(load_matrix(model).tokens) == ["a", "Ġb", "<s>", "c", "row 4", "row 5", "g"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("vocab.txt", "a\nb\u2028\n\nd\ne\nf\ng\n"),
        ("vocab.txt", "a\r\nb\u2028\r\n\r\nd\r\ne\r\nf\r\ng"),
        ("vocab.json", json.dumps({"g": 6, "d": 3, "": 2, "b\u2028": 1, "a": 0})),
        ("vocab.json", json.dumps({"0": "a", "1": "b\u2028", "2": "", "6": "g"})),
        ("tokens.json", json.dumps(["a", "b\u2028", "", "d", "e", "f", "g"])),
        ("my_vocab_file.txt", "b\u2028\x00 1\na 0\nc 2\nd 3\ne 4\ng 6\nf 5\n"),
    ],
)
def test_plain_vocabularies_name_rows(model, name, content):
    (model / name).write_bytes(content.encode())
    tokens = load_matrix(model).tokens
    assert tokens[0] == "a"
    assert tokens[1].rstrip("\x00") == "b\u2028"
    assert tokens[6] == "g"


@pytest.mark.parametrize("count", [3, 6, 8, 30])
def test_rows_have_no_names_where_the_vocabulary_has_other_counts(model, count):
    (model / "vocab.txt").write_text("".join(f"w{i}\n" for i in range(count)))
    assert not load_matrix(model).has_tokens


@pytest.mark.parametrize(
    "n_rows, named", [(24, True), (32, True), (64, True), (23, False), (25, False), (60, False), (1024, False)]
)
def test_rows_past_a_models_vocabulary_are_padding_to_a_round_number(folder, write_safetensors, n_rows, named):
    table = ("F32", (n_rows, 2), np.ones((n_rows, 2), "<f4").tobytes())
    write_safetensors(folder / "model.safetensors", {EMBEDDING: table})
    write_json(folder / "vocab.json", {f"w{i}": i for i in range(24)})
    matrix = load_matrix(folder)
    assert matrix.has_tokens == named
    assert matrix.tokens[22:26] == ((("w22", "w23", "row 24", "row 25") if named else matrix.tokens[22:26])[: n_rows - 22])
    write_json(folder / "config.json", {"vocab_size": n_rows})
    assert load_matrix(folder).has_tokens == (n_rows >= 24)


def test_counts_in_json_are_no_rows(model):
    write_json(model / "vocab.json", {"the": 900, "of": 400, "and": 400, "to": 3, "in": 2, "a": 1, "is": 1})
    assert not load_matrix(model).has_tokens


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("added_tokens.json", {"<new a>": 5, "<new b>": 6, "<far>": 9}),
        ("tokenizer_config.json", {"added_tokens_decoder": {"5": {"content": "<new a>"}, "6": {"content": "<new b>"}}}),
    ],
)
def test_added_tokens_name_the_rows_past_the_vocabulary(model, name, content):
    write_json(model / "vocab.json", {f"w{i}": i for i in range(5)})
    write_json(model / name, content)
    assert load_matrix(model).tokens[4:] == ("w4", "<new a>", "<new b>")
    write_json(model / name, [1])
    with pytest.raises(InputError, match=f"{name} does not number tokens"):
        load_matrix(model)


def test_a_list_of_fairseq_begins_after_its_four_tokens(model):
    (model / "dict.txt").write_text("the 900\nof 400\nand 3\n")
    assert load_matrix(model).tokens == ("<s>", "<pad>", "</s>", "<unk>", "the", "of", "and")


def test_names_stay_off_rows_that_are_no_tokens(folder, values, write_safetensors):
    part = ("F32", (7, 4), values.tobytes())
    names = ("embed.weight", "lm_head.weight", "fc1.weight", "embed_positions.weight", "exp_avg.embed.weight")
    write_safetensors(folder / "model.safetensors", dict.fromkeys(names, part))
    write_json(folder / "vocab.json", {f"w{i}": i for i in range(7)})
    assert [name for name in names if load_matrix(folder, tensor=name).has_tokens] == ["embed.weight", "lm_head.weight"]


def test_rows_that_tokens_share_are_named_by_their_first(folder, values, write_safetensors):
    mapping = np.array([(5 * i + 3) % 7 for i in range(14)], "<i4")
    held = {"embeddings": ("F32", (7, 4), values.tobytes()), "mapping": ("I32", (14,), mapping.tobytes())}
    write_safetensors(folder / "model.safetensors", held)
    write_json(
        folder / "tokenizer.json", {"model": {"type": "WordLevel", "vocab": {f"w{i}": i for i in range(14)}, "unk_token": "w0"}}
    )
    matrix = load_matrix(folder)
    assert [mapping[int(token[1:])] for token in matrix.tokens] == list(range(7))
    assert all(int(token[1:]) < 7 for token in matrix.tokens)
    held["mapping"] = ("I32", (14,), (mapping + 1).tobytes())
    write_safetensors(folder / "model.safetensors", held)
    assert not load_matrix(folder).has_tokens
    torch = pytest.importorskip("torch")
    (folder / "model.safetensors").unlink()
    torch.save({"embeddings": torch.tensor(values), "mapping": torch.tensor(mapping)}, folder / "pytorch_model.bin")
    assert load_matrix(folder).tokens == matrix.tokens


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


@pytest.mark.parametrize("place", ["0_StaticEmbedding", "snapshots/0a1b", "snapshots/0a1b/0_Transformer", "text_encoder"])
@pytest.mark.parametrize("above", [True, False])
def test_a_model_one_level_down_is_read_with_its_names(tmp_path, values, write_safetensors, place, above):
    model = tmp_path / place
    model.mkdir(parents=True)
    write_safetensors(model / "model.safetensors", {EMBEDDING: ("F32", (7, 4), values.tobytes())})
    write_json((tmp_path if above else model) / "vocab.json", {f"w{i}": i for i in range(7)})
    matrix = load_matrix(tmp_path)
    np.testing.assert_array_equal(matrix.values, values)
    assert matrix.tokens[6] == "w6" and matrix.name == tmp_path.name
    assert [info.name for info in tensors(tmp_path)] == [EMBEDDING]


@pytest.mark.parametrize("used", ["aa", "bb", "../../elsewhere", None])
def test_the_version_in_use_of_the_hubs_cache_is_read(tmp_path, values, write_safetensors, used):
    for factor, version in enumerate(("bb", "aa"), start=1):
        (tmp_path / "snapshots" / version).mkdir(parents=True)
        held = {EMBEDDING: ("F32", (7, 4), (factor * values).tobytes())}
        write_safetensors(tmp_path / "snapshots" / version / "model.safetensors", held)
        os.utime(tmp_path / "snapshots" / version, (factor, factor))
    if used:
        (tmp_path / "refs").mkdir()
        (tmp_path / "refs" / "main").write_text(used)
    np.testing.assert_array_equal(load_matrix(tmp_path).values, (1 if used == "bb" else 2) * values)


def test_shards_without_an_index_are_one_model(folder, values, write_safetensors):
    write_safetensors(folder / "model-00001-of-00002.safetensors", {"h.weight": ("F32", (9, 4), bytes(144))})
    write_safetensors(folder / "model-00002-of-00002.safetensors", {EMBEDDING: ("F32", (7, 4), values.tobytes())})
    np.testing.assert_array_equal(load_matrix(folder).values, values)


def test_of_shards_without_an_index_none_may_be_missing_but_where_the_table_is_there(folder, values):
    torch = pytest.importorskip("torch")
    torch.save({EMBEDDING: torch.tensor(values)}, folder / "pytorch_model-00001-of-00002.bin")
    torch.save({"h.weight": torch.ones(9, 4)}, folder / "pytorch_model-00002-of-00002.bin")
    np.testing.assert_array_equal(load_matrix(folder).values, values)
    np.testing.assert_array_equal(load_matrix(folder.parent).values, values)
    (folder / "pytorch_model-00002-of-00002.bin").unlink()
    np.testing.assert_array_equal(load_matrix(folder).values, values)
    torch.save({"h.weight": torch.ones(9, 4)}, folder / "pytorch_model-00002-of-00002.bin")
    (folder / "pytorch_model-00001-of-00002.bin").unlink()
    with pytest.raises(InputError, match=r"pytorch_model-00001-of-00002\.bin is missing, in which the table may lie"):
        load_matrix(folder)


def test_what_training_leaves_beside_a_model_is_no_matrix(folder, values):
    torch = pytest.importorskip("torch")
    torch.save({"wte.weight": torch.from_numpy(values)}, folder / "model.pt")
    for name in ("optimizer.pt", "scheduler.pt", "training_args.bin", "rng_state.pth"):
        torch.save({"a": torch.ones(2, 2)}, folder / name)
    np.testing.assert_array_equal(load_matrix(folder).values, values)


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
    for name, tensor in (("static", "embedding.weight"), ("dense", "linear.weight")):
        (tmp_path / name).mkdir()
        write_safetensors(tmp_path / name / "model.safetensors", {tensor: ("F32", (7, 4), values.tobytes())})
    words = {"model": {"type": "WordLevel", "vocab": {f"word{row}": row for row in range(7)}}}
    (tmp_path / "static" / "tokenizer.json").write_text(json.dumps(words))
    with pytest.raises(InputError, match=r"several folders with a model \(dense, static\)"):
        load_matrix(tmp_path)
    (tmp_path / "modules.json").write_text(json.dumps([{"path": "static"}, {"path": "dense"}]))
    matrix = load_matrix(tmp_path)
    np.testing.assert_array_equal(matrix.values, values)
    assert (matrix.tokens[2], matrix.name) == ("word2", tmp_path.name)
