"""What kind a file is: by its first bytes where they tell, else by its extension."""

import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from numpy.lib.format import MAGIC_PREFIX

from compress.errors import InputError
from compress.sources import arrays, safetensors_file, tables, text, torch_file
from compress.sources.info import Read, TensorInfo
from compress.sources.safetensors_header import MAX_HEADER


@dataclass(frozen=True)
class Reader:
    """infos lists the 2-D tensors of a file, read takes one of them."""

    infos: Callable[[Path], list[TensorInfo]]
    read: Callable[[Path, str | None], Read]


READERS = {
    "npy": Reader(arrays.infos_npy, arrays.read_npy),
    "npz": Reader(arrays.infos_npz, arrays.read_npz),
    "safetensors": Reader(safetensors_file.infos, safetensors_file.read),
    "torch": Reader(torch_file.infos, torch_file.read),
    "text": Reader(text.infos, text.read),
    "csv": Reader(tables.infos_csv, tables.read_csv),
    "parquet": Reader(tables.infos_parquet, tables.read_parquet),
}
EXTENSIONS = {
    ".npy": "npy",
    ".npz": "npz",
    ".safetensors": "safetensors",
    ".pt": "torch",
    ".pth": "torch",
    ".th": "torch",
    ".ckpt": "torch",
    ".txt": "text",
    ".vec": "text",
    ".w2v": "text",
    ".bin": "text",
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
}


def reader_of(path: Path) -> Reader:
    """The reader of a file; InputError where its extension is unknown or its content is nothing that is read."""
    named = EXTENSIONS.get(path.suffix.lower())
    if named is None:
        known = " ".join(EXTENSIONS)
        raise InputError(f"{path.name} has the extension {path.suffix or '(none)'}, which is not read; these are: {known}")
    return READERS[kind_by_content(path) or named]


def kind_by_content(path: Path) -> str | None:
    """The kind, a name of READERS, that the first bytes tell; None where they tell none."""
    with open(path, "rb") as file:
        first = file.read(9)
    if first.startswith(MAGIC_PREFIX):
        return "npy"
    if first.startswith(b"PAR1"):
        return "parquet"
    if first.startswith(b"PK\x03\x04"):
        return "torch" if holds_pickle(path) else "npz"
    if first[:1] == b"\x80" and first[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return "torch"
    if first[8:] == b"{" and int.from_bytes(first[:8], "little") <= MAX_HEADER:
        return "safetensors"
    return None


def holds_pickle(path: Path) -> bool:
    """Whether a zip archive is one of torch.save."""
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith("data.pkl") for name in archive.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return path.suffix.lower() != ".npz"
