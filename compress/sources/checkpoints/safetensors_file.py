"""Matrices in safetensors files: one tensor is read in place; a matrix is written with its tokens."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from compress.errors import InputError
from compress.files import replacing
from compress.matrix import EmbeddingMatrix
from compress.sources.checkpoints.safetensors_header import MAX_HEADER, NUMPY, Entry, header_length, infos_of, parse_header
from compress.sources.checkpoints.stored import parts_beside, table_of
from compress.sources.choice.clues import NONE, Clues, config_in
from compress.sources.choice.info import Read, TensorInfo, notes_on, pick, ranked
from compress.sources.in_place import BFLOAT16, in_place, is_large
from compress.sources.limits import check_fits

ROW_WORDS = ("token", "word", "row")


def infos(path: Path) -> list[TensorInfo]:
    """The tensors of a file, from its header."""
    return ranked(every(path))


def every(path: Path) -> list[TensorInfo]:
    """The same of any shape."""
    return infos_of(entries_of(path)[0])


def read(path: Path, tensor: str | None, clues: Clues = NONE) -> Read:
    """One table, mapped where it can be, and the tokens that the file keeps with it."""
    entries, metadata = entries_of(path)
    infos = infos_of(entries)
    chosen = pick(infos, tensor, path.name, clues)
    held = {name: (path, entry) for name, entry in entries.items()}
    for name, part in parts_beside(path, chosen, "model.safetensors.index.json").items():
        held |= {other: (part, entry) for other, entry in entries_of(part)[0].items() if other == name}
    infos = infos_of({name: entry for name, (_, entry) in held.items()})
    table = table_of(chosen, infos, lambda name: values_of(*held[name]), path.name, lambda: config_in(path.parent))
    told = metadata.get("row_word")
    word = told if told in ROW_WORDS else "token"
    notes = notes_on(chosen, infos, tensor, clues)
    return Read(table.values, tokens_of(metadata, len(table.values)), word, notes, stored=table.stored)


def entries_of(path: Path) -> tuple[dict[str, Entry], dict[str, str]]:
    """The tensors by name and the metadata, from the header alone."""
    file_size = path.stat().st_size
    with open(path, "rb") as file:
        length = header_length(file.read(8), file_size, path.name)
        return parse_header(file.read(length), file_size, path.name)


def values_of(path: Path, entry: Entry) -> Any:
    """The tensor, mapped rather than loaded; bfloat16 is widened to float32 in memory, a large table's when it is read. Bytes
    where NumPy has no such dtype."""
    if entry.dtype not in NUMPY:
        return np.memmap(path, "u1", "r", entry.start, (entry.stop - entry.start,))
    if entry.dtype == "BF16" and is_large(entry.shape):
        n, d = entry.shape
        return in_place(path, entry.start, (n, d), 2 * n * d, BFLOAT16)
    stored = np.memmap(path, NUMPY[entry.dtype], "r", entry.start, entry.shape)
    if entry.dtype != "BF16":
        return stored
    check_fits(4 * stored.size, path.name)
    wide = stored.astype("<u4")
    wide <<= 16
    return wide.view("<f4")


def mapping_in(path: Path) -> np.ndarray | None:
    """(n_tokens,) the row of each token of a static model whose tokens share rows; None where each has its own."""
    entry = entries_of(path)[0].get("mapping")
    whole = entry is not None and entry.dtype in ("I64", "I32", "I16", "U8", "U16", "U32", "U64")
    return values_of(path, entry) if entry and whole and len(entry.shape) == 1 and entry.shape[0] else None


def tokens_of(metadata: dict[str, str], n_rows: int) -> list[str] | None:
    """The list under "tokens" where it names every row; other programs may keep something else there."""
    try:
        tokens = json.loads(metadata["tokens"])
    except (KeyError, TypeError, ValueError, RecursionError):
        return None
    named = isinstance(tokens, list) and len(tokens) == n_rows and all(isinstance(token, str) for token in tokens)
    return tokens if named else None


def save_matrix(matrix: EmbeddingMatrix, path: str | Path) -> None:
    """Write the values (float32, tensor "embedding") and the tokens as a safetensors file that load_matrix reads.

    The file appears whole or not at all. Raises InputError where it cannot be written.
    """
    path = Path(path).expanduser()
    if path.suffix != ".safetensors":
        raise InputError(f"A matrix is saved as .safetensors, {path.name!r} ends otherwise; rename it.")
    header: dict[str, Any] = {"embedding": {"dtype": "F32", "shape": list(matrix.shape), "data_offsets": [0, matrix.n_bytes]}}
    if matrix.has_tokens:
        header["__metadata__"] = {"tokens": json.dumps(list(matrix.tokens)), "row_word": matrix.row_word}
    try:
        with replacing(path) as file:
            file.write(framed(header))
            file.write(matrix.values.astype("<f4", copy=False).data)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror or error}; choose another place.") from error


def framed(header: dict) -> bytes:
    """A header as the format has it: its length, then JSON padded so that the tensors are aligned."""
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    if len(text) > MAX_HEADER:
        raise InputError("The tokens take more than the 100 MB that a safetensors header holds; save without tokens.")
    return len(text).to_bytes(8, "little") + text
