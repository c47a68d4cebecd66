"""Matrices in PyTorch files, read with weights_only: tensors and nothing that runs."""

import zipfile
from argparse import Namespace
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from compress.errors import InputError
from compress.sources.checkpoints.pickle_walk import Bounded, held_in
from compress.sources.checkpoints.stored import parts_beside, table_of
from compress.sources.choice.clues import config_in
from compress.sources.choice.info import Read, TensorInfo, notes_on, pick, ranked
from compress.sources.limits import check_fits, check_unpacks
from compress.sources.quantized.packed import RAW

NAMES = {"float8_e4m3fn": "F8_E4M3", "float8_e5m2": "F8_E5M2", "uint16": "U16", "uint32": "U32", "uint64": "U64"}
WITHIN = 4  # pickles that an older file begins with; the last holds the tensors
DEEPEST = 8  # levels of nesting looked through


def infos(path: Path) -> list[TensorInfo]:
    """The tensors that torch.save wrote."""
    return ranked(every(path))


def every(path: Path) -> list[TensorInfo]:
    """The same of any shape."""
    return [info_of(name, tensor) for name, tensor in tensors_in(opened(path))]


def read(path: Path, tensor: str | None) -> Read:
    """One table as float32, mapped where it can be, decoded where it is quantized."""
    found: dict[str, Any] = {}
    for name, value in tensors_in(opened(path)):
        found.setdefault(name, value)
    chosen = pick([info_of(name, value) for name, value in found.items()], tensor, path.name)
    for name, part in parts_beside(path, chosen, "pytorch_model.bin.index.json").items():
        found |= {other: value for other, value in tensors_in(opened(part)) if other == name}
    infos = [info_of(name, value) for name, value in found.items()]
    table = table_of(chosen, infos, lambda name: stored(found[name], path.name), path.name, lambda: config_in(path.parent))
    return Read(table.values, None, notes=notes_on(chosen, infos, tensor), stored=table.stored)


def mapping_in(path: Path) -> np.ndarray | None:
    """As that of a safetensors file."""
    found = dict(tensors_in(opened(path))).get("mapping")
    whole = found is not None and not found.is_floating_point() and found.ndim == 1 and found.numel()
    return stored(found, path.name) if whole else None


def state_in(path: Path) -> dict[str, np.ndarray]:
    """The tensors of a state_dict by their names, of one in a checkpoint too. Raises InputError where there are none."""
    held = opened(path)
    inside = held.get("state_dict", held) if isinstance(held, Mapping) else None
    if not isinstance(inside, Mapping):
        raise InputError(f"{path.name} holds no state_dict: a mapping from names to tensors.")
    return {name: np.array(stored(tensor, f"{name} in {path.name}")) for name, tensor in tensors_in(inside)}


def stored(tensor: Any, where: str) -> np.ndarray:
    """A tensor as NumPy has it, in place where it can be: bfloat16 as float32, bytes where there is no such dtype."""
    import torch

    tensor = tensor.detach()
    if str(tensor.layout) == "torch.strided":
        check_unpacks(tensor.nbytes, tensor.untyped_storage().nbytes(), where)
    if not tensor.is_contiguous() or tensor.dtype == torch.bfloat16:
        check_fits(4 * tensor.numel(), where)
    if tensor.dtype == torch.bfloat16:
        return tensor.to(torch.float32).contiguous().numpy()
    tensor = tensor.contiguous()
    return tensor.reshape(-1).view(torch.uint8).numpy() if info_of("", tensor).dtype in RAW else tensor.numpy()


def opened(path: Path) -> Any:
    """What torch.save wrote, mapped where the format allows; InputError for whatever it will not read."""
    import torch

    try:
        packed = zipfile.is_zipfile(path)
        if packed:
            with zipfile.ZipFile(path) as archive:
                if any(member.compress_type != zipfile.ZIP_STORED for member in archive.infolist()):
                    raise ValueError("compressed members")  # torch writes none, and a small one unpacks to anything
        check_calls(path, packed)
        with torch.serialization.safe_globals([Namespace]):  # of names and values, which fairseq keeps its settings in
            return torch.load(path, map_location="cpu", weights_only=True, mmap=packed)
    except OSError:
        raise
    except Exception as error:  # whatever class its unpickler or its archive reader fails with
        raise InputError(
            f"{path.name} is not a PyTorch file of plain tensors, or it is damaged; save the model's state_dict() with "
            "torch.save, or as safetensors."
        ) from error


def check_calls(path: Path, packed: bool) -> None:
    """Raises ValueError where a pickle calls what has no name of usual length: torch.load refuses it too, and may take minutes to
    word its message."""
    with ExitStack() as stack:
        if packed:
            archive = stack.enter_context(zipfile.ZipFile(path))
            for member in archive.infolist():
                if member.filename.rpartition("/")[2] == "data.pkl":
                    held_in(Bounded(stack.enter_context(archive.open(member)), member.file_size), with_storages=True)
            return
        file = Bounded(stack.enter_context(open(path, "rb")), path.stat().st_size)
        for _ in range(WITHIN):
            held_in(file, with_storages=True)


def tensors_in(held: Any, name: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Named tensors in nested dicts and lists; a level called state_dict adds nothing to the name."""
    import torch

    if isinstance(held, torch.Tensor):
        if held.device.type == "cpu" and held.dtype != torch.bool:
            yield name or "embedding", held
    elif depth < DEEPEST and isinstance(held, Mapping | list | tuple):
        for key, value in held.items() if isinstance(held, Mapping) else enumerate(held):
            inner = name if key == "state_dict" else f"{name}.{key}" if name else str(key)
            yield from tensors_in(value, inner, depth + 1)


def info_of(name: str, tensor: Any) -> TensorInfo:
    """A tensor's name, shape and dtype, which safetensors has another word for where NumPy has none; of a sparse one the layout."""
    dtype = str(tensor.dtype if str(tensor.layout) == "torch.strided" else tensor.layout).removeprefix("torch.")
    return TensorInfo(name, tuple(tensor.shape), NAMES.get(dtype, dtype))
