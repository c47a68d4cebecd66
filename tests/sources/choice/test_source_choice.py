"""Which tensor of a model is taken as its table, and what is said of the choice."""

import json

import numpy as np
import pytest

from compress import InputError
from compress.sources import load_matrix, tensors

N, D = 24, 6
TALL = {"num_hidden_layers": 2, "hidden_size": D, "num_attention_heads": 2, "intermediate_size": 40, "max_position_embeddings": N}
SEQ = {
    "d_model": D, "encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 1, "decoder_attention_heads": 1,
    "encoder_ffn_dim": 40, "decoder_ffn_dim": 40,
}  # fmt: skip
MODELS = {
    "GPTNeoXForCausalLM": TALL,
    "BertForMaskedLM": TALL,
    "EsmForMaskedLM": TALL | {"pad_token_id": 1, "mask_token_id": 2},
    "GPT2LMHeadModel": {"n_embd": D, "n_layer": 1, "n_head": 2, "n_positions": N},
    "MptForCausalLM": {"d_model": D, "n_layers": 1, "n_heads": 2, "max_seq_len": N},
    "FalconForCausalLM": {"hidden_size": D, "num_hidden_layers": 1, "num_attention_heads": 2},
    "OPTForCausalLM": TALL | {"word_embed_proj_dim": D, "ffn_dim": 40},
    "T5ForConditionalGeneration": {"d_model": D, "d_kv": 3, "d_ff": 40, "num_layers": 1, "num_heads": 2},
    "WhisperForConditionalGeneration": SEQ | {"max_target_positions": N, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2},
    "BartForConditionalGeneration": SEQ | {"max_position_embeddings": N},
    "AlbertForMaskedLM": TALL | {"embedding_size": 4},
    "CTRLLMHeadModel": {"n_embd": D, "n_layer": 1, "n_head": 2, "dff": 40, "n_positions": N},
    "CLIPTextModel": TALL,
}


@pytest.fixture
def folder(tmp_path, write_safetensors):
    """A folder with tensors of these shapes, and a config."""

    def made(shapes, **config):
        held = {
            name: ("F32", shape, np.full(shape, place, "<f4").tobytes())
            for place, (name, shape) in enumerate(shapes.items(), start=1)
        }
        write_safetensors(tmp_path / "model.safetensors", held)
        (tmp_path / "config.json").write_text(json.dumps(config))
        return tmp_path

    return made


def taken(folder):
    matrix = load_matrix(folder)
    assert tensors(folder)[0].shape == matrix.shape
    return tensors(folder)[0].name


@pytest.mark.parametrize("kind", MODELS)
def test_the_input_table_of_an_architecture_is_taken(tmp_path, kind):
    transformers = pytest.importorskip("transformers")
    architecture = getattr(transformers, kind)
    model = architecture(architecture.config_class(vocab_size=N, **MODELS[kind]))
    model.save_pretrained(tmp_path)
    np.testing.assert_array_equal(load_matrix(tmp_path).values, model.get_input_embeddings().weight.detach().numpy())


@pytest.mark.parametrize("head", ["lm_head.weight", "embed_out.weight", "cls.predictions.decoder.weight", "output.weight"])
def test_a_tied_model_that_keeps_only_its_head_gives_that(folder, head):
    shapes = {"model.layers.0.mlp.up_proj.weight": (60, D), head: (N, D)}
    assert taken(folder(shapes, tie_word_embeddings=True, vocab_size=N, hidden_size=D)) == head
    assert taken(folder(shapes)) == head
    assert load_matrix(folder(shapes)).notes == (f"The matrix is {head}, an output layer.",)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("embed.modules_to_save.default.weight", "embed.original_module.weight"),
        ("word_embeddings.weight", "context_embeddings.weight"),
        ("entity_emb.emb", "relation_emb.emb"),
    ],
)
def test_of_two_tables_the_one_that_is_no_copy_and_no_company_is_taken(folder, first, second):
    assert taken(folder({first: (N, D), second: (N + 9, D)})) == first


def test_the_sizes_in_the_config_decide_before_the_names(folder):
    assert taken(folder({"transformer.w.weight": (N, D), "fc.weight": (60, D)}, n_vocab=N)) == "transformer.w.weight"
    shapes = {"image_embed.weight": (60, D), "text.word_embed.weight": (N, D), "per_layer_embed.weight": (N, 9)}
    assert taken(folder(shapes, text_config={"vocab_size": N, "hidden_size": D})) == "text.word_embed.weight"
    assert taken(folder(shapes, text_config={"vocab_size": N - 3, "hidden_size": D})) == "text.word_embed.weight"
    assert taken(folder(shapes, type_vocab_size=60, vocab_size=N, hidden_size=9)) == "per_layer_embed.weight"


def test_of_several_networks_the_one_that_reads_words_is_meant(folder):
    shapes = {"embed_audio.embedding.weight": (128, D), "language_model.embed_tokens.weight": (N, D)}
    others = {"vision_config": {"vocab_size": 128, "hidden_size": D}, "audio_config": {"vocab_size": 128}}
    text = {"text_config": {"vocab_size": N, "hidden_size": D}}
    for config in (others | text, {"thinker_config": others | text}, {"language_config": text["text_config"]} | others):
        assert taken(folder(shapes, **config)) == "language_model.embed_tokens.weight"


def test_a_table_with_a_few_rows_more_than_the_vocabulary_comes_before_the_head(folder):
    shapes = {"lm_head.weight": (100, D), "model.embed_tokens.weight": (105, D), "w.embed.weight": (400, D)}
    assert taken(folder(shapes, vocab_size=100, hidden_size=D)) == "model.embed_tokens.weight"


