"""A folder: a transformers model, or one matrix file with its vocabulary beside it."""

from pathlib import Path
from typing import Any

from compress.errors import InputError
from compress.files import read_json
from compress.sources import vocabulary
from compress.sources.clues import Clues
from compress.sources.gguf_file import part_names
from compress.sources.info import Read, TensorInfo, pick, ranked, wanted_files
from compress.sources.kinds import reader_of

WEIGHTS = ("model.safetensors", "pytorch_model.bin")
ARRAYS = (".npy", ".npz", ".safetensors", ".gguf", ".parquet", ".pt", ".pth")
OTHERS = (".vec", ".w2v", ".bin", ".csv", ".tsv")


def infos(folder: Path) -> list[TensorInfo]:
    """The tensors of every file of the folder."""
    return ranked((info for _, found in offers(folder, None, every=True) for info in found), Clues.of(folder))


def read(folder: Path, tensor: str | None) -> Read:
    """The embedding tensor, from the one shard it lies in, with the tokens of the folder's vocabulary."""
    found = offers(folder, tensor)
    chosen = pick([info for _, infos in found for info in infos], tensor, str(folder), Clues.of(folder))
    path = next(path for path, infos in found if chosen in infos)
    held = reader_of(path).read(path, chosen.name)
    if held.tokens:
        return held
    tokens = vocabulary.tokens_for(folder, len(held.values))
    return held._replace(tokens=tokens, row_word=vocabulary.row_word(folder, tokens or []))


def home(folder: Path) -> Path:
    """Where the table of a folder lies: there, or one level down, as sentence-transformers and model2vec put it."""
    if holds_model(folder):
        return folder
    below = [each for each in sorted(folder.iterdir()) if each.is_dir() and holds_model(each)]
    first = [folder / name for name in modules_of(folder)]
    below = [each for each in first if each in below][:1] or below
    if len(below) > 1:
        names = ", ".join(each.name for each in below[:5])
        raise InputError(f"{folder} has several folders with a model ({names}); give the path of one.")
    return below[0] if below else folder


def holds_model(folder: Path) -> bool:
    """Whether a model's weights lie in a folder under one of their usual names."""
    return any((folder / f"{name}{index}").is_file() for name in WEIGHTS for index in ("", ".index.json"))


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
            return [(folder / name, reader_of(folder / name).infos(folder / name))]
        index = folder / f"{name}.index.json"
        if index.is_file():
            weight_map = checked_map(read_json(index), index.name)
            names = sorted(set(weight_map.values())) if every else wanted_files(weight_map, tensor)
            return [(path, reader_of(path).infos(path)) for path in present([folder / shard for shard in names])]
    path = only_matrix(folder)
    return [(path, reader_of(path).infos(path))]


def checked_map(index: Any, where: str) -> dict[str, str]:
    """Tensor name to file name, of an index; a file name that leads out of the folder is refused."""
    weight_map = index.get("weight_map") if isinstance(index, dict) else None
    if not isinstance(weight_map, dict) or not all(
        isinstance(file, str) and file == Path(file).name and file not in ("", "..") for file in weight_map.values()
    ):
        raise InputError(f"{where} does not say in which file each tensor lies; fetch the file again.")
    return weight_map


def present(shards: list[Path]) -> list[Path]:
    """The shards, once each is there; InputError naming the one that is not."""
    for shard in shards:
        if not shard.is_file():
            raise InputError(f"{shard.name} is missing and the model's index names it; fetch that file too.")
    return shards


def only_matrix(folder: Path) -> Path:
    """The one file of a data folder that can be read as a matrix."""
    files = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    for endings in (ARRAYS, OTHERS):
        found = [path for path in files if path.suffix.lower() in endings and part_names(path.name)[0] == path.name]
        if len(found) == 1:
            return found[0]
        if found:
            names = ", ".join(path.name for path in found[:5])
            raise InputError(f"{folder} has several files that may be the matrix ({names}); give the path of one.")
    raise InputError(f"{folder} holds no model and no matrix file; a model's folder has config.json and model.safetensors.")
