"""A smaller vocabulary: the same tokens and outputs on what was kept, and every other text still in tokens."""

import json
from functools import cache

import pytest
import torch
import transformers
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from compress.__main__ import main
from compress.errors import InputError
from compress.models.trimming import trim
from compress.sources.scripts import written_in

SPECIAL = ["<pad>", "<unk>", "<s>", "</s>"]
SMALL = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 24}
ENCODER_DECODER = {"encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 2, "decoder_attention_heads": 2}
KEPT = ["the cat sat on the mat", "a small cat saw another small mat", "cats and mats  sit still"]
OTHER = ["a dog barks at the small moon", "кот сидит на ковре", "naïve 猫 42", ""]
CORPUS = [*KEPT, *OTHER, "dogs bark and moons shine on the barking dog", "кот и ковёр и ещё кот"]
KINDS = ["bytes", "byte fallback", "pieces", "unigram", "words", "endings"]
MODELS = {
    "LlamaForCausalLM": SMALL | {"tie_word_embeddings": True},
    "GPTNeoXForCausalLM": SMALL | {"tie_word_embeddings": False},
    "BertForMaskedLM": SMALL,
    "T5ForConditionalGeneration": {"d_model": 16, "d_kv": 8, "d_ff": 24, "num_layers": 1, "num_heads": 2},
    "BartForConditionalGeneration": {"d_model": 16, "encoder_ffn_dim": 24, "decoder_ffn_dim": 24, **ENCODER_DECODER},
}


@cache
def tokenizer_of(kind):
    """A tokenizer of a kind, trained on the corpus, as its JSON."""
    template = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 2), ("</s>", 3)])
    own = {"special_tokens": SPECIAL, "show_progress": False}
    if kind == "bytes":
        made = Tokenizer(models.BPE())
        made.pre_tokenizer, made.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
        trainer = trainers.BpeTrainer(vocab_size=330, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), **own)
    elif kind == "byte fallback":
        made = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>", fuse_unk=True))
        made.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
        made.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
        trainer = trainers.BpeTrainer(vocab_size=130, **own)
    elif kind == "pieces":
        made = Tokenizer(models.WordPiece(unk_token="<unk>"))
        made.pre_tokenizer, made.decoder = pre_tokenizers.BertPreTokenizer(), decoders.WordPiece()
        trainer = trainers.WordPieceTrainer(vocab_size=140, **own)
    elif kind == "unigram":
        made = Tokenizer(models.Unigram())
        made.pre_tokenizer, made.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
        trainer = trainers.UnigramTrainer(vocab_size=110, unk_token="<unk>", **own)
    elif kind == "words":
        made = Tokenizer(models.WordLevel(unk_token="<unk>"))
        made.pre_tokenizer, trainer = pre_tokenizers.Whitespace(), trainers.WordLevelTrainer(**own)
    else:
        made = Tokenizer(models.BPE(end_of_word_suffix="</w>", unk_token="<unk>"))
        made.pre_tokenizer, made.decoder = pre_tokenizers.Whitespace(), decoders.BPEDecoder(suffix="</w>")
        trainer = trainers.BpeTrainer(vocab_size=130, end_of_word_suffix="</w>", **own)
    made.train_from_iterator(CORPUS, trainer)
    made.post_processor = template
    parts = json.loads(made.to_str())
    if kind == "byte fallback":
        parts["model"]["vocab"] |= {f"<0x{byte:02X}>": made.get_vocab_size() + byte for byte in range(256)}
    return json.dumps(parts)


def saved(folder, kind, name="LlamaForCausalLM", **more):
    """A small model with such a tokenizer in a folder; the network and the tokenizer."""
    special = dict(zip(("pad_token", "unk_token", "bos_token", "eos_token"), SPECIAL, strict=True))
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=Tokenizer.from_str(tokenizer_of(kind)), **special)
    torch.manual_seed(0)
    config = getattr(transformers, name).config_class(
        vocab_size=len(tokenizer) + more.pop("empty", 0), pad_token_id=0, bos_token_id=2, eos_token_id=3, **MODELS[name], **more
    )
    network = getattr(transformers, name)(config).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_(0, 0.3)
        for buffer_name, buffer in network.named_buffers():
            if buffer_name.endswith("final_logits_bias"):
                buffer.normal_()
    network.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return network, tokenizer


def opened(folder, name="LlamaForCausalLM"):
    return getattr(transformers, name).from_pretrained(folder).eval(), transformers.AutoTokenizer.from_pretrained(folder)


def logits_of(network, ids):
    given = torch.tensor([ids])
    more = {"decoder_input_ids": given} if network.config.is_encoder_decoder else {}
    with torch.inference_mode():
        return network(input_ids=given, **more).logits


@pytest.mark.parametrize("kind", KINDS)
def test_kept_texts_have_the_same_tokens_and_others_still_have_some(tmp_path, kind):
    _, before = saved(tmp_path / "whole", kind, empty=7)
    found = trim(tmp_path / "whole", tmp_path / "small", KEPT)
    network, after = opened(tmp_path / "small")
    assert found.rows == len(after) == network.config.vocab_size < len(before) < found.rows_before
    for text in KEPT:
        ids = after(text)["input_ids"]
        assert [found.kept[row] for row in ids] == before(text)["input_ids"]
        assert after.decode(ids) == before.decode(before(text)["input_ids"])
    for text in OTHER:
        ids = after(text)["input_ids"]
        assert max(ids) < found.rows and ids[0] == after.bos_token_id and ids[-1] == after.eos_token_id
        if kind.startswith("byte"):
            assert after.decode(ids, skip_special_tokens=True).strip() == text


