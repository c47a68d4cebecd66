"""A model's folder with its table packed as compressed-tensors does: read back by that library, and by transformers."""

import json

import numpy as np
import pytest
import torch

import compress
from compress import SVD, EmbeddingMatrix, InputError, Int8
from compress.__main__ import main
from compress.export.packed_model import BITS, READERS, packed, packed_rounding, write_packed
from compress.models.open import quiet
from compress.sources.checkpoints.safetensors_file import entries_of

N, D = 120, 64
IDS = torch.arange(3, 27).reshape(2, 12)


def llama(folder, tied=True, dtype=torch.float32):
    """A small model in a folder, its table with rows of several lengths."""
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    small = {"hidden_size": D, "num_hidden_layers": 1, "num_attention_heads": 4, "intermediate_size": 48}
    model = LlamaForCausalLM(LlamaConfig(vocab_size=N, tie_word_embeddings=tied, **small)).to(dtype).eval()
    with torch.no_grad():
        model.get_input_embeddings().weight.normal_(0, 0.3)
    with quiet():
        model.save_pretrained(folder)
    (folder / "README.md").write_text("its card")
    (folder / "pytorch_model.bin").write_text("the same again")
    return model


def bytes_of(folder):
    path = folder / "model.safetensors"
    content = path.read_bytes()
    return {name: (entry.dtype, entry.shape, content[entry.start : entry.stop]) for name, entry in entries_of(path)[0].items()}


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("dtype", ["int8", "int4"])
def test_the_table_alone_is_another_and_the_tied_head_is_written_nowhere(tmp_path, tied, dtype):
    model = llama(tmp_path / "model", tied, torch.float16)
    result = SVD(j=40).fit(compress.load_matrix(tmp_path / "model"))
    done = write_packed(result, tmp_path / "model", tmp_path / "out", dtype)
    before, after = bytes_of(tmp_path / "model"), bytes_of(tmp_path / "out")
    table = before.pop("model.embed_tokens.weight")
    own = {name: after.pop(f"model.embed_tokens.{name}") for name in ("weight_packed", "weight_scale", "weight_shape")}
    assert after == before and ("lm_head.weight" in after) == (not tied) == (not done.tied)
    assert own["weight_packed"][:2] == ("I32", (N, D * BITS[dtype] // 32)) and own["weight_scale"][:2] == ("F16", (N, D // 32))
    assert done.table_bytes == sum(len(each[2]) for each in own.values()) < len(table[2]) == done.table_bytes_before
    assert done.model_bytes == (tmp_path / "out" / "model.safetensors").stat().st_size
    assert sorted(each.name for each in (tmp_path / "out").iterdir()) == sorted(
        each.name for each in (tmp_path / "model").iterdir() if each.suffix != ".bin"
    )
    kept, decoded = compress.load_matrix(tmp_path / "out").values, result.reconstruct()
    assert done.rounding == pytest.approx(((kept - decoded) ** 2).sum() / (decoded**2).sum(), rel=1e-4)
    assert done.rounding < {"int8": 4e-5, "int4": 0.008}[dtype]
    a = model.get_input_embeddings().weight.detach().float().numpy()
    assert done.error == pytest.approx(((kept - a) ** 2).sum() / (a**2).sum(), rel=1e-4)


@pytest.mark.parametrize("dtype", BITS)
@pytest.mark.parametrize("stored", [torch.float32, torch.bfloat16])
def test_the_library_unpacks_what_is_told(tmp_path, dtype, stored):
    quantization = pytest.importorskip("compressed_tensors.quantization")
    from compressed_tensors.compressors import PackedQuantizationCompressor
    from safetensors.torch import load_file

    llama(tmp_path / "model", dtype=stored)
    result = Int8().fit(compress.load_matrix(tmp_path / "model"))
    write_packed(result, tmp_path / "model", tmp_path / "out", dtype, group=16)
    told = json.loads((tmp_path / "out" / "config.json").read_text())["quantization_config"]
    scheme = quantization.QuantizationConfig.model_validate(told).config_groups["group_0"]
    arrays = load_file(tmp_path / "out" / "model.safetensors")
    held = {name.rpartition(".")[2]: each for name, each in arrays.items() if "embed_tokens" in name}
    found = PackedQuantizationCompressor.decompress(held, scheme)["weight"].float().numpy()
    kept = compress.load_matrix(tmp_path / "out").values
    np.testing.assert_allclose(found, kept, rtol=0 if stored == torch.float32 else 2**-8)
    again = PackedQuantizationCompressor.compress({"weight": torch.from_numpy(kept), "weight_scale": held["weight_scale"]}, scheme)
    assert torch.equal(again["weight_packed"], held["weight_packed"])


@pytest.mark.parametrize("tied", [True, False])
def test_transformers_opens_the_folder_and_gives_the_logits_of_what_was_kept(tmp_path, tied):
    pytest.importorskip("compressed_tensors")
    from transformers import AutoModelForCausalLM

    model = llama(tmp_path / "model", tied)
    result = SVD(j=40).fit(compress.load_matrix(tmp_path / "model"))
    write_packed(result, tmp_path / "model", tmp_path / "out", "int4")
    with quiet(), torch.no_grad():
        opened = AutoModelForCausalLM.from_pretrained(tmp_path / "out").eval()
        model.get_input_embeddings().weight.copy_(torch.from_numpy(compress.load_matrix(tmp_path / "out").values))
        np.testing.assert_allclose(opened(IDS).logits.numpy(), model(IDS).logits.numpy(), atol=1e-5)


def test_a_group_of_zeros_stays_zeros():
    rows = np.zeros((2, 64), np.float32)
    rows[1, :32] = np.linspace(-1, 1, 32)
    for bits in BITS.values():
        (words, scales), kept = packed(rows, bits, 32, "F32")
        assert words.shape == (2, 2 * bits) and not kept[0].any() and not kept[1, 32:].any() and np.isfinite(scales).all()
        assert ((kept - rows) ** 2).sum() < 2 * 4.0**-bits * (rows**2).sum()


def test_numbers_too_large_for_their_scales_are_refused():
    large = Int8().fit(EmbeddingMatrix(np.full((3, 32), 1e9, np.float32)))
    with pytest.raises(InputError, match="numbers that are too large or too small for int4 in the model; take another type"):
        packed_rounding(large, "the model", "int4", 32, 2)


def test_what_cannot_be_packed_is_refused_and_nothing_is_left(tmp_path):
    llama(tmp_path / "model")
    matrix = compress.load_matrix(tmp_path / "model")
    result = Int8().fit(matrix)
    np.save(tmp_path / "table.npy", matrix.values)

    def refused(error, words, given=result, source=tmp_path / "model", **options):
        with pytest.raises(error, match=words):
            write_packed(given, source, tmp_path / "out", **options)

    refused(ValueError, "the table can be stored as int8 or int4, got int3", dtype="int3")
    refused(ValueError, "a group must part the 64 columns, and these fill words of 32 bits, got 48 as int8", group=48)
    refused(InputError, r"table\.npy is a matrix without a model", source=tmp_path / "table.npy")
    refused(
        InputError, "The compressed table is 60 × 64, that of .*model is 120 × 64", Int8().fit(EmbeddingMatrix(matrix.values[:60]))
    )
    refused(
        InputError,
        "not of the model in .*model: a table of zeros is nearer",
        Int8().fit(EmbeddingMatrix(matrix.values[::-1].copy())),
    )
    write_packed(result, tmp_path / "model", tmp_path / "packed")
    refused(InputError, "The model of .*packed is quantized or compressed already", source=tmp_path / "packed")
    assert not (tmp_path / "out").exists()


def test_the_command_writes_the_folder_and_says_who_reads_it(tmp_path, capsys):
    llama(tmp_path / "model")
    Int8().fit(compress.load_matrix(tmp_path / "model")).save(tmp_path / "x.safetensors")
    command = ["export", tmp_path / "x.safetensors", "--as", "compressed-tensors", "--model", tmp_path / "model", "--type", "int4"]
    assert main([str(each) for each in (*command, "--group", 16, "--out", tmp_path / "out", "--json")]) == 0
    row = json.loads(capsys.readouterr().out)
    assert row["table"] == "int4, groups of 16" and row["readers"] == READERS and row["rounding"] > 0
    assert main(["export", str(tmp_path / "x.safetensors"), "--type", "int4", "--out", str(tmp_path / "y")]) == 2
    assert "--type goes with --as gguf or compressed-tensors" in capsys.readouterr().err
