"""What a swap does to the model of a source, foreseen from the model's config: no weight is read."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compress.errors import InputError
from compress.form.compressed import Compressed
from compress.models.open import model_path, plainly, quiet
from compress.models.places import modules
from compress.models.swap import Swapped, swap_embedding
from compress.sources import HUB, WITH_MODEL, config_folder


@dataclass(frozen=True)
class Foreseen:
    """The model that a compressed table is to get into.

    name: by which others can open it: on the hub, or its folder's. revision: on the hub, where one was named. opener: the class of
    transformers that opens it as it was saved, such as "AutoModelForCausalLM". swapped: what a swap does to it; None where it
    cannot be swapped, and then no_swap says why.
    """

    name: str
    revision: str | None
    opener: str
    swapped: Swapped | None
    no_swap: str | None


def foreseen(source: str | os.PathLike, result: Compressed, tensor: str | None = None) -> Foreseen | None:
    """What a swap of the source's table would do. tensor: the one that was compressed, where it was named. None for a matrix
    without a model, and for a model whose config is not there or cannot be read."""
    import torch

    where = located(source)
    if where is None:
        return None
    import transformers

    try:
        with plainly(source), quiet(), torch.device("meta"):
            config = transformers.AutoConfig.from_pretrained(where, trust_remote_code=False)
            opener = opener_of(config)
            network = getattr(transformers, opener).from_config(
                config, dtype=config.dtype or torch.float32, trust_remote_code=False
            )
    except InputError:
        return None
    name, revision = named(source)
    try:
        check_tensor(network, tensor)
        return Foreseen(name, revision, opener, swap_embedding(network, result), None)
    except ValueError as error:
        return Foreseen(name, revision, opener, None, str(error))


def located(source: str | os.PathLike) -> Path | None:
    """The folder with the config of a source's model, in the cache for a model on the hub; None where there is none."""
    try:
        return config_folder(source) if model_path(source) is not None else None
    except InputError:
        return None


def named(source: str | os.PathLike) -> tuple[str, str | None]:
    """The model's name for people elsewhere, and its revision."""
    text = str(source)
    if text in WITH_MODEL:
        return WITH_MODEL[text].MODEL, None
    if text.startswith(HUB):
        name, _, revision = text.removeprefix(HUB).partition("@")
        return name, revision or None
    return Path(text).expanduser().resolve().name, None


def opener_of(config: Any) -> str:
    """The class of transformers that opens a model as the class that its config names; AutoModel where none does. Of several,
    as of an encoder with a decoder, it is the one that says most of what the model is for."""
    import transformers

    kinds: dict[str, tuple[type, ...]] = {}
    for name in dir(transformers):
        mapping = getattr(getattr(transformers, name), "_model_mapping", None) if name.startswith("AutoModel") else None
        if mapping is not None and type(config) in mapping:
            found = mapping[type(config)]
            kinds[name] = found if isinstance(found, tuple) else (found,)
    wanted = {str(each) for each in config.architectures or []}
    fitting = [name for name, classes in kinds.items() if wanted & {each.__name__ for each in classes}]
    return min(fitting, key=lambda name: ("PreTraining" in name, "Seq2SeqLM" not in name, name), default="AutoModel")


def check_tensor(network: Any, tensor: str | None) -> None:
    """Raises ValueError where the tensor of that name is not the table that the model looks up tokens in."""
    table = network.get_input_embeddings().weight
    names = [f"{name}.weight" for name, module in modules(network) if getattr(module, "weight", None) is table]
    if tensor is not None and not any(name.endswith(tensor) or tensor.endswith(name) for name in names):
        raise ValueError(f"{tensor} is not the table that the model looks up tokens in, which is {names[0]}")
