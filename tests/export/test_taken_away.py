"""What is taken away works in the whole model: the card's code where this project is not, and the page's beside the file."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers

import compress
from compress import SVD, Dimensions, Int4, Int8, LightToken, ProjectiveClustering, Trellis
from compress import ProductQuantization as PQ
from compress.export import exported
from compress.models.foreseen import foreseen
from compress.models.open import quiet
from pages.parts.export.code import python_code

ROOT = Path(__file__).parents[2]
N, D, HEADER = 600, 32, 4096
TALL = {"hidden_size": D, "num_hidden_layers": 1, "num_attention_heads": 4, "intermediate_size": 48, "max_position_embeddings": 40}
KV = {"num_key_value_heads": 2, "head_dim": 8}
ENCODERS = {"encoder_layers": 1, "encoder_attention_heads": 4, "encoder_ffn_dim": 48}
DECODERS = {"decoder_layers": 1, "decoder_attention_heads": 4, "decoder_ffn_dim": 48}
FAMILIES = {
    "Bert": ("BertForMaskedLM", "AutoModelForMaskedLM", TALL, SVD(j=8, factor_bits=8)),
    "GPT2": ("GPT2LMHeadModel", "AutoModelForCausalLM", {"n_embd": D, "n_layer": 1, "n_head": 4, "n_positions": 40}, Int4()),
    "Llama": ("LlamaForCausalLM", "AutoModelForCausalLM", TALL | {"tie_word_embeddings": True}, Trellis(rate=4.0, states=256)),
    "LlamaUntied": ("LlamaForCausalLM", "AutoModelForCausalLM", TALL | {"tie_word_embeddings": False}, Int8()),
    "T5": (
        "T5ForConditionalGeneration",
        "AutoModelForSeq2SeqLM",
        {"d_model": D, "d_kv": 8, "d_ff": 48, "num_layers": 1, "num_heads": 4, "decoder_start_token_id": 0},
        PQ(parts=8, code_bits=4),
    ),
    "Albert": ("AlbertForMaskedLM", "AutoModelForMaskedLM", TALL | {"embedding_size": 24}, LightToken(bits=24, rank=3, passes=2)),
    "Gemma": ("GemmaForCausalLM", "AutoModelForCausalLM", TALL | KV, ProjectiveClustering(k=3, j=5, restarts=1)),
    "OPT": (
        "OPTForCausalLM",
        "AutoModelForCausalLM",
        {"hidden_size": D, "word_embed_proj_dim": 24, "num_hidden_layers": 1, "num_attention_heads": 4, "ffn_dim": 48},
        Dimensions(kept=9),
    ),
    "Bart": (
        "BartForConditionalGeneration",
        "AutoModelForSeq2SeqLM",
        {"d_model": D, "max_position_embeddings": 40, "scale_embedding": True} | ENCODERS | DECODERS,
        SVD(j=6),
    ),
}
IDS = torch.arange(3, 27).reshape(2, 12)
RUN = """
import importlib.util, json, os, sys
from pathlib import Path
import torch, transformers
transformers.logging.set_verbosity_error()
alone = sys.argv[1] == "alone"
assert (importlib.util.find_spec("compress") is None) == alone
sys.path.insert(0, "")
ids = torch.arange(3, 27).reshape(2, 12)

@torch.no_grad()
def logits(model):
    return model(ids, **({"decoder_input_ids": ids} if model.config.is_encoder_decoder else {})).logits.tolist()

home, found = Path.cwd(), {}
for folder in json.loads(sys.argv[2]):
    os.chdir(home / folder)
    sys.modules.pop("load", None)
    names, saved = {}, []
    for part in json.loads(Path("code.json").read_text()):
        exec(part, names)
        if "model" in names:
            saved.append(logits(names["model"]))
    found[folder] = saved, type(names["model"]).__name__
