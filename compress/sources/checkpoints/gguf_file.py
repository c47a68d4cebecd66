"""Tables in GGUF files, whole or in parts: one tensor is decoded, block by block, its tokens are the file's own vocabulary."""

import mmap
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from compress.errors import InputError
from compress.guard.rooms import put, room
from compress.linalg.lazy import Table
from compress.sources.checkpoints.gguf_header import ALIGNED, BEGIN, Header, Start, framed, read_header, tokens_at
from compress.sources.checkpoints.safetensors_file import values_of
from compress.sources.checkpoints.safetensors_header import NAMES, NUMPY, Entry
from compress.sources.choice.info import Read, TensorInfo, notes_on, pick, ranked, stored_as
from compress.sources.in_place import in_place, is_large
from compress.sources.limits import check_fits

PART = re.compile(r"(?P<stem>.*)-(?P<number>\d{5})-of-(?P<count>\d{5})(?P<ending>\.gguf)", re.IGNORECASE)
TABLE = "token_embd.weight"
MOST_PARTS = 1000
BLOCK = 1 << 20  # numbers that are decoded at a time


def infos(path: Path) -> list[TensorInfo]:
    """The tensors of a file, and of all its parts, from their headers."""
    return in_order([info for part in parts_of(path) for info in infos_of(header_of(part).entries)])


def read(path: Path, tensor: str | None) -> Read:
    """One tensor, decoded to float32, or mapped where it is stored so, and the tokens where the vocabulary has one for each row."""
    headers = {part: header_of(part) for part in parts_of(path)}
    infos = [info for header in headers.values() for info in infos_of(header.entries)]
    wish = wanted(infos, tensor)
    chosen = pick(infos, wish, path.name)
    part = next(part for part, header in headers.items() if chosen.name in header.entries)
    entry = headers[part].entries[chosen.name]
    values = values_of(part, entry) if entry.dtype in NUMPY else decoded(part, entry)
    named = (at for at in headers.items() if at[1].tokens[1] == len(values))
    tokens = next((tokens_of(*at) for at in named), None)
    stored = stored_as(NAMES.get(entry.dtype, entry.dtype), entry.stop - entry.start)
    return Read(values, tokens, notes=notes_on(chosen, infos, wish), stored=stored)


def in_order(infos: list[TensorInfo]) -> list[TensorInfo]:
    """The 2-D tensors, the table that the format itself names first."""
    return sorted(ranked(infos), key=lambda info: info.name != TABLE)


def wanted(infos: list[TensorInfo], tensor: str | None) -> str | None:
    """The tensor that is asked for, else the table as the format names it; None where there is no such."""
    return tensor or next((info.name for info in infos if info.name == TABLE), None)


def is_gguf(name: str) -> bool:
    """Whether a file's name says that it is one."""
    return name.lower().endswith(".gguf")


def parts_of(path: Path) -> list[Path]:
    """The file, or all parts of the model that it is one of, in order; InputError naming one that is not there."""
    parts = [path.with_name(name) for name in part_names(path.name)]
    for part in parts:
        if not part.is_file():
            raise InputError(f"{part.name} is missing, and {path.name} is a part of the same model; fetch that file too.")
    return parts


def part_names(name: str) -> list[str]:
    """The names of all parts of the model that a file is one of, in order; its own where it is whole."""
    match = PART.fullmatch(name)
    if not match or not 0 < int(match["number"]) <= int(match["count"]) <= MOST_PARTS:
        return [name]
    return [f"{match['stem']}-{number:05}-of-{match['count']}{match['ending']}" for number in range(1, int(match["count"]) + 1)]


def header_of(path: Path) -> Header:
    """The checked header of one file."""
    with mapped(path) as data:
        return read_header(Start(data, len(data), path.name))


def tokens_of(path: Path, header: Header) -> list[str]:
    """The vocabulary of one file."""
    with mapped(path) as data:
        return tokens_at(data, header.tokens)


@contextmanager
def mapped(path: Path) -> Iterator[mmap.mmap]:
    """The bytes of a file that is not empty."""
    with open(path, "rb") as file:
        if not file.read(1):
            raise InputError(f"{path.name} is empty; fetch the file again.")
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            yield data


def infos_of(entries: dict[str, Entry]) -> list[TensorInfo]:
    """The tensors, with dtypes as NumPy names them or else as GGUF does."""
    return [TensorInfo(name, entry.shape, NAMES.get(entry.dtype, entry.dtype)) for name, entry in entries.items()]


def decoded(path: Path, entry: Entry) -> Table:
    """(n, d) float32, of a tensor of any type that gguf decodes; of a large one when its rows are read."""
    from gguf import GGMLQuantizationType, dequantize

    check_decodes(entry.dtype, path.name)
    n, d = entry.shape
    if is_large(entry.shape):
        return in_place(path, entry.start, (n, d), entry.stop - entry.start, entry.dtype)
    check_fits(4 * n * d, path.name)
    stored = np.memmap(path, np.uint8, "r", entry.start, (n, (entry.stop - entry.start) // n))
    values = room((n, d))
    step = max(1, BLOCK // d)
    for first in range(0, n, step):
        put(values, first, dequantize(stored[first : first + step], GGMLQuantizationType[entry.dtype]))
    return values


def check_decodes(dtype: str, where: str) -> None:
    """InputError where gguf does not decode that type."""
    from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, dequantize

    try:
        kind = GGMLQuantizationType[dtype]
        dequantize(np.zeros((1, GGML_QUANT_SIZES[kind][1]), np.uint8), kind)
    except (KeyError, NotImplementedError) as error:
        raise InputError(f"The table of {where} is stored as {dtype}, which is not read; convert the model to F16.") from error


def start_of(name: str, entry: Entry, facts: Path, where: str) -> bytes:
    """A GGUF file with that tensor alone, up to its numbers, and with the facts of the GGUF file `facts` where that is there."""
    check_decodes(entry.dtype, where)
    if not facts.is_file():
        return framed(Header({}, (0, 0), 0, BEGIN, ALIGNED), b"", (name, entry))
    header = header_of(facts)
    with open(facts, "rb") as file:
        return framed(header, file.read(header.facts_stop)[BEGIN:], (name, entry))
