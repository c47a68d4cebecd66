"""Matrices in PyTorch files, read with weights_only: tensors and nothing that runs."""

import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from compress.errors import InputError
from compress.sources.info import Read, TensorInfo, notes_on, pick, ranked, stored_as
from compress.sources.limits import check_fits

DEEPEST = 8  # levels of nesting looked through


def infos(path: Path) -> list[TensorInfo]:
    """The tensors that torch.save wrote."""
    return ranked(info_of(name, tensor) for name, tensor in tensors_in(opened(path)))


def read(path: Path, tensor: str | None) -> Read:
    """One of the tensors as float32, mapped where it can be."""
    import torch

    found: dict[str, Any] = {}
    for name, value in tensors_in(opened(path)):
        found.setdefault(name, value)
    infos = [info_of(name, value) for name, value in found.items()]
    info = pick(infos, tensor, path.name)
    chosen = found[info.name]
    in_place = chosen.dtype == torch.float32 and chosen.is_contiguous()
    check_fits(0 if in_place else 4 * chosen.numel(), path.name)
    values = chosen.detach().to(torch.float32).contiguous().numpy()
    stored = stored_as(info.dtype, chosen.numel() * chosen.element_size())
    return Read(values, None, notes=notes_on(info, infos, tensor), stored=stored)


def opened(path: Path) -> Any:
    """What torch.save wrote, mapped where the format allows; InputError for whatever it will not read."""
    import torch

    try:
        packed = zipfile.is_zipfile(path)
        if packed:
            with zipfile.ZipFile(path) as archive:
                if any(member.compress_type != zipfile.ZIP_STORED for member in archive.infolist()):
                    raise ValueError("compressed members")  # torch writes none, and a small one unpacks to anything
        return torch.load(path, map_location="cpu", weights_only=True, mmap=packed)
    except OSError:
        raise
    except Exception as error:  # whatever class its unpickler or its archive reader fails with
        raise InputError(
            f"{path.name} is not a PyTorch file of plain tensors, or it is damaged; save the model's state_dict() with "
            "torch.save, or as safetensors."
        ) from error


def tensors_in(held: Any, name: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Named tensors of numbers in nested dicts and lists; a level called state_dict adds nothing to the name."""
    import torch

    if isinstance(held, torch.Tensor):
        if (
            held.layout == torch.strided
            and held.device.type == "cpu"
            and not (held.is_quantized or held.is_complex() or held.dtype == torch.bool)
        ):
            yield name or "embedding", held
    elif depth < DEEPEST and isinstance(held, Mapping | list | tuple):
        for key, value in held.items() if isinstance(held, Mapping) else enumerate(held):
            inner = name if key == "state_dict" else f"{name}.{key}" if name else str(key)
            yield from tensors_in(value, inner, depth + 1)


def info_of(name: str, tensor: Any) -> TensorInfo:
    """A tensor's name, shape and dtype."""
    return TensorInfo(name, tuple(tensor.shape), str(tensor.dtype).removeprefix("torch."))
