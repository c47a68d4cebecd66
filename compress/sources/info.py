"""The 2-D tensors that a source offers, and which of them looks most like an embedding matrix."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from compress.errors import InputError

EMBEDDING = re.compile(r"embed|(^|\.)(wte|shared)(\.|$)", re.IGNORECASE)
OTHER = re.compile(r"position|pos_emb|(^|\.)wpe(\.|$)|token_type|segment|(layer|[._])norm|bias", re.IGNORECASE)


@dataclass(frozen=True)
class TensorInfo:
    """A tensor that can be read as a matrix: its name, its shape (rows, columns), and its stored dtype."""

    name: str
    shape: tuple[int, ...]
    dtype: str


class Read(NamedTuple):
    """What a source gives: values (n, d), n tokens, or None where it names no rows, and what it is that these name; notes and
    columns as in EmbeddingMatrix."""

    values: np.ndarray
    tokens: list[str] | None
    row_word: str = "token"
    notes: tuple[str, ...] = ()
    columns: Mapping[str, Sequence] | None = None


def looks_like_embedding(name: str) -> bool:
    """Whether a tensor's name is one that models give to their table of tokens."""
    return bool(EMBEDDING.search(name)) and not OTHER.search(name)


def matrices_first(infos: Iterable[TensorInfo]) -> list[TensorInfo]:
    """The 2-D tensors among infos: embedding-like names first, positions and integers last; large before small."""

    def order(info: TensorInfo) -> tuple[bool, bool, int, str]:
        last = bool(OTHER.search(info.name)) or "int" in info.dtype
        return last, not looks_like_embedding(info.name), -info.shape[0], info.name

    return sorted((info for info in infos if len(info.shape) == 2 and math.prod(info.shape) > 0), key=order)


def pick(infos: Iterable[TensorInfo], tensor: str | None, where: str) -> TensorInfo:
    """The tensor of that name, or the most embedding-like one for None; InputError where there is none."""
    infos = list(infos)
    offered = matrices_first(infos)
    if not offered:
        held = ", ".join(f"{info.name} {info.shape}" for info in infos[:5]) or "nothing that can be read as one"
        raise InputError(f"{where} has no 2-D tensor of numbers (it holds {held}); give a file with a matrix in it.")
    if tensor is None:
        return offered[0]
    for info in offered:
        if info.name == tensor:
            return info
    names = ", ".join(info.name for info in offered[:8]) + (", …" if len(offered) > 8 else "")
    raise InputError(f"{where} has no 2-D tensor named {tensor!r}; choose one of: {names}.")


def wanted_files(weight_map: dict[str, str], tensor: str | None) -> list[str]:
    """The files of a sharded model in which the tensor can lie.

    weight_map: tensor name to file name. For None these are the files of embedding-like names, or all where none is.
    """
    if tensor in weight_map:
        return [weight_map[tensor]]
    named = {file for name, file in weight_map.items() if looks_like_embedding(name)}
    return sorted(named if tensor is None and named else set(weight_map.values()))
