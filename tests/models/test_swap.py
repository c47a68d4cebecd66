"""A compressed embedding inside whole models: what they compute, save, open and learn."""

import copy
import dataclasses
import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import load_file
from torch.nn.functional import embedding, linear

import compress
from compress import METHODS, EmbeddingMatrix
from compress.form.layers import AT_ONCE, CompressedEmbedding, CompressedOutput
from compress.models.open import open_model, quiet
from compress.models.swap import freeze_table, train_table

N, D = 120, 32
TALL = {"hidden_size": D, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48, "max_position_embeddings": 40}
SMALL = {
    "Bert": TALL,
    "Roberta": TALL,
    "DistilBert": {"dim": D, "n_layers": 2, "n_heads": 4, "hidden_dim": 48, "max_position_embeddings": 40},
    "XLNet": {"d_model": D, "n_layer": 2, "n_head": 4, "d_inner": 48},
    "GPT2": {"n_embd": D, "n_layer": 2, "n_head": 4, "n_positions": 40, "bos_token_id": 1, "eos_token_id": 2},
    "Llama": TALL | {"num_key_value_heads": 2, "tie_word_embeddings": True},
    "T5": {"d_model": D, "d_kv": 8, "d_ff": 48, "num_layers": 2, "num_heads": 4, "decoder_start_token_id": 0},
}
TIED = [
    "BertForMaskedLM",
    "DistilBertForMaskedLM",
    "RobertaForMaskedLM",
    "XLNetLMHeadModel",
    "GPT2LMHeadModel",
    "LlamaForCausalLM",
]
FITTED = {
    "svd": {"j": 8},
    "projective": {"k": 3, "j": 5, "affine": True, "factor_bits": 8},
    "lp": {"j": 4, "p": 1.5},
    "light_token": {"rank": 3, "bits": 24},
    "trellis": {"rate": 4.0, "states": 256},
    "pq": {"parts": 8, "code_bits": 4},
    "opq": {"parts": 8, "code_bits": 4},
    "rq": {"parts": 3, "code_bits": 4},
    "int8": {},
    "int4": {},
    "trimmed": {"rows": 70, "of": "int8"},
    "dimensions": {"kept": 9},
    "groups": {},
    "blocks": {},
}
IDS = torch.arange(3, 27).reshape(2, 12)
STORIES = Path(__file__).parents[3] / "shared/data/stories260K"


@cache
def built(kind: str, **settings):
    family = next(name for name in SMALL if kind.startswith(name))
    torch.manual_seed(0)
    config = getattr(transformers, f"{family}Config")(vocab_size=N, **SMALL[family] | settings)
    return getattr(transformers, kind)(config).eval()


def model_of(kind: str, **settings):
    return copy.deepcopy(built(kind, **settings))


@cache
def fit(method: str, n: int = N):
    values = np.random.default_rng(5).standard_normal((n, D)).astype(np.float32)
    return METHODS[method](**FITTED[method]).fit(EmbeddingMatrix(values))


def dense(model, result, output="compressed"):
    """The same model with the decoded table put in; the output layer's own if "own"."""
    model = copy.deepcopy(model)
    head = model.get_output_embeddings()
    if output == "own" and head is not None:
        head.weight = torch.nn.Parameter(head.weight.detach().clone())
    with torch.no_grad():
        model.get_input_embeddings().weight.copy_(torch.from_numpy(result.reconstruct()))
    return model


@torch.no_grad()
def outputs(model, ids=IDS):
    decoder = {"decoder_input_ids": ids} if model.config.is_encoder_decoder else {}
    return model(ids, **decoder)[0]


def reopened(model, folder, kind=None, **settings):
    compress.register()
    with quiet():
        model.save_pretrained(folder)
        return (kind or type(model)).from_pretrained(folder, **settings)


