"""A folder: a transformers model, or one matrix file with its vocabulary beside it."""

import re
from pathlib import Path
from typing import Any

import numpy as np

from compress.errors import InputError
from compress.files import read_json
from compress.sources.checkpoints.gguf_file import part_names
from compress.sources.choice import vocabulary
from compress.sources.choice.clues import Clues
from compress.sources.choice.info import (
    Read,
    TensorInfo,
    beside_files,
    completed,
    pick,
    ranked,
    wanted_files,
)
from compress.sources.choice.roles import Role
from compress.sources.contents import kind_of
from compress.sources.kinds import READERS, reader_of
from compress.sources.tables.projector import is_metadata
from compress.sources.unread import UNREAD

WEIGHTS = ("model.safetensors", "pytorch_model.bin")
ARRAYS = (".npy", ".npz", ".safetensors", ".gguf", ".parquet", ".pt", ".pth", ".h5", ".hdf5", ".keras", ".onnx", ".tflite", ".kv")
FIRST = ("0_", "text_encoder")  # how the part that reads text is called, where the parts of a model have folders
SHARD = re.compile(r"(?P<stem>.+)-\d{5}-of-(?P<count>\d{5})(?P<ending>\.safetensors|\.bin)")
MOST_SHARDS = 1000
OF_TRAINING = ("optimizer", "scheduler", "training_args", "rng_state", "scaler")
BESIDE = (".json", ".txt", ".md", ".model")  # what lies beside a table
OTHERS = (".vec", ".w2v", ".bin", ".emb", ".csv", ".tsv")


def infos(folder: Path) -> list[TensorInfo]:
    """The tensors of every file of the model."""
    home = home_of(folder)
    return ranked(
        (info for _, found in offers(home, None, every=True) for info in found), Clues.of(home, vocabulary_folder(folder))
    )


def read(folder: Path, tensor: str | None) -> Read:
    """The embedding tensor, from the one shard it lies in, with the tokens of the model's vocabulary where they are its rows'."""
    home = home_of(folder)
    found, clues = offers(home, tensor), Clues.of(home, vocabulary_folder(folder))
    every = [info for _, infos in found for info in infos]
    chosen = pick(every, tensor, str(folder), clues)
    path = next(path for path, infos in found if chosen in infos)
    if tensor is None and chosen.role != Role.INPUT and (missing := missing_shards([path for path, _ in found])):
        raise InputError(f"{missing[0]} is missing, in which the table may lie; fetch that file too.")
    held = reader_of(path).read(path, chosen.name)
    return completed(held, chosen, every, tensor, clues, lambda: mapping_in([path for path, _ in found]))


def mapping(folder: Path) -> np.ndarray | None:
    """The row of each token of a model whose tokens share rows; None where each has its own."""
    return mapping_in([path for path, _ in offers(home_of(folder), None)])


def mapping_in(paths: list[Path]) -> np.ndarray | None:
    """The row of each token where a model's tokens share rows, from the first of its files that tells; None where none does."""
    told = (reader.mapping(path) for path in paths if (reader := reader_of(path)).mapping)
    return next((each for each in told if each is not None), None)


def home_of(folder: Path) -> Path:
    """Where the model of a folder lies: in it, in the version that the hub's cache has in use, or one level down."""
    if not folder.is_dir() or holds_weights(folder):
        return folder
    versions = folders_in(folder / "snapshots")
    if versions:
        main = folder / "refs" / "main"
        used = main.read_text(errors="replace").strip() if main.is_file() else ""
        newest = max(versions, key=lambda path: path.stat().st_mtime_ns)
        return home_of(next((path for path in versions if path.name == used), newest))
    inner = [path for path in folders_in(folder) if holds_weights(path)]
    modules = [path for name in modules_of(folder) for path in inner if path.name == name]
    first = modules[:1] or [path for path in inner if path.name.startswith(FIRST)]
    if len(inner) > 1 and len(first) != 1:
        names = ", ".join(path.name for path in inner[:5])
        raise InputError(f"{folder} has several folders with a model ({names}); give the path of one.")
    return (first or inner or [folder])[0]


def holds_weights(folder: Path) -> bool:
    """Whether a folder has a model's file of weights, or an array."""
    return any((folder / f"{name}{end}").is_file() for name in WEIGHTS for end in ("", ".index.json")) or any(
        path.suffix.lower() in ARRAYS or SHARD.fullmatch(path.name) for path in folder.iterdir()
    )


