"""What reads a file: by its bytes where they tell, else by its ending."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from compress.errors import InputError
from compress.sources import packed
from compress.sources.checkpoints import (
    arrays,
    fasttext_file,
    gguf_file,
    hdf5_file,
    onnx_file,
    pickled,
    safetensors_file,
    tflite_file,
    torch_file,
)
from compress.sources.choice.info import Read, TensorInfo
from compress.sources.contents import kind_of
from compress.sources.tables import json_rows, parquet, projector, text
from compress.sources.tables.columns import Column
from compress.sources.unread import UNREAD


@dataclass(frozen=True)
class Reader:
    """infos lists the 2-D tensors of a file, every those of any shape where it may be a part of a model, read takes one of them,
    and of a table what a person asked of its columns; column gives one of a table's that is not in its matrix, by name; mapping
    gives the row of each token where tokens share rows."""

    infos: Callable[[Path], list[TensorInfo]]
    read: Callable[..., Read]
    column: Callable[[Path, str], Column] | None = None
    every: Callable[[Path], list[TensorInfo]] | None = None
    mapping: Callable[[Path], np.ndarray | None] | None = None


READERS = {
    "npy": Reader(arrays.infos_npy, arrays.read_npy),
    "npz": Reader(arrays.infos_npz, arrays.read_npz),
    "safetensors": Reader(
        safetensors_file.infos, safetensors_file.read, every=safetensors_file.every, mapping=safetensors_file.mapping_in
    ),
    "gguf": Reader(gguf_file.infos, gguf_file.read),
    "torch": Reader(torch_file.infos, torch_file.read, every=torch_file.every, mapping=torch_file.mapping_in),
    "text": Reader(text.infos, text.read, text.column),
    "csv": Reader(text.infos, text.read, text.column),
    "json": Reader(json_rows.infos, json_rows.read, json_rows.column),
    "parquet": Reader(parquet.infos, parquet.read, parquet.column),
    "projector": Reader(projector.infos, projector.read),
    "fasttext": Reader(fasttext_file.infos, fasttext_file.read),
    "hdf5": Reader(hdf5_file.infos, hdf5_file.read),
    "keras": Reader(hdf5_file.infos, hdf5_file.read),
    "onnx": Reader(onnx_file.infos, onnx_file.read),
    "pickle": Reader(pickled.infos, pickled.read),
    "tflite": Reader(tflite_file.infos, tflite_file.read),
}
EXTENSIONS = {  # what a file is where its bytes do not tell
    ".npy": "npy",
    ".npz": "npz",
    ".safetensors": "safetensors",
    ".gguf": "gguf",
    ".pt": "torch",
    ".pth": "torch",
    ".th": "torch",
    ".ckpt": "torch",
    ".txt": "text",
    ".vec": "text",
    ".w2v": "text",
    ".bin": "text",
    ".csv": "text",
    ".tsv": "text",
    ".parquet": "parquet",
    ".bytes": "projector",
    ".h5": "hdf5",
    ".hdf5": "hdf5",
    ".keras": "keras",
    ".onnx": "onnx",
    ".tflite": "tflite",
    ".kv": "pickle",
    ".pkl": "pickle",
    ".pickle": "pickle",
    ".json": "json",
    ".jsonl": "json",
    ".ndjson": "json",
}
FOREIGN = {
    ".pb": "tensorflow",
    ".mlmodel": "coreml",
    ".msgpack": "flax",
    ".joblib": "joblib",
    ".rds": "r",
    ".rdata": "r",
}


def opened(path: Path) -> tuple[Reader, Path]:
    """The reader of a file and the file that it is to read: the one inside where it is packed."""
    kind = kind_of(path)
    if kind not in packed.KINDS:
        return reader_of(path), path
    inside, ending = packed.unpacked(path, kind)
    return reader_of(inside, ending), inside


def reader_of(path: Path, ending: str | None = None) -> Reader:
    """The reader of a file; InputError that names what it is where it is nothing that is read. ending: its own unless given."""
    ending = path.suffix.lower() if ending is None else ending
    kind = kind_of(path) or EXTENSIONS.get(ending) or FOREIGN.get(ending)
    if kind in READERS:
        return READERS[kind]
    if kind in UNREAD:
        raise InputError(f"{path.name} {UNREAD[kind]}")
    raise InputError(f"{path.name} holds nothing that is known here, nor does its ending tell; read are: {' '.join(EXTENSIONS)}")