@pytest.mark.parametrize("name", MODELS)
def test_kept_tokens_have_the_same_logits(tmp_path, name):
    network, before = saved(tmp_path / "whole", "bytes", name)
    found = trim(tmp_path / "whole", tmp_path / "small", KEPT)
    smaller, after = opened(tmp_path / "small", name)
    for text in KEPT:
        expected = logits_of(network, before(text)["input_ids"])[..., list(found.kept)]
        torch.testing.assert_close(logits_of(smaller, after(text)["input_ids"]), expected, rtol=1e-5, atol=1e-5)
    assert smaller.config.eos_token_id == after.eos_token_id == found.kept.index(3)
    assert found.model_bytes < found.model_bytes_before


def test_scripts_keep_what_is_written_in_them_and_what_is_of_none(tmp_path):
    saved(tmp_path / "whole", "bytes")
    trim(tmp_path / "whole", tmp_path / "latin", scripts=["Latin"])
    trim(tmp_path / "whole", tmp_path / "both", scripts=["Latin", "Cyrillic"])
    lengths = {name: len(opened(tmp_path / name)[1]("кот и ковёр")["input_ids"]) for name in ("whole", "latin", "both")}
    assert lengths["whole"] <= lengths["both"] < lengths["latin"]
    small = opened(tmp_path / "latin")[1]
    assert small.tokenize(CORPUS[7]) == opened(tmp_path / "whole")[1].tokenize(CORPUS[7])
    texts = ["cat", "кот", " 42!", "猫", "né", "�", "c�", "catкот", ""]
    assert written_in(texts, ["Latin"]) == [True, False, True, False, True, False, True, False, True]


def test_every_number_of_a_token_in_the_configs_follows(tmp_path):
    saved(tmp_path / "whole", "pieces")
    config = json.loads((tmp_path / "whole" / "config.json").read_text())
    last = config["vocab_size"] - 1
    changed = config | {"eos_token_id": [3, last], "sep_token_id": last, "num_hidden_layers": 1}
    (tmp_path / "whole" / "config.json").write_text(json.dumps(changed))
    told = {"eos_token_id": [last, 3], "suppress_tokens": [last - 1], "max_length": last, "bad_words_ids": [[last, 3]]}
    (tmp_path / "whole" / "generation_config.json").write_text(json.dumps(told))
    (tmp_path / "whole" / "1_Pooling").mkdir()
    (tmp_path / "whole" / "1_Pooling" / "config.json").write_text("{}")
    (tmp_path / "whole" / "vocab.txt").write_text("stale")
    found = trim(tmp_path / "whole", tmp_path / "small", KEPT)
    place = {number: at for at, number in enumerate(found.kept)}
    after = json.loads((tmp_path / "small" / "config.json").read_text())
    assert (after["eos_token_id"], after["sep_token_id"], after["vocab_size"]) == ([3, place[last]], place[last], found.rows)
    assert after["num_hidden_layers"] == 1
    after = json.loads((tmp_path / "small" / "generation_config.json").read_text())
    assert after["eos_token_id"] == [place[last], 3] and after["suppress_tokens"] == [place[last - 1]]
    assert after["bad_words_ids"] == [[place[last], 3]] and after["max_length"] == last
    assert (tmp_path / "small" / "1_Pooling" / "config.json").exists() and not (tmp_path / "small" / "vocab.txt").exists()


def test_the_command_writes_a_folder_that_others_go_on_from(tmp_path, capsys):
    saved(tmp_path / "whole", "bytes")
    kept, out = tmp_path / "kept.txt", str(tmp_path / "small")
    kept.write_text("\n".join(KEPT), encoding="utf-8")
    assert main(["trim", str(tmp_path / "whole"), "--text", str(kept), "--out", out, "--json"]) == 0
    row = json.loads(capsys.readouterr().out)
    assert main(["fit", out, "--method", "int8", "--json"]) == 0
    assert row["rows"] == json.loads(capsys.readouterr().out)["n_bytes"] // (16 + 2)


def test_what_cannot_be_trimmed_is_refused_in_a_sentence(tmp_path, capsys):
    saved(tmp_path / "whole", "bytes")
    with pytest.raises(InputError, match="'Latinx' is no script of Unicode; write Latin"):
        trim(tmp_path / "whole", tmp_path / "small", scripts=["Latinx"])
    with pytest.raises(InputError, match="No token is written in Thai; take other scripts"):
        trim(tmp_path / "whole", tmp_path / "small", scripts=["Thai"])
    with pytest.raises(InputError, match="whole is there already; name a new folder or an empty one"):
        trim(tmp_path / "whole", tmp_path / "whole", KEPT)
    with pytest.raises(InputError, match="toy is a matrix without a model"):
        trim("toy", tmp_path / "small", KEPT)
    with pytest.raises(ValueError, match="say which tokens to keep: by texts, by scripts or both"):
        trim(tmp_path / "whole", tmp_path / "small")
    (tmp_path / "whole" / "tokenizer.json").unlink()
    (tmp_path / "whole" / "tokenizer_config.json").unlink()
    assert main(["trim", str(tmp_path / "whole"), "--scripts", "Latin", "--out", str(tmp_path / "small")]) == 2
    assert "tokenizer" in capsys.readouterr().err
    assert not (tmp_path / "small").exists()