@pytest.mark.parametrize("method", ["svd", "projective", "int8", "trellis"])
@pytest.mark.parametrize("kind", ["BertModel", *TIED])
def test_a_swapped_model_computes_what_the_decoded_table_would(kind, method):
    model, result = model_of(kind), fit(method)
    expected = outputs(dense(model, result))
    said = compress.swap_embedding(model, result)
    assert (said.tied, said.output) == ((True, "compressed") if kind in TIED else (False, "none"))
    torch.testing.assert_close(outputs(model), expected, rtol=1e-6, atol=1e-5)
    assert sum(each.numel() == N * D for each in (*model.parameters(), *model.buffers())) == (method == "int8")


@pytest.mark.parametrize("kind", TIED)
def test_an_output_layer_of_its_own_keeps_the_dense_table(kind):
    model, result = model_of(kind), fit("svd")
    table = model.get_input_embeddings().weight.detach().clone()
    expected = outputs(dense(model, result, "own"))
    said = compress.swap_embedding(model, result, output="own")
    model.tie_weights()
    assert torch.equal(model.get_output_embeddings().weight, table)
    torch.testing.assert_close(outputs(model), expected, rtol=0, atol=1e-5)
    assert (said.output, said.output_bytes_before, said.output_bytes) == ("own", 0, 4 * N * D)


def test_an_output_layer_that_was_not_tied_stays_as_it_is():
    model, result = model_of("LlamaForCausalLM", tie_word_embeddings=False), fit("svd")
    head, expected = model.lm_head, outputs(dense(model, result))
    said = compress.swap_embedding(model, result)
    assert model.lm_head is head and (said.tied, said.output) == (False, "as it was")
    torch.testing.assert_close(outputs(model), expected, rtol=0, atol=1e-5)


def test_an_encoder_and_a_decoder_share_the_arrays(tmp_path):
    model, result = model_of("T5ForConditionalGeneration"), fit("svd")
    expected = outputs(dense(model, result))
    compress.swap_embedding(model, result)
    torch.testing.assert_close(outputs(model), expected, rtol=0, atol=1e-5)
    torch.testing.assert_close(outputs(reopened(model, tmp_path)), expected, rtol=0, atol=1e-5)
    assert sum(name.endswith(".bases") for name in load_file(tmp_path / "model.safetensors")) == 1


def test_the_record_says_what_it_costs_in_bytes():
    model, result = model_of("BertForMaskedLM"), fit("svd")
    said = compress.swap_embedding(model, result)
    assert (said.model, said.embedding_bytes_before, said.embedding_bytes) == ("BertForMaskedLM", 4 * N * D, result.n_bytes)
    assert said.model_bytes_before - said.model_bytes == 4 * N * D - result.n_bytes
    with pytest.raises(dataclasses.FrozenInstanceError, match="tied"):
        said.tied = False


def test_the_demo_model_computes_what_the_decoded_table_would(demo):
    model, result = open_model("demo").network, compress.Int8().fit(demo)
    expected = outputs(dense(model, result))
    said = compress.swap_embedding(model, result)
    torch.testing.assert_close(outputs(model), expected, rtol=0, atol=1e-5)
    assert said.model_bytes_before - said.model_bytes == 4 * 30522 * 384 - result.n_bytes


