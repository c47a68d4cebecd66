"""The model that a matrix belongs to: the network and its tokenizer, opened by transformers."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any

from compress.errors import InputError
from compress.models.facts import PERMUTED, ModelFacts, facts_of_folder, has_tokenizer, stamp_of_folder
from compress.sources import HUB, WITH_MODEL, tokenizer_folder
from compress.sources.model_folder import home_of

if TYPE_CHECKING:
    from torch import Tensor

MOST_TOKENS = 128  # of a text that a model is given, unless asked otherwise


@dataclass(eq=False)
class OpenModel:
    """A network in float32, ready to compute with, and its tokenizer, None where its files have none. causal: whether it predicts
    the next token, so that perplexity means something."""

    network: Any  # a transformers.PreTrainedModel
    tokenizer: Any  # a transformers.PreTrainedTokenizerBase, or None
    causal: bool

    @property
    def table(self) -> "Tensor":
        """The weights of the embedding, (n, d)."""
        return self.network.get_input_embeddings().weight

    @property
    def facts(self) -> ModelFacts:
        """What is known of it now that it is open."""
        context = getattr(self.network.config, "max_position_embeddings", None)
        return ModelFacts(type(self.network).__name__, self.causal, self.tokenizer is not None, context)


def has_model(source: str | os.PathLike) -> bool:
    """Whether a matrix's source is one that a whole model can be opened from; nothing is fetched."""
    try:
        return model_path(source) is not None
    except InputError:  # a demo's files are not installed
        return False


def model_path(source: str | os.PathLike) -> tuple[str, str | None] | None:
    """What transformers is to open for a matrix's source, and at which revision; None for a matrix without a model."""
    text = str(source)
    if text in WITH_MODEL:
        return str(WITH_MODEL[text].model_folder()), None
    if text.startswith(HUB):
        name, _, revision = text.removeprefix(HUB).partition("@")
        return name, revision or None
    folder = home_of(Path(text).expanduser())
    return (str(folder), None) if (folder / "config.json").is_file() else None


def facts_of(source: str | os.PathLike) -> ModelFacts | None:
    """What the files of a source's model say of it, of one on the hub those that are in the cache; None for a matrix without a
    model."""
    if not has_model(source):
        return None
    if not str(source).startswith(HUB):
        return facts_of_folder(folder_of(source))
    try:
        kept = tokenizer_folder(str(source))
    except InputError:
        kept = None
    if kept is None or not (kept / "config.json").is_file():
        return ModelFacts()
    facts = facts_of_folder(kept)
    return replace(facts, tokenizer=facts.tokenizer or None)  # it may have one that was not fetched


def stamp_of(source: str | os.PathLike) -> list:
    """What tells the model of a source from another one, and from itself before it was changed, without opening it."""
    return [str(source)] if str(source).startswith(HUB) else stamp_of_folder(folder_of(source))


def folder_of(source: str | os.PathLike) -> Path:
    """The folder of a model that is here."""
    found = model_path(source)
    assert found is not None
    return Path(found[0])


def open_model(source: str | os.PathLike, head: str | None = None) -> OpenModel:
    """The model of a matrix's source: "demo", "demo:smollm2", a folder with config.json, or "hub:org/name".

    head: the end of the class's name in transformers that it is opened as, such as "ForSequenceClassification"; unless given, see
    `head_of`. Code that comes with a model is never run. Raises InputError with one plain sentence where there is no model, or none
    that transformers can open.
    """
    import transformers

    found = model_path(source)
    if found is None:
        raise InputError(f"{source} is a matrix without a model; name the folder of a transformers model, or hub:org/name.")
    where, revision = found
    with plainly(source), quiet():
        config = transformers.AutoConfig.from_pretrained(where, revision=revision, trust_remote_code=False)
        own = head_of(config) if head is None else head
        opener = getattr(transformers, f"AutoModel{own}")
        given = {"revision": revision, "config": config, "dtype": "float32", "trust_remote_code": False}
        network, told = opener.from_pretrained(where, **given, output_loading_info=True)
        tokenizer = tokenizer_of(where, revision)
    lacking = sorted(name for name in told["missing_keys"] if "pooler" not in name)
    if lacking and head is None:
        more = f"{len(lacking):,} of its weights, such as {lacking[0]}"
        raise InputError(f"The model of {source} cannot be asked: its files lack {more}; give all files of the model.")
    return OpenModel(network.eval(), tokenizer, own == "ForCausalLM")


def open_tokenizer(source: str | os.PathLike) -> Any:
    """The tokenizer of a source's model alone, None where it has none. Raises InputError where there is no model, or it cannot be
    opened."""
    found = model_path(source)
    if found is None:
        raise InputError(f"{source} is a matrix without a model, and so without a tokenizer.")
    with plainly(source), quiet():
        return tokenizer_of(*found)


def head_of(config: Any) -> str:
    """The head that a model's files hold and tasks use: "ForCausalLM", whatever its class is called, or "ForQuestionAnswering"; ""
    for the bare model."""
    from transformers import MODEL_FOR_CAUSAL_LM_MAPPING

    names = [str(name) for name in config.architectures or []]
    causal: Any = MODEL_FOR_CAUSAL_LM_MAPPING.get(type(config), None)
    if causal is not None and causal.__name__ in names and config.model_type not in PERMUTED:
        return "ForCausalLM"
    return "ForQuestionAnswering" if any(name.endswith("ForQuestionAnswering") for name in names) else ""


def tokenizer_of(where: str, revision: str | None) -> Any:
    """The tokenizer, with something to pad with; None where the model's files have none."""
    from transformers import AutoTokenizer

    if Path(where).is_dir() and not has_tokenizer(Path(where)):
        return None
    tokenizer = AutoTokenizer.from_pretrained(where, revision=revision, trust_remote_code=False)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.unk_token
    return tokenizer


@contextmanager
def plainly(source: str | os.PathLike) -> Iterator[None]:
    """What transformers raises where it cannot open a model, as one sentence."""
    from safetensors import SafetensorError

    known = OSError, ValueError, KeyError, ImportError, AttributeError, RuntimeError, SafetensorError, UnpicklingError, EOFError
    try:
        yield
    except known as error:
        said = " ".join(str(error).split())
        raise InputError(f"The model of {source} cannot be opened ({said[:200]}); a model's folder has config.json too.") from error


@contextmanager
def quiet() -> Iterator[None]:
    """Without transformers' bars and warnings on the terminal."""
    from transformers.utils import logging

    bars, before = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(before)
        if bars:
            logging.enable_progress_bar()
