"""The model of a matrix: which sources have one, what it is opened as, and one sentence where it cannot be."""

import json

import pytest
import torch

from compress import InputError, load_matrix
from compress.models.open import has_model, head_of, model_path, open_model, tokenizer_of
from compress.sources import demo as demo_source

SIZES = {
    "gpt2": {"n_embd": 16, "n_layer": 1, "n_head": 2, "vocab_size": 40, "n_positions": 32},
    "xlnet": {"d_model": 16, "n_layer": 1, "n_head": 2, "d_inner": 32, "vocab_size": 40},
    "other": {
        "hidden_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 32,
        "vocab_size": 40,
        "max_position_embeddings": 32,
    },
}


def saved(folder, kind):
    """A tiny model of a class of transformers, saved as a folder."""
    import transformers

    torch.manual_seed(0)
    family = kind.partition("LMHead")[0].partition("For")[0].removesuffix("Model")
    config = getattr(transformers, f"{family}Config")(**SIZES.get(family.lower(), SIZES["other"]))
    model = getattr(transformers, kind)(config)
    model.save_pretrained(folder)
    return model


@pytest.mark.parametrize(
    ("kind", "head", "causal"),
    [
        ("BertModel", "", False),
        ("BertForMaskedLM", "", False),
        ("BertForQuestionAnswering", "ForQuestionAnswering", False),
        ("LlamaForCausalLM", "ForCausalLM", True),
        ("GPT2LMHeadModel", "ForCausalLM", True),
        ("GPT2Model", "", False),
        ("XLNetLMHeadModel", "", False),
    ],
)
def test_a_model_is_opened_with_the_head_that_its_files_hold(tmp_path, kind, head, causal):
    made = saved(tmp_path / "model", kind)
    model = open_model(tmp_path / "model")
    assert head_of(model.network.config) == head
    assert model.causal is causal and model.tokenizer is None
    assert type(model.network) is (type(made) if head else type(made.base_model))
    assert torch.equal(model.table, made.get_input_embeddings().weight)
    assert model.table.dtype == torch.float32 and not model.network.training
    mine, other = (dict(each.named_parameters()) for each in (model.network, made))
    for name in set(mine) & set(other):
        assert torch.equal(mine[name], other[name])
    assert set(mine) & set(other) or not head


def test_a_half_precision_model_is_opened_in_float32(tmp_path):
    import transformers

    config = transformers.BertConfig(**SIZES["other"])
    transformers.BertModel(config).to(torch.bfloat16).save_pretrained(tmp_path / "model")
    assert {each.dtype for each in open_model(tmp_path / "model").network.parameters()} == {torch.float32}


def test_a_head_can_be_asked_for(tmp_path):
    saved(tmp_path / "model", "BertModel")
    assert type(open_model(tmp_path / "model", "ForMaskedLM").network).__name__ == "BertForMaskedLM"


def test_the_demos_model_holds_the_demos_table(demo):
    model = open_model("demo")
    assert (model.table.detach().numpy() == demo.values).all()
    assert model.tokenizer("a flat").input_ids == [101, 1037, 4257, 102]
    assert not model.causal


def test_a_tokenizer_has_something_to_pad_with(tmp_path):
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(models.WordLevel({"<unk>": 0, "</s>": 1, "a": 2}, unk_token="<unk>"))
    PreTrainedTokenizerFast(tokenizer_object=made, unk_token="<unk>", eos_token="</s>").save_pretrained(tmp_path)
    assert tokenizer_of(str(tmp_path), None).pad_token == "</s>"


def test_which_sources_have_a_model(tmp_path, monkeypatch):
    saved(tmp_path / "model", "BertModel")
    assert has_model("demo") and has_model(tmp_path / "model") and has_model(tmp_path) and has_model("hub:org/name@v1")
    assert not has_model("toy") and not has_model(tmp_path / "none") and not has_model(tmp_path / "model" / "model.safetensors")
    assert model_path("hub:org/name@v1") == ("org/name", "v1") and model_path("hub:org/name") == ("org/name", None)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert model_path("~/model") == (str(tmp_path / "model"), None)
    monkeypatch.setattr(demo_source, "PACKAGE", "not_installed_anywhere")
    assert not has_model("demo")


def test_a_source_without_a_model_is_one_sentence(tmp_path):
    with pytest.raises(InputError, match=r"^toy is a matrix without a model; name the folder of a transformers model, or hub"):
        open_model("toy")
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(InputError, match=r"^The model of .* cannot be opened \(.*\); a model's folder has config\.json too\.$"):
        open_model(tmp_path)
    saved(tmp_path / "cut", "BertModel")
    (tmp_path / "cut" / "model.safetensors").write_bytes(b"12345678{")
    with pytest.raises(InputError, match=r"^The model of .*cut cannot be opened \("):
        open_model(tmp_path / "cut")


def test_a_model_whose_files_lack_weights_is_not_asked(tmp_path):
    from safetensors.torch import load_file, save_file

    saved(tmp_path / "part", "BertModel")
    file = tmp_path / "part" / "model.safetensors"
    whole = load_file(file)
    save_file({name: tensor for name, tensor in whole.items() if "pooler" not in name}, file, {"format": "pt"})
    assert open_model(tmp_path / "part")  # no task uses a pooler
    save_file({name: tensor for name, tensor in whole.items() if "embeddings" in name}, file, {"format": "pt"})
    with pytest.raises(InputError, match=r"part cannot be asked: its files lack \d+ of its weights, such as encoder\.layer\.0\."):
        open_model(tmp_path / "part")


def test_code_that_comes_with_a_model_is_never_run(tmp_path):
    config = {"model_type": "mine", "auto_map": {"AutoConfig": "mine.Mine", "AutoModel": "mine.Model"}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "mine.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    with pytest.raises(InputError, match=r"cannot be opened"):
        open_model(tmp_path)
    assert not (tmp_path / "ran").exists()


def test_the_model_of_a_hubs_cache_is_its_version_in_use(tmp_path):
    made = saved(tmp_path / "models--me--mine" / "snapshots" / "0a1b", "BertModel")
    table = made.get_input_embeddings().weight
    assert torch.equal(open_model(tmp_path / "models--me--mine").table, table)
    assert torch.equal(torch.from_numpy(load_matrix(tmp_path / "models--me--mine").values.copy()), table)


def test_a_folders_matrix_is_its_models_table(tmp_path):
    saved(tmp_path / "model", "GPT2LMHeadModel")
    assert (load_matrix(tmp_path / "model").values == open_model(tmp_path / "model").table.detach().numpy()).all()
