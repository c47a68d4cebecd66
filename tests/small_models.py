"""Models of a few thousand weights, with a tokenizer of whole words, and labelled data whose labels a word decides."""

import numpy as np
import pytest
import torch

from compress.models.open import OpenModel

WORDS = [f"w{number}" for number in range(40)]
GOOD, BAD = WORDS[:10], WORDS[10:20]
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]


def tokenizer_with(words):
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(models.WordLevel({word: row for row, word in enumerate(words)}, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    special = {"unk_token": "[UNK]", "pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    return PreTrainedTokenizerFast(tokenizer_object=made, **special)


@pytest.fixture
def one_thread():
    """Products this small gain nothing from a second thread and lose much where the machine is busy."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


SMALL = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}


def small_bert(kind="BertModel"):
    import transformers

    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=len(VOCABULARY),
        **SMALL,
        max_position_embeddings=64,
        initializer_range=0.5,
    )
    network = getattr(transformers, kind)(config).eval()
    with torch.no_grad():
        side = torch.randn(config.hidden_size)
        network.get_input_embeddings().weight[5:15] += side  # the good words
        network.get_input_embeddings().weight[15:25] -= side
    return network


@pytest.fixture
def bert():
    return OpenModel(small_bert(), tokenizer_with(VOCABULARY), False)


@pytest.fixture
def llama():
    """A causal model with a tied output layer and no tokenizer."""
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=50,
        **SMALL,
        max_position_embeddings=32,
        tie_word_embeddings=True,
        initializer_range=0.3,
    )
    return OpenModel(LlamaForCausalLM(config).eval(), None, True)


@pytest.fixture
def table(bert):
    """The small BERT's own table."""
    return bert.table.detach().numpy().copy()


@pytest.fixture
def damaged(table):
    """The table with the rows of half its words, the good ones among them, replaced by one row."""
    lost = table.copy()
    lost[5:25] = table[5:25].mean(0)
    return lost


def sentence(rng, words):
    return " ".join([*rng.choice(WORDS[20:], 2), *rng.choice(words, 2), rng.choice(WORDS[20:])])


@pytest.fixture(scope="session")
def reviews():
    """(text, label): label 1 where a good word is in it, 0 where a bad one is."""
    rng = np.random.default_rng(0)
    return [(sentence(rng, GOOD if row % 2 else BAD), row % 2) for row in range(160)]


@pytest.fixture(scope="session")
def pairs():
    """(text, text, label): 1 where both have a word of one kind."""
    rng = np.random.default_rng(1)
    kinds = rng.integers(0, 2, (160, 2))
    return [(*(sentence(rng, (BAD, GOOD)[kind]) for kind in both), int(both[0] == both[1])) for both in kinds]


@pytest.fixture
def write():
    """Write rows of cells as lines with tabs."""

    def lines(path, rows, header=None):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join("\t".join(map(str, row)) + "\n" for row in ([header] if header else []) + list(rows)))
        return path

    return lines
