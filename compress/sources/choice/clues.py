"""What a model's files say of its table before a tensor is read: its config, its tokenizer, the architecture's own name for it."""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from compress.errors import InputError
from compress.files import read_json
from compress.sources.choice import vocabulary

CONFIG = "config.json"
ROWS = {
    *("vocab_size", "padded_vocab_size", "src_vocab_size", "tgt_vocab_size", "vocabulary_size", "n_vocab", "n_words"),
    "num_tokens",
}
COLUMNS = {
    *("hidden_size", "embedding_size", "d_model", "n_embd", "dim", "d_embed", "embed_dim", "emb_dim", "embedding_dim"),
    *("hidden_dim", "word_embed_proj_dim", "n_embed", "model_dim"),
}
COUNTED = re.compile(r"(layers?|blocks?|experts?)$")  # settings that say how many of something a network has
TEXT = re.compile(r"(.*_)?(text|language|llm|lm)(_.*)?")  # the config, of several in one, that is of the words
FEW = 20  # part of a vocabulary that a table may have besides, for images, prompts, padding
DEEPEST = 4  # levels of a config looked through


@dataclass(frozen=True, eq=False)
class Clues:
    """config: the content of config.json. folder: where the vocabulary lies, None where there is none."""

    config: Mapping[str, Any] = field(default_factory=dict)
    folder: Path | None = None

    @classmethod
    def of(cls, home: Path, vocabulary: Path | None) -> "Clues":
        """Those of a model's folder and that of its vocabulary."""
        return cls(config_in(home), vocabulary)

    @cached_property
    def told(self) -> set[int]:
        """How many rows the config tells of."""
        return set(settings(of_text(self.config), ROWS))

    @cached_property
    def rows(self) -> set[int]:
        """How many rows the table may have; empty where nothing says."""
        if self.told or self.folder is None:
            return self.told
        with suppress(InputError, OSError):
            return {len(vocabulary.vocabulary_in(self.folder))} - {0}
        return set()

    @cached_property
    def columns(self) -> set[int]:
        """How many columns the table may have; empty where nothing says."""
        return set(settings(of_text(self.config), COLUMNS))

    def rows_fit(self, n_rows: int) -> bool:
        """Whether the table may have so many rows, padded to a round number or not, or with a few for what is no word."""
        return not self.rows or any(vocabulary.fills(count, n_rows) or 0 < n_rows - count <= count // FEW for count in self.rows)

    def columns_fit(self, dim: int) -> bool:
        """Whether the table may have so many columns."""
        return not self.columns or dim in self.columns

    def on_its_side(self, shape: tuple[int, ...]) -> bool:
        """Whether a table of that shape has a column a token."""
        n, d = shape
        return n < d and d in self.rows and not self.rows_fit(n) and self.columns_fit(n)

    @cached_property
    def own_name(self) -> str | None:
        """What the architecture itself calls its input table: from the network that transformers builds of the config without
        weights, a layer deep. None for an architecture that it does not know."""
        if not (self.told and isinstance(self.config.get("model_type"), str)):
            return None
        try:
            import torch
            from transformers import AutoConfig, AutoModel

            with torch.device("meta"):
                network = AutoModel.from_config(AutoConfig.for_model(**shallow(self.config)), trust_remote_code=False)
            table = network.get_input_embeddings()
            return next(f"{name}.weight" for name, module in network.named_modules() if module is table)
        except Exception:  # whatever an architecture raises of a config that it does not like
            return None


NONE = Clues()


def config_in(folder: Path) -> Mapping[str, Any]:
    """The content of config.json; nothing where there is none that can be read."""
    with suppress(InputError, OSError):
        config = read_json(folder / CONFIG)
        return config if isinstance(config, dict) else {}
    return {}


def of_text(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a config says of the network that reads words, where it is one of several; else all of it."""
    return next(texts(config), config)


def texts(config: Mapping[str, Any], depth: int = 0) -> Iterator[Mapping[str, Any]]:
    """The configs within a config that are of networks that read words, by their names."""
    for name, value in config.items():
        if isinstance(value, Mapping) and depth < DEEPEST:
            if TEXT.fullmatch(name) and not ROWS.isdisjoint(value):
                yield value
            else:
                yield from texts(value, depth + 1)


def settings(config: Mapping[str, Any], names: set[str], depth: int = 0) -> Iterator[int]:
    """The whole numbers that a config, or a config within it, has under some names."""
    for name, value in config.items():
        if isinstance(value, Mapping) and depth < DEEPEST:
            yield from settings(value, names, depth + 1)
        elif name in names and type(value) is int and value > 0:
            yield value


def shallow(config: Mapping[str, Any]) -> dict[str, Any]:
    """The config of the same network with a layer, and an expert, where it has many; nothing that would be fetched."""
    counts = {value for name, value in config.items() if COUNTED.search(name) and type(value) is int and value > 1}
    small: dict[str, Any] = {}
    for name, value in config.items():
        if name in ("auto_map", "quantization_config") or "backbone" in name:
            continue
        if isinstance(value, Mapping):
            small[name] = shallow(value)
        elif isinstance(value, list) and len(value) in counts:
            small[name] = value[:1]
        else:
            small[name] = 1 if type(value) is int and value in counts and COUNTED.search(name) else value
    return small
