"""A model with a smaller vocabulary: rows of its tables dropped, its tokenizer and what its files call tokens by made to fit."""

import json
import os
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compress.errors import InputError
from compress.files import read_json, whole_folder
from compress.models.open import model_path, plainly, quiet
from compress.models.places import embedding_of, modules, output_of, total_bytes
from compress.models.vocabulary import completed, cut, numbers_of, used_by, written_by
from compress.models.whole import WEIGHTS, check_new, copy_others, whole_network

if TYPE_CHECKING:
    from tokenizers import Tokenizer

NUMBERED = re.compile(r"(token_ids?|token_index|_to_id|suppress_tokens|words_ids)$")  # settings whose numbers are tokens
CONFIGS = ("config.json", "generation_config.json")
STALE = (  # weights in other forms and tokenizers in other files, which would still have every row
    *WEIGHTS,
    *("tokenizer*", "vocab.*", "merges.txt", "*.model", "*.tiktoken", "added_tokens.json", "special_tokens_map.json"),
)


@dataclass(frozen=True)
class TrimmedModel:
    """kept: the rows that are left, by their old number, ascending. rows, rows_before: of the table. model_bytes, …_before: of all
    weights, each once."""

    kept: tuple[int, ...]
    rows: int
    rows_before: int
    model_bytes: int
    model_bytes_before: int

    def row(self) -> dict:
        """The figures, without the rows."""
        return {name: value for name, value in asdict(self).items() if name != "kept"}


def trim(
    source: str | os.PathLike, folder: str | os.PathLike, texts: Sequence[str] = (), scripts: Sequence[str] = ()
) -> TrimmedModel:
    """Writes the model of a source into a new folder, with the tokens alone that the texts are made of and those written in the
    scripts, and what these need, see `vocabulary.completed`. On the texts it gives the same tokens, and for these the same outputs.
    Raises InputError where there is no model, or none that can be trimmed."""
    from tokenizers import Tokenizer

    if not texts and not scripts:
        raise ValueError("say which tokens to keep: by texts, by scripts or both")
    found = model_path(source)
    if found is None:
        raise InputError(f"{source} is a matrix without a model; name the folder of a transformers model.")
    tokenizer, network = whole_model(source, *found)
    before = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
    before.no_truncation()
    before.no_padding()
    parts = json.loads(tokenizer.backend_tokenizer.to_str())
    wanted = used_by(before, texts) if texts else set()
    wanted |= written_by(before, scripts) if scripts else set()
    configs = [network.config.to_dict(), network.generation_config.to_dict() if network.can_generate() else {}]
    named = {number for config in configs for number in token_numbers(config)}
    n = embedding_of(network).num_embeddings
    kept = sorted(completed(parts, wanted | (named & set(numbers_of(parts).values()))))
    if kept[-1] >= n:
        raise InputError(
            f"The tokenizer of {source} has token {kept[-1]:,}, its table only {n:,} rows; they do not fit each other."
        )
    tokenizer._tokenizer = smaller(source, parts, kept, before, texts)
    held = total_bytes(network)
    keep_rows(network, kept)
    with whole_folder(Path(folder).expanduser(), check_new) as part, quiet():
        network.save_pretrained(part)
        tokenizer.save_pretrained(part)
        for name in CONFIGS:
            if (part / name).is_file():
                moved = renumbered(read_json(part / name), {number: at for at, number in enumerate(kept)})
                (part / name).write_text(json.dumps(moved, indent=2) + "\n", encoding="utf-8")
        if Path(found[0]).is_dir():
            copy_others(Path(found[0]), part, STALE)
    return TrimmedModel(tuple(kept), len(kept), n, total_bytes(network), held)


def whole_model(source: str | os.PathLike, where: str, revision: str | None) -> tuple[Any, Any]:
    """The tokenizer, and the network as its files have it: every head, in their dtype. Raises InputError where the tokenizer is not
    one that can be written as JSON."""
    import transformers

    network = whole_network(source, where, revision)
    with plainly(source), quiet():
        tokenizer = transformers.AutoTokenizer.from_pretrained(where, revision=revision, trust_remote_code=False)
    if getattr(tokenizer, "backend_tokenizer", None) is None:
        kind = type(tokenizer).__name__
        raise InputError(f"The tokenizer of {source} ({kind}) has no tokenizer.json and cannot be trimmed; convert it first.")
    return tokenizer, network


def smaller(source: Any, parts: dict, kept: Sequence[int], before: "Tokenizer", texts: Sequence[str]) -> "Tokenizer":
    """The tokenizer with the kept tokens alone, once it is certain that texts become the same tokens."""
    from tokenizers import Tokenizer

    found = Tokenizer.from_str(json.dumps(cut(parts, kept)))
    plain = Tokenizer.from_str(found.to_str())
    plain.no_truncation()
    plain.no_padding()
    place = {number: at for at, number in enumerate(kept)}
    right = all(plain.token_to_id(token) == place[number] for token, number in numbers_of(parts).items() if number in place)
    pairs = zip(plain.encode_batch(texts), before.encode_batch(texts), strict=True)
    if not right or any([kept[number] for number in after.ids] != old.ids for after, old in pairs):
        raise InputError(f"The tokenizer of {source} gives other tokens once it is smaller; it cannot be trimmed.")
    return found


def keep_rows(network: Any, kept: Sequence[int]) -> None:
    """Drops all other rows of the network's embedding and of its output layer, which keep their ties. Raises InputError where other
    parts have a row a token."""
    import torch

    embedding, head = embedding_of(network), output_of(network)
    n, order = embedding.num_embeddings, torch.tensor(kept)
    others = [
        name
        for name, module in modules(network)
        if isinstance(module, torch.nn.Embedding)
        and module.num_embeddings == n
        and module.weight is not embedding.weight
        and "position" not in name
    ]
    if others:
        raise InputError(f"{type(network).__name__} has a row a token in {others[0]} too, and cannot be trimmed.")
    tables = [embedding.weight, getattr(head, "weight", None), getattr(head, "bias", None)]
    with torch.no_grad():
        for table in {id(each): each for each in tables if each is not None and len(each) == n}.values():
            table[: len(kept)] = table[order]
        for name, biases in network.named_buffers():
            if name.endswith("final_logits_bias"):
                biases[..., : len(kept)] = biases[..., order]
    network.resize_token_embeddings(len(kept), mean_resizing=False)


def token_numbers(config: Any, name: str = "") -> set[int]:
    """The tokens that a config names."""
    if isinstance(config, dict):
        return {number for key, value in config.items() for number in token_numbers(value, inner_name(name, key))}
    if isinstance(config, list | tuple):
        return {number for value in config for number in token_numbers(value, name)}
    return {config} if type(config) is int and NUMBERED.search(name) else set()


def renumbered(config: Any, place: dict[int, int], name: str = "") -> Any:
    """The config with the new numbers of tokens."""
    if isinstance(config, dict):
        return {key: renumbered(value, place, inner_name(name, key)) for key, value in config.items()}
    if isinstance(config, list):
        return [renumbered(value, place, name) for value in config]
    return place.get(config, config) if type(config) is int and NUMBERED.search(name) else config


def inner_name(name: str, key: Any) -> str:
    """What tells of a setting within another whether its numbers are tokens: the outer name where that tells."""
    return name if NUMBERED.search(name) else str(key)