(home / f"{sys.argv[1]}.json").write_text(json.dumps(found))
"""


def size(folder):
    return sum(file.stat().st_size for file in folder.glob("*.safetensors"))


@torch.no_grad()
def logits(model):
    decoder = {"decoder_input_ids": IDS} if model.config.is_encoder_decoder else {}
    return model(IDS, **decoder).logits.numpy()


def small(name):
    """A model with random weights that are large enough for its logits to differ."""
    kind, _, settings, _ = FAMILIES[name]
    torch.manual_seed(0)
    config = getattr(transformers, f"{name.removesuffix('Untied')}Config")(vocab_size=N, **settings)
    model = getattr(transformers, kind)(config).eval()
    with torch.no_grad():
        model.get_input_embeddings().weight.normal_(0, 0.3)
    return model


def parts_of(code):
    """Python in two: until the model is saved, and from there."""
    before, saved, after = code.partition('model.save_pretrained("smaller")')
    return [before + saved, after]


@pytest.fixture(scope="module")
def taken(tmp_path_factory):
    """By family the result, what is foreseen of the swap, the card, logits with the decoded table and with the table itself; the
    folder of all, in which the code of the cards and that of the page were run in fresh processes; and what they gave."""
    home, made = tmp_path_factory.mktemp("taken"), {}
    with quiet():
        for name, (*_, method) in FAMILIES.items():
            model = small(name)
            before = logits(model)
            model.save_pretrained(home / "models" / name)
            result = method.fit(compress.load_matrix(home / "models" / name))
            with torch.no_grad():
                model.get_input_embeddings().weight.copy_(torch.from_numpy(result.reconstruct()))
            known = foreseen(home / "models" / name, result)
            done = exported(result, home / "alone" / name, onnx=False, model=known)
            (home / "page" / name).mkdir(parents=True)
            result.save(home / "page" / name / "x.safetensors")
            blocks = [block.split("```")[0] for block in done.card.split("```python\n")[1:]]
            alone = [*blocks[:-1], *parts_of(blocks[-1])]
            page = parts_of(python_code("x.safetensors", str(home / "models" / name), known))
            for way, code in (("alone", alone), ("page", page)):
                (home / way / name / "code.json").write_text(json.dumps(code))
            (home / "alone" / name / name).symlink_to(home / "models" / name)  # which the card names
            made[name] = result, known, done.card, logits(model), before
    for way, options in (("alone", ["-I"]), ("page", [])):
        command = [sys.executable, *options, "-c", RUN, way, json.dumps(list(FAMILIES))]
        environment = {"PYTHONPATH": str(ROOT), "PATH": "", "OMP_NUM_THREADS": "1"}
        done = subprocess.run(command, cwd=home / way, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    found = {way: json.loads((home / way / f"{way}.json").read_text()) for way in ("alone", "page")}
    return made, home, found


@pytest.mark.parametrize("way", ["alone", "page"])
@pytest.mark.parametrize("name", FAMILIES)
def test_the_code_as_it_is_printed_gives_a_smaller_model_that_comes_back(taken, name, way):
    made, home, found = taken
    result, _, _, expected, before = made[name]
    given, kind = found[way][name]
    assert kind == FAMILIES[name][0] and len(given) == 2
    for each in given:
        np.testing.assert_allclose(np.array(each), expected, rtol=0, atol=1e-5)
    assert np.abs(before - expected).max() > 1e-3
    saved = size(home / "models" / name) - size(home / way / name / "smaller")
    assert abs(saved - (4 * result.shape[0] * result.shape[1] - result.n_bytes)) < HEADER


@pytest.mark.parametrize("name", FAMILIES)
def test_the_card_says_what_becomes_smaller_and_what_the_output_layer_does(taken, name):
    made, home, _ = taken
    result, known, card, *_ = made[name]
    with quiet():
        model = getattr(transformers, FAMILIES[name][0]).from_pretrained(home / "models" / name)
    assert known.swapped == compress.swap_embedding(model, result)
    assert known.opener == FAMILIES[name][1] and f"{known.opener}.from_pretrained('{name}')" in card
    table, whole = known.swapped.embedding_bytes_before, known.swapped.model_bytes_before
    assert known.swapped.model_bytes == pytest.approx(whole - table + result.n_bytes, abs=4)  # a scale is a tensor or a number
    assert f"| {table:,} bytes → {result.n_bytes:,} |" in card and f"| {whole:,} bytes → {known.swapped.model_bytes:,} |" in card
    tied = name != "LlamaUntied"
    assert (f"is tied to the table and computes with the {result.n_bytes:,} bytes too" in card) == tied
    assert (f"has weights of its own, {4 * N * D:,} bytes, which stay" in card) == (not tied)


@pytest.mark.parametrize("name", ["Llama", "LlamaUntied", "T5", "Bart"])
def test_what_load_py_saved_opens_here_and_the_other_way_round(taken, name):
    from compress.export.decoders import decoder_of

    made, home, _ = taken
    expected = made[name][3]
    compress.register()
    with quiet():
        here = getattr(transformers, FAMILIES[name][0]).from_pretrained(home / "alone" / name / "smaller")
        there = decoder_of(FAMILIES[name][3].name).open_model(home / "page" / name / "smaller")
    np.testing.assert_allclose(logits(here.eval()), expected, rtol=0, atol=1e-5)
    np.testing.assert_allclose(logits(there), expected, rtol=0, atol=1e-5)


def test_a_model_is_opened_by_load_py_only_where_it_was_put_in(taken, tmp_path):
    from compress.export.decoders import decoder_of

    _, home, _ = taken
    open_model = decoder_of("trellis").open_model
    with pytest.raises(ValueError, match=r"models/Llama holds no model that load\.put_into was used on"):
        open_model(home / "models" / "Llama")
    with pytest.raises(ValueError, match=r"Gemma/smaller is not a file that this load\.py can read; it reads trellis"):
        open_model(home / "alone" / "Gemma" / "smaller")


def test_a_table_of_another_tensor_or_shape_is_said_to_fit_no_model(taken):
    made, home, _ = taken
    result = made["LlamaUntied"][0]
    known = foreseen(home / "models" / "LlamaUntied", result, "lm_head.weight")
    assert known.swapped is None
    assert known.no_swap == "lm_head.weight is not the table that the model looks up tokens in, which is model.embed_tokens.weight"
    assert foreseen(home / "models" / "LlamaUntied", result, "model.embed_tokens.weight").swapped
    known = foreseen(home / "models" / "OPT", result)
    assert known.swapped is None and "The compressed table is 600 × 32, the model’s is 600 × 24" in known.no_swap


def test_nothing_is_foreseen_where_there_is_no_model(taken, tmp_path):
    result = taken[0]["Bert"][0]
    np.save(tmp_path / "table.npy", result.reconstruct())
    assert foreseen("toy", result) is foreseen(tmp_path / "table.npy", result) is foreseen("hub:org/never-read", result) is None
    (tmp_path / "config.json").write_text('{"model_type": "unheard of"}')
    assert foreseen(tmp_path, result) is None
