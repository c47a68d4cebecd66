"""A model as its files have it, to be written into another folder with what else lies beside it."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from compress.errors import InputError
from compress.models.foreseen import opener_of
from compress.models.open import plainly, quiet

WEIGHTS = ("*.safetensors", "*.bin", "*.index.json", "*.gguf", "*.h5", "*.msgpack", "*.onnx", "*.ot", "onnx", "openvino", ".*")


def whole_network(source: str | os.PathLike, where: str, revision: str | None) -> Any:
    """The network of a source with every head, in the dtype of its weights. Raises InputError where it is quantized already."""
    import transformers

    with plainly(source), quiet():
        config = transformers.AutoConfig.from_pretrained(where, revision=revision, trust_remote_code=False)
        if getattr(config, "quantization_config", None) is not None:
            raise InputError(f"The model of {source} is quantized or compressed already; take the one that it was made from.")
        config.dtype = None  # that of the weights, whatever the config says
        opener = getattr(transformers, opener_of(config))
        return opener.from_pretrained(where, revision=revision, config=config, dtype="auto", trust_remote_code=False).eval()


def copy_others(home: Path, folder: Path, stale: Sequence[str]) -> None:
    """Copies what else lies in the model's folder, such as the modules of sentence-transformers, and is not there yet; but not what
    is stale, patterns of names."""
    for path in sorted(home.rglob("*")):
        inner = path.relative_to(home)
        target = folder / inner
        if path.is_file() and not target.exists() and not any(Path(each).match(kind) for each in inner.parts for kind in stale):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)


def check_new(folder: Path) -> None:
    """Raises InputError unless there is no such folder, or an empty one."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} is there already; name a new folder or an empty one.")
