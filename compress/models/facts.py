"""What the files of a model say of it before it is opened."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compress.errors import InputError
from compress.files import read_json

PERMUTED = ("xlnet", "xlm", "flaubert")  # language models that do not predict the next token from those before it alone
TOKENIZERS = ("tokenizer.json", "tokenizer_config.json", "vocab.txt", "tokenizer.model", "spiece.model", "sentencepiece.bpe.model")
WEIGHTS = ("*.safetensors", "*.bin")


@dataclass(frozen=True)
class ModelFacts:
    """kind: the name of its class. causal: whether it predicts the next token. tokenizer: whether it has one. context: how many
    tokens it reads at once. task: the labelled task that it was fine-tuned on. Each is None where the files do not say."""

    kind: str | None = None
    causal: bool | None = None
    tokenizer: bool | None = None
    context: int | None = None
    task: str | None = None


def facts_of_folder(folder: Path) -> ModelFacts:
    """What a model's folder says, its config.json read and no weight; nothing is said by a config that cannot be read."""
    try:
        config = read_json(folder / "config.json")
    except (InputError, OSError):
        config = None
    if not isinstance(config, dict):
        return ModelFacts(tokenizer=has_tokenizer(folder))
    heads = config.get("architectures")
    heads = [str(head) for head in heads] if isinstance(heads, list) else []
    context, task = config.get("max_position_embeddings"), config.get("finetuning_task")
    return ModelFacts(
        heads[0] if heads else None,
        predicts_next(config.get("model_type"), heads),
        has_tokenizer(folder),
        context if isinstance(context, int) and context > 0 else None,
        task.lower() if isinstance(task, str) else None,
    )


def predicts_next(model_type: Any, heads: list[str]) -> bool | None:
    """Whether a model predicts the next token, by the names of its type and its heads; None where only transformers can tell."""
    if model_type in PERMUTED:
        return False
    if any(head.endswith(("CausalLM", "LMHeadModel")) for head in heads):
        return True
    return None if any(head.endswith("ForConditionalGeneration") for head in heads) else False


def has_tokenizer(folder: Path) -> bool:
    """Whether the folder has the files of a tokenizer."""
    pairs = (folder / "vocab.json").is_file() and (folder / "merges.txt").is_file()
    return pairs or any((folder / file).is_file() for file in TOKENIZERS)


def stamp_of_folder(folder: Path) -> list:
    """What changes when a model's files do: the name, size and time of its config and of each file of weights."""
    files = [folder / "config.json", *(file for pattern in WEIGHTS for file in sorted(folder.glob(pattern)))]
    return [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files if file.is_file()]