@pytest.mark.skipif(not STORIES.is_dir(), reason="the model is not here")
@pytest.mark.parametrize("output", ["compressed", "own"])
def test_stories_computes_what_the_decoded_table_would_and_comes_back(tmp_path, output):
    model = open_model(STORIES).network
    result = compress.ProjectiveClustering(k=2, j=32, restarts=1).fit(compress.load_matrix(STORIES))
    expected = outputs(dense(model, result, output))
    compress.swap_embedding(model, result, output)
    torch.testing.assert_close(outputs(model), expected, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(outputs(reopened(model, tmp_path)), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("output", ["compressed", "own"])
@pytest.mark.parametrize("kind", ["BertModel", *TIED])
def test_a_saved_model_opens_again_without_the_dense_table(tmp_path, kind, output):
    model, result = model_of(kind), fit("trellis")
    compress.swap_embedding(model, result, output)
    again = reopened(model, tmp_path)
    assert torch.equal(outputs(again), outputs(model))
    kept = load_file(tmp_path / "model.safetensors")
    tables = [name for name, tensor in kept.items() if tensor.numel() == N * D]
    assert len(tables) == (output == "own" and kind in TIED)
    place = next(name for name, module in model.named_modules() if isinstance(module, CompressedEmbedding))
    assert {name: tuple(kept[f"{place}.{name}"].shape) for name in result.arrays} == {
        name: array.shape for name, array in result.arrays.items()
    }


@pytest.mark.parametrize("method", METHODS)
def test_every_method_opens_again(tmp_path, method):
    model = model_of("GPT2LMHeadModel")
    compress.swap_embedding(model, fit(method))
    again = reopened(model, tmp_path, transformers.AutoModelForCausalLM)
    assert torch.equal(outputs(again), outputs(model))
    assert again.get_input_embeddings().compressed().digest == fit(method).digest
    base = transformers.AutoModel.from_pretrained(tmp_path)
    assert torch.equal(outputs(base), outputs(model.transformer))


def test_an_untied_output_opens_again(tmp_path):
    model = model_of("LlamaForCausalLM", tie_word_embeddings=False)
    compress.swap_embedding(model, fit("svd"))
    assert torch.equal(outputs(reopened(model, tmp_path)), outputs(model))


def test_a_model_that_shares_a_config_with_a_swapped_one_is_saved_as_it_is(tmp_path):
    model = built("GPT2LMHeadModel")
    other = transformers.GPT2LMHeadModel(model.config)
    compress.swap_embedding(other, fit("svd"))
    assert torch.equal(outputs(reopened(model, tmp_path)), outputs(model))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("kind", ["BertForMaskedLM", "GPT2LMHeadModel"])
def test_the_layer_follows_the_models_dtype_and_its_arrays_do_not(tmp_path, kind, dtype):
    model, result = model_of(kind), fit("svd")
    expected = outputs(dense(model, result).to(dtype))
    early, late = copy.deepcopy(model).to(dtype), model
    compress.swap_embedding(early, result)
    compress.swap_embedding(late, result)
    late.to(dtype)
    for each in (early, late, reopened(late, tmp_path)):
        layer = each.get_input_embeddings()
        assert {name: getattr(layer, name).numpy().dtype for name in result.arrays} == dtypes(result)
        assert layer(IDS).dtype == layer.weight.dtype == dtype
        rounding = 4 * torch.finfo(dtype).eps * float(expected.abs().max())  # the table itself is not rounded to the dtype
        torch.testing.assert_close(outputs(each), expected, rtol=0, atol=rounding)
        vectors = each.float().get_input_embeddings()(IDS)
        np.testing.assert_allclose(vectors, result.rows(IDS.numpy()), rtol=0, atol=1e-6)


def test_a_layer_that_is_moved_without_data_is_as_large_as_before():
    layer = fit("trellis").to_layer().to("meta")
    assert all(getattr(layer, name).is_meta for name in layer.stored)
    layer.to_empty(device="cpu").load_state_dict(fit("trellis").to_layer().state_dict())
    np.testing.assert_allclose(layer.weight.numpy(), fit("trellis").reconstruct(), atol=1e-5)


def test_the_padding_row_is_kept_and_known():
    model, result = model_of("BertModel", pad_token_id=4), fit("svd")
    compress.swap_embedding(model, result)
    layer = model.get_input_embeddings()
    assert layer.padding_idx == 4
    np.testing.assert_allclose(layer(torch.tensor([4])).numpy(), result.rows([4]), atol=1e-6)


@pytest.mark.parametrize("bad", [-1, N, 2**40])
def test_an_id_that_is_not_there_is_named(bad):
    model = model_of("GPT2LMHeadModel")
    compress.swap_embedding(model, fit("svd"))
    with pytest.raises(IndexError, match=f"ids must be between 0 and {N - 1}, got {bad}"):
        model(torch.tensor([[5, bad, 3]]))


def test_generation_goes_on_as_with_the_decoded_table():
    model, result = model_of("GPT2LMHeadModel"), fit("svd")
    settings = {"max_new_tokens": 6, "do_sample": False, "pad_token_id": 0}
    expected = dense(model, result).generate(IDS, **settings)
    compress.swap_embedding(model, result)
    found = model.generate(IDS, **settings)
    assert found.shape == (2, 18) and torch.equal(found, expected)


def test_a_copy_has_a_table_of_its_own():
    model = model_of("GPT2LMHeadModel")
    compress.swap_embedding(model, fit("svd"))
    before, twin = outputs(model), copy.deepcopy(model)
    assert torch.equal(outputs(twin), before)
    with torch.no_grad():
        twin.get_input_embeddings().bases.mul_(2)
    assert torch.equal(outputs(model), before)
    assert twin.lm_head.embedding is twin.get_input_embeddings()
    assert not torch.equal(outputs(twin), before)


def test_a_models_state_goes_through_torch_save(tmp_path):
    model, other = model_of("BertForMaskedLM"), model_of("BertForMaskedLM")
    compress.swap_embedding(model, fit("svd"))
    half = fit("svd")
    half = dataclasses.replace(half, arrays={name: array / 2 for name, array in half.arrays.items()})
    compress.swap_embedding(other, half)
    torch.save(model.state_dict(), tmp_path / "state.pt")
    other.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    assert torch.equal(outputs(other), outputs(model))


def test_ties_of_biases_stay():
    model = model_of("BertForMaskedLM")
    compress.swap_embedding(model, fit("svd"))
    model.tie_weights()
    assert model.cls.predictions.decoder.bias is model.cls.predictions.bias
    assert isinstance(model.get_output_embeddings(), CompressedOutput)


def test_transformers_keeps_its_ties_where_a_swap_forgets_them():
    """`put` writes two attributes of transformers: without either of them written, a tie leads to a weight that is gone."""
    model = model_of("LlamaForCausalLM")
    declared, every = model._tied_weights_keys, dict(model.all_tied_weights_keys)
    assert declared == every == {"lm_head.weight": "model.embed_tokens.weight"} == model.get_expanded_tied_weights_keys()
    compress.swap_embedding(model, fit("svd"))
    for recompute, name, ties in ((True, "_tied_weights_keys", declared), (False, "all_tied_weights_keys", every)):
        model.tie_weights(recompute_mapping=recompute)
        setattr(model, name, ties)
        with pytest.raises(AttributeError, match=r"`model\.embed_tokens\.weight` is neither a parameter"):
            model.tie_weights(recompute_mapping=recompute)


def test_an_output_layer_of_many_blocks_is_one_product():
    torch.manual_seed(0)
    n = 2 * AT_ONCE + 7
    result = fit("projective", n)
    bias, hidden = torch.nn.Parameter(torch.randn(n)), torch.randn(3, 2, D, requires_grad=True)
    head = CompressedOutput(result.to_layer(), bias)
    twin = hidden.detach().clone().requires_grad_()
    expected = linear(twin, torch.from_numpy(result.reconstruct()), bias)
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(lambda tensor: kept.append(tensor.numel()) or tensor, lambda tensor: tensor):
        found = head(hidden)
    assert sum(kept) < n * D / 10
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)
    found.square().sum().backward()
    expected.square().sum().backward()
    torch.testing.assert_close(hidden.grad, twin.grad, rtol=1e-5, atol=1e-5)
    with torch.no_grad():
        torch.testing.assert_close(head(hidden), expected, rtol=0, atol=1e-5)


def dtypes(result):
    return {name: array.dtype for name, array in result.arrays.items()}


@pytest.mark.parametrize("rows_at_once", [AT_ONCE, 50])
def test_gradients_of_factors_are_those_of_dense_autograd(monkeypatch, rows_at_once):
    monkeypatch.setattr("compress.form.layers.AT_ONCE", rows_at_once)
    layer = fit("svd").to_layer().trainable()
    head = CompressedOutput(layer)
    factors = [getattr(layer, name).detach().clone().requires_grad_() for name in ("coefficients", "bases")]
    head(layer(IDS).tanh()).square().sum().backward()
    table = factors[0] @ factors[1][0]
    linear(embedding(IDS, table).tanh(), table).square().sum().backward()
    for name, factor in zip(("coefficients", "bases"), factors, strict=True):
        torch.testing.assert_close(getattr(layer, name).grad, factor.grad, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("method", METHODS)
def test_what_a_method_decodes_by_can_be_trained_and_stored_again(method):
    result = fit(method)
    before = result.to_layer().weight
    layer = result.to_layer().trainable()
    torch.testing.assert_close(layer.weight.detach(), before, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(layer.compressed().reconstruct(), before, rtol=0, atol=0.02 * float(before.abs().max()))
    assert [name for name, _ in layer.named_parameters()] and not list(layer.buffers())
    losses = []
    for _ in range(3):
        layer.zero_grad()
        loss = layer(torch.arange(N)).square().sum()
        loss.backward()
        losses.append(loss.item())
        with torch.no_grad():
            for each in layer.parameters():
                each -= 1e-2 * each.norm() / each.grad.norm() * each.grad
            layer(IDS)
    assert losses[0] > losses[1] > losses[2]
    again, trained = layer.compressed(), layer.weight.detach()
    assert dtypes(again) == dtypes(result)
    again.method.check_stored(again.arrays, N, D)
    assert np.linalg.norm(again.reconstruct() - trained.numpy()) < 0.02 * trained.norm()
    settled = layer.frozen()
    assert not list(settled.parameters()) and {name for name, _ in settled.named_buffers()} == set(result.arrays)
    np.testing.assert_allclose(settled.weight, again.reconstruct(), rtol=0, atol=1e-5)


def test_a_trained_model_opens_again_in_the_stored_precision(tmp_path):
    model = model_of("GPT2LMHeadModel")
    compress.swap_embedding(model, fit("svd"))
    layer = train_table(model)
    optimiser = torch.optim.Adam(layer.parameters(), lr=1e-2)
    model(IDS, labels=IDS).loss.backward()
    optimiser.step()
    before, again = outputs(model), reopened(model, tmp_path)
    assert load_file(tmp_path / "model.safetensors")["transformer.wte.bases"].dtype == torch.float16
    torch.testing.assert_close(outputs(again), before, rtol=0, atol=2e-2)
    assert layer.bases.dtype == torch.float32


def test_a_table_that_was_trained_freezes_in_every_place_that_shares_it():
    model = model_of("GPT2LMHeadModel")
    compress.swap_embedding(model, fit("svd"))
    frozen, layer = model.get_input_embeddings(), train_table(model)
    assert train_table(model) is layer is model.get_input_embeddings() is model.get_output_embeddings().embedding
    assert layer is not frozen and not list(frozen.parameters())
    with torch.no_grad():
        layer.bases *= 2
    doubled = 2 * frozen.weight
    settled = freeze_table(model)
    assert freeze_table(model) is settled is model.get_input_embeddings() is model.get_output_embeddings().embedding
    torch.testing.assert_close(settled.weight, doubled, rtol=1e-3, atol=1e-3)
    assert {name for name, _ in settled.named_buffers()} == set(fit("svd").arrays)


def test_any_torch_module_with_an_embedding_can_be_swapped():
    class Tiny(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.table, self.head = torch.nn.Embedding(N, D), torch.nn.Linear(D, N)
            self.head.weight = self.table.weight

        def get_input_embeddings(self):
            return self.table

        def set_input_embeddings(self, module):
            self.table = module

        def forward(self, ids):
            return self.head(self.table(ids))

    model, result = Tiny(), fit("rq")
    bias, table = model.head.bias.detach(), torch.from_numpy(result.reconstruct())
    assert compress.swap_embedding(model, result).output == "compressed"
    torch.testing.assert_close(model(IDS), linear(embedding(IDS, table), table, bias), rtol=0, atol=1e-5)


def test_a_trained_layer_in_a_bfloat16_model_gives_its_dtype():
    model = model_of("BertForMaskedLM").to(torch.bfloat16)
    compress.swap_embedding(model, fit("svd"))
    layer = train_table(model)
    scores = model(IDS, attention_mask=torch.ones_like(IDS)).logits
    scores.float().square().sum().backward()
    assert scores.dtype == torch.bfloat16 and layer.bases.grad.dtype == torch.float32


def test_a_table_of_another_shape_is_refused():
    values = np.random.default_rng(0).standard_normal((40, 7)).astype(np.float32)
    with pytest.raises(ValueError, match=f"The compressed table is 40 × 7, the model’s is {N} × {D}"):
        compress.swap_embedding(model_of("BertModel"), compress.Int8().fit(EmbeddingMatrix(values)))


def test_a_module_without_an_embedding_is_refused():
    with pytest.raises(ValueError, match="Linear has no get_input_embeddings and set_input_embeddings"):
        compress.swap_embedding(torch.nn.Linear(2, 2), fit("svd"))


def test_an_embedding_that_does_something_of_its_own_is_refused():
    class Scaled(torch.nn.Embedding):
        def forward(self, ids):
            return 2 * super().forward(ids)

    model = model_of("BertModel")
    model.set_input_embeddings(Scaled(N, D))
    with pytest.raises(ValueError, match="the embedding of BertModel is a Scaled that does more than look up rows and scale them"):
        compress.swap_embedding(model, fit("svd"))


def test_an_output_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="output must be one of compressed, own, got 'dense'"):
        compress.swap_embedding(model_of("BertModel"), fit("svd"), output="dense")


def test_a_model_is_swapped_once():
    model = model_of("BertModel")
    compress.swap_embedding(model, fit("svd"))
    with pytest.raises(ValueError, match="the embedding of BertModel is compressed already"):
        compress.swap_embedding(model, fit("svd"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"settings": {"j": -3}}, "The header of config.json is damaged"),
        ({"version": 9}, "config.json has format version 9, this program reads versions 1 and 2"),
        ({"method": "zip"}, "made by the method 'zip', which this version lacks"),
        ({"shape": [N, D + 1]}, "quantization_config of the model's config.json is damaged"),
        ({"arrays": None}, "quantization_config of the model's config.json is damaged"),
        ({"arrays": {"bases": ["float16", [10**9, 10**9]]}}, "quantization_config of the model's config.json is damaged"),
        ({"arrays": {"bases": ["object", [2]]}}, "quantization_config of the model's config.json is damaged"),
        ({"output": "dense"}, "quantization_config of the model's config.json is damaged"),
        ({"arrays": {"other": ["float16", [2]]}}, "files lack the array 'other'"),
        ({"settings": {"j": 7}}, "files do not hold what config.json says"),
    ],
)
def test_a_damaged_config_is_said_plainly(tmp_path, change, said):
    model = model_of("GPT2LMHeadModel")
    compress.swap_embedding(model, fit("svd"))
    reopened(model, tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    del config["quantization_config"]["checksum"]  # as older versions wrote it
    config["quantization_config"] |= change
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(compress.InputError, match=said):
        transformers.AutoModelForCausalLM.from_pretrained(tmp_path)


def test_a_swapped_model_is_not_resized_and_says_so(tmp_path):
    model = model_of("GPT2LMHeadModel")
    compress.swap_embedding(model, fit("svd"))
    for each in (model, model.transformer, copy.deepcopy(model), reopened(model, tmp_path)):
        assert each.resize_token_embeddings() is each.get_input_embeddings() is each.resize_token_embeddings(N)
        for asked in ({"new_num_tokens": N + 2}, {"pad_to_multiple_of": 64}):
            with pytest.raises(ValueError, match=f"keeps its {N} rows, asked were 12[28]; resize the model before"):
                each.resize_token_embeddings(**asked)
