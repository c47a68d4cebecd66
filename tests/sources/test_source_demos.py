"""The demos that `make demos` installs: found in their packages, checked, and opened with their model."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from compress import InputError
from compress.models import open_model
from compress.sources import glove, is_installed, load_matrix, smollm2, tensors

D, LAYERS = 64, 1
LETTERS = [chr(code) for code in (*range(33, 127), *range(161, 173), *range(174, 324))]  # that stand for the bytes of a text
TOKENS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", *LETTERS, "Ġt", "Ġth", "Ġthe"]


@pytest.fixture
def packages(tmp_path, monkeypatch):
    """Stand-ins for the packages of both, which fail where they are imported."""
    from gguf import GGUFWriter

    monkeypatch.setenv("FLATLAND_CACHE", str(tmp_path / "cache"))
    monkeypatch.syspath_prepend(tmp_path)
    random = np.random.default_rng(0)
    for module in (glove, smollm2):
        folder = tmp_path / module.PACKAGE.name
        (folder / "data").mkdir(parents=True)
        (folder / "__init__.py").write_text("raise RuntimeError('the package was imported')")
    write_words(tmp_path / glove.PACKAGE.name, random.standard_normal((3, 2)).astype(np.float32))
    writer = GGUFWriter(tmp_path / smollm2.PACKAGE.name / next(iter(smollm2.PACKAGE.sums)), "llama")
    table = random.standard_normal((len(TOKENS), D)).astype(np.float32)
    write_model(writer, table, random)
    for module in (glove, smollm2):
        sums = {file: sha256(tmp_path / module.PACKAGE.name / file) for file in module.PACKAGE.sums}
        monkeypatch.setattr(module, "PACKAGE", replace(module.PACKAGE, sums=sums))
    return table


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_words(folder, vectors):
    pd = pytest.importorskip("pandas")
    np.save(folder / glove.VECTORS, np.asfortranarray(vectors))
    pd.DataFrame({"index": ["the", ",", "of"]}).to_parquet(folder / glove.WORDS)


def write_model(writer, table, random):
    """A language model of one layer whose output layer is its table."""
    writer.add_context_length(64)
    writer.add_embedding_length(D)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(D)
    writer.add_head_count(2)
    writer.add_head_count_kv(2)
    writer.add_rope_freq_base(10000.0)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(TOKENS))
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(TOKENS)
    writer.add_token_types([3] * 3 + [1] * (len(TOKENS) - 3))
    writer.add_token_merges(["Ġ t", "Ġt h", "Ġth e"])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_tensor("token_embd.weight", table)
    writer.add_tensor("output_norm.weight", np.ones(D, np.float32))
    for name in ("attn_norm", "ffn_norm"):
        writer.add_tensor(f"blk.0.{name}.weight", np.ones(D, np.float32))
    for name in ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"):
        writer.add_tensor(f"blk.0.{name}.weight", random.standard_normal((D, D)).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def test_the_language_model_is_opened_from_the_folder_that_is_made_of_its_package(packages):
    assert is_installed("demo:smollm2") and not smollm2.is_made()
    matrix = load_matrix("demo:smollm2")
    np.testing.assert_array_equal(matrix.values, packages.astype(np.float16))
    assert (matrix.name, matrix.row_word, list(matrix.tokens)) == ("smollm2", "token", TOKENS)
    model = open_model("demo:smollm2")
    assert model.causal and model.network.get_output_embeddings().weight is model.table
    assert model.tokenizer("the the")["input_ids"][-1] == TOKENS.index("Ġthe")
    assert smollm2.is_made() and any("GGUF" in note for note in matrix.notes)


def test_the_word_vectors_have_their_words(packages):
    matrix = load_matrix("demo:glove")
    assert (matrix.shape, list(matrix.tokens), matrix.row_word) == ((3, 2), ["the", ",", "of"], "word")
    assert [info.shape for info in tensors("demo:glove")] == [(3, 2)]


@pytest.mark.parametrize(("source", "module"), [("demo:glove", glove), ("demo:smollm2", smollm2)])
def test_a_demo_that_is_changed_or_missing_says_how_to_get_it(packages, source, module, monkeypatch):
    monkeypatch.setattr(module, "PACKAGE", replace(module.PACKAGE, sums=dict.fromkeys(module.PACKAGE.sums, "0" * 64)))
    with pytest.raises(InputError, match=rf"sha256 differs\); reinstall it: .*{module.PACKAGE.requirement}"):
        load_matrix(source)
    monkeypatch.setattr(module, "PACKAGE", replace(module.PACKAGE, name="no_such_package_here"))
    assert not is_installed(source)
    with pytest.raises(InputError, match=r"are not installed; make demos installs them\.$"):
        load_matrix(source)


def test_what_make_demos_installs_is_what_the_demos_expect():
    asked = (Path(__file__).parents[2] / "requirements-demos.txt").read_text().split()
    assert asked == [glove.PACKAGE.requirement, smollm2.PACKAGE.requirement]