@pytest.mark.parametrize("name", ["embed.embedding", "lm_head.kernel"])
def test_a_table_that_lies_on_its_side_is_turned_and_that_is_said(folder, name):
    where = folder({name: (D, N), "h.kernel": (60, D)}, vocab_size=N, hidden_size=D)
    (where / "vocab.json").write_text(json.dumps({f"w{i}": i for i in range(N)}))
    matrix = load_matrix(where)
    assert matrix.shape == (N, D) and matrix.tokens[3] == "w3"
    assert matrix.notes[-1] == f"{name} is stored as {D} × {N}, a column a token, and was turned."


def test_what_holds_no_weights_is_refused_and_an_average_of_them_is_taken(folder):
    q = "base_model.model.layers.0.q_proj"
    for names in ((f"{q}.lora_A.weight", f"{q}.lora_B.weight"), ("state.0.exp_avg", "state.0.exp_avg_sq")):
        with pytest.raises(InputError, match=rf"keeps beside a model \({names[0]}, …\), and no weights"):
            load_matrix(folder(dict.fromkeys(names, (N, D))))
    assert load_matrix(folder({"ema.embed.weight": (N, D), "ema.fc.weight": (60, D)})).notes == (
        "The matrix is ema.embed.weight, an average over training.",
    )


@pytest.mark.parametrize("kind", ["h5", "onnx", "gguf"])
def test_a_close_choice_is_said_of_files_of_every_kind(tmp_path, kind):
    path, held = tmp_path / f"a.{kind}", {name: np.ones((N, 32), "f4") for name in ("a_embed", "b_embed")}
    if kind == "h5":
        with pytest.importorskip("h5py").File(path, "w") as file:
            for name, each in held.items():
                file[name] = each
    elif kind == "onnx":
        onnx = pytest.importorskip("onnx")
        every = [onnx.numpy_helper.from_array(each, name) for name, each in held.items()]
        onnx.save(onnx.helper.make_model(onnx.helper.make_graph([], "g", [], [], every)), path)
    else:
        writer = pytest.importorskip("gguf").GGUFWriter(path, "none")
        for name, each in held.items():
            writer.add_tensor(name, each)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
    said = "The matrix is a_embed, an input table; it could also be b_embed (an input table, 24 × 32)."
    assert load_matrix(path).notes == (said,)


def test_the_tokenizers_length_decides_where_no_config_does(folder):
    where = folder({"image_embed.weight": (60, D), "word_embed.weight": (N, D)})
    assert taken(where) == "image_embed.weight"
    (where / "vocab.json").write_text(json.dumps({f"w{i}": i for i in range(N)}))
    assert taken(where) == "word_embed.weight" and load_matrix(where).tokens[3] == "w3"


def test_the_architectures_own_name_decides_between_equals(folder):
    shapes = {"model.encoder.embed_tokens.weight": (N, D), "model.shared.weight": (N, D), "aux.embed.weight": (N, D)}
    config = SEQ | {"vocab_size": N, "max_position_embeddings": N}
    assert taken(folder(shapes, model_type="bart", **config)) == "model.shared.weight"
    assert taken(folder(shapes, model_type="no such", **config)) == "aux.embed.weight"


@pytest.mark.parametrize(
    "config",
    [
        {"model_type": "bert", "num_hidden_layers": 10**9, "vocab_size": N},
        {"model_type": "bert", "hidden_size": -3, "vocab_size": N},
        {"model_type": ["bert"], "vocab_size": 10**30},
        {"vocab_size": "24", "hidden_size": None, "text_config": [1]},
        {"model_type": "bert", "auto_map": {"AutoModel": "evil.Model"}, "vocab_size": N},
    ],
)
def test_a_hostile_config_is_no_more_than_a_clue(folder, config):
    assert taken(folder({"a.embed.weight": (N, D), "b.embed.weight": (N, D)}, **config)) == "a.embed.weight"


def test_what_training_and_quantization_keep_beside_a_table_comes_last(folder):
    shapes = {f"{name}.embed_tokens.weight": (N, D) for name in ("exp_avg", "ema_model", "grad", "optimizer.state")}
    shapes |= {
        "embed_tokens.weight_scale": (N, 1),
        "lora_A.embed.weight": (N, D),
        "z.embed_positions": (90, D),
        "z.word.weight": (N, D),
    }
    assert taken(folder(shapes)) == "z.word.weight"
    assert load_matrix(folder(shapes)).notes == ()


def test_a_close_choice_says_what_else_there_is(folder):
    shapes = {"embed_out.weight": (N, D), "gpt_neox.embed_in.weight": (N, D), "fc.weight": (90, D)}
    said = "The matrix is gpt_neox.embed_in.weight, an input table; it could also be embed_out.weight (an output layer, 24 × 6)."
    assert load_matrix(folder(shapes)).notes == (said,)
    assert load_matrix(folder(shapes), tensor="embed_out.weight").notes == ()
    (note,) = load_matrix(folder({f"{name}_embedding": (N, D) for name in ("a", "b", "c", "d", "e", "f")})).notes
    assert note.endswith("d_embedding (an input table, 24 × 6) and 2 more.")
    (note,) = load_matrix(folder({"fc1.weight": (N, D), "fc2.weight": (3, D)})).notes
    assert note == "No tensor of 2 is called a table; fc1.weight was taken, the tallest of its kind."
    assert load_matrix(folder({"fc1.weight": (N, D)})).notes == ()