def folders_in(folder: Path) -> list[Path]:
    """The folders that lie in one, by name; none where there is no such folder."""
    return sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


def vocabulary_folder(folder: Path) -> Path:
    """Where the vocabulary of a folder lies: beside its model, or above it; the model's folder where there is none."""
    home = home_of(folder)
    return next((each for each in (home, folder, folder / "tokenizer") if vocabulary.is_in(each)), home)


def modules_of(folder: Path) -> list[str]:
    """The folders of the modules of a sentence-transformers model, in order."""
    if not (folder / "modules.json").is_file():
        return []
    modules = read_json(folder / "modules.json")
    modules = modules if isinstance(modules, list) else []
    return [str(each.get("path", "")) for each in modules if isinstance(each, dict)]


def offers(folder: Path, tensor: str | None, every: bool = False) -> list[tuple[Path, list[TensorInfo]]]:
    """The files that may hold the tensor and the tensors of each; every file's where asked."""
    for name in WEIGHTS:
        if (folder / name).is_file():
            return [(folder / name, tensors_of(folder / name))]
        index = folder / f"{name}.index.json"
        if index.is_file():
            weight_map = checked_map(read_json(index), index.name)
            names = sorted(set(weight_map.values())) if every else wanted_files(weight_map, tensor)
            beside = [folder / shard for shard in beside_files(weight_map) if shard not in names and (folder / shard).is_file()]
            paths = present([folder / shard for shard in names]) + (beside if tensor is None else [])
            return [(path, tensors_of(path)) for path in paths]
    shards = sorted(path for path in folder.iterdir() if SHARD.fullmatch(path.name))
    return [(path, tensors_of(path)) for path in shards or [only_matrix(folder)]]


def tensors_of(path: Path) -> list[TensorInfo]:
    """The tensors of a file, of any shape where it may be a part of a model."""
    reader = reader_of(path)
    return (reader.every or reader.infos)(path)


def checked_map(index: Any, where: str) -> dict[str, str]:
    """Tensor name to file name, of an index; a file name that leads out of the folder is refused."""
    weight_map = index.get("weight_map") if isinstance(index, dict) else None
    if (
        not isinstance(weight_map, dict)
        or not weight_map
        or not all(isinstance(file, str) and file == Path(file).name and file not in ("", "..") for file in weight_map.values())
    ):
        raise InputError(f"{where} does not say in which file each tensor lies; fetch the file again.")
    return weight_map


def present(shards: list[Path]) -> list[Path]:
    """The shards, once each is there; InputError naming the one that is not."""
    for shard in shards:
        if not shard.is_file():
            raise InputError(f"{shard.name} is missing and the model's index names it; fetch that file too.")
    return shards


def missing_shards(paths: list[Path]) -> list[str]:
    """Names of the parts of a model that the names of its other parts count and that are not there."""
    counted = [match for path in paths if (match := SHARD.fullmatch(path.name))]
    named = {
        f"{each['stem']}-{number:05}-of-{each['count']}{each['ending']}"
        for each in counted
        for number in range(1, min(int(each["count"]), MOST_SHARDS) + 1)
    }
    return sorted(named - {path.name for path in paths})


def only_matrix(folder: Path) -> Path:
    """The one file of a data folder that can be read as a matrix."""
    files = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith((".", *OF_TRAINING)))
    named = [path for path in files if part_names(path.name)[0] == path.name]
    told = {path: kind_of(path) for path in named if path.suffix.lower() not in BESIDE}
    groups = [[path for path in named if path.suffix.lower() in endings] for endings in (ARRAYS, OTHERS)]
    for group in (*groups, [path for path, kind in told.items() if kind in READERS]):
        found = sorted({owner(path, files) for path in [each for each in group if not is_metadata(each)] or group})
        if len(found) == 1:
            return found[0]
        if found:
            names = ", ".join(path.name for path in found[:5])
            raise InputError(f"{folder} has several files that may be the matrix ({names}); give the path of one.")
    for path, kind in told.items():
        if kind in UNREAD:
            return path  # whose reader says what it is
    raise InputError(f"{folder} holds no model and no matrix file; a model's folder has config.json and model.safetensors.")


def owner(path: Path, files: list[Path]) -> Path:
    """The file that another belongs to, as gensim's `x.kv.vectors.npy` does to `x.kv`; else that file itself."""
    return next((each for each in files if path.name.startswith(f"{each.name}.")), path)
