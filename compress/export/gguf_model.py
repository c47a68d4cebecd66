"""A model's GGUF file with another table: what a compressed form decodes to, in a type of GGUF's, and all else as it is there.

llama.cpp then runs the model with that table, also as its output layer where the file has no `output.weight` of its own.
"""

import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

import numpy as np

from compress.errors import InputError, Progress, Step
from compress.export.gguf_types import decoded, encoded, row_bytes, types_for
from compress.export.rounding import Rounding, Written
from compress.files import replacing
from compress.form.compressed import Compressed
from compress.models.places import check_shape
from compress.sources.checkpoints.gguf_file import TABLE, header_of, is_gguf, mapped, part_names
from compress.sources.checkpoints.gguf_header import Header, Start, with_another
from compress.sources.checkpoints.safetensors_header import Entry

AT_ONCE = 1 << 20  # bytes that are copied at a time
OUTPUT = "output.weight"


@dataclass(frozen=True, eq=False)
class GGUFModel:
    """A model's file of which another one can be made. tensor: the name of its table."""

    path: Path
    header: Header
    tensor: str

    @property
    def table(self) -> Entry:
        return self.header.entries[self.tensor]

    @property
    def tied(self) -> bool:
        """Whether the table is the output layer too."""
        return self.tensor == TABLE and OUTPUT not in self.header.entries

    @property
    def types(self) -> list[str]:
        """What the table can be stored as, from the most bits to the fewest."""
        return types_for(self.table.shape[1])

    def table_bytes(self, dtype: str) -> int:
        """Bytes of the table in a type."""
        return self.table.shape[0] * row_bytes(self.table.shape[1], dtype)

    def rows(self, first: int, stop: int) -> np.ndarray | None:
        """The table's rows from one number to another; None where gguf does not decode them."""
        n, width = self.table.shape[0], self.table.stop - self.table.start
        stored = np.memmap(self.path, np.uint8, "r", self.table.start, (n, width // n))
        try:
            return decoded(stored[first:stop], self.table.dtype)
        except NotImplementedError:
            return None

    def start(self, dtype: str) -> tuple[bytes, list[int]]:
        """The file up to its numbers with the table in a type, see `with_another`."""
        with mapped(self.path) as data:
            start = Start(data, len(data), self.path.name)
            return with_another(start, self.header, self.tensor, dtype, self.table_bytes(dtype))

    def n_bytes(self, dtype: str) -> int:
        """Bytes of the whole file with the table in a type."""
        return self.start(dtype)[1][-1]


def gguf_model(path: str | os.PathLike, shape: tuple[int, int], tensor: str | None = None) -> GGUFModel:
    """The model of a GGUF file, or of the only one in a folder, to take a table of that shape. tensor: where that is to stand, at
    `token_embd.weight` unless given.

    Raises InputError, naming the file, where it is no whole GGUF file or one of several, has no such table or one of another shape,
    and where it has tensors of a type that is not known here.
    """
    path = Path(path).expanduser()
    if path.is_dir() and len(files := [each for each in path.iterdir() if is_gguf(each.name)]) == 1:
        path = files[0]
    if not path.is_file():
        raise InputError(f"There is no GGUF file at {path}; name the model’s.")
    if len(parts := part_names(path.name)) > 1:
        raise InputError(f"{path.name} is one of {len(parts)} parts of a model; join them first, by llama-gguf-split --merge.")
    header, tensor = header_of(path), tensor or TABLE
    if tensor not in header.entries:
        raise InputError(f"{path.name} has no tensor {tensor}, which the table could take the place of.")
    for name, entry in header.entries.items():
        if entry.dtype.startswith("GGML type"):
            raise InputError(
                f"In {path.name} tensor {name!r} is of {entry.dtype}, which is not known here, so it cannot be copied."
            )
    check_shape("The compressed table", shape, f"{tensor} of {path.name}", header.entries[tensor].shape)
    return GGUFModel(path, header, tensor)


def write_gguf(
    result: Compressed, model: GGUFModel, path: str | os.PathLike, dtype: str = "Q8_0", progress: Progress | None = None
) -> Written:
    """Writes the model's file with what the form decodes to as its table, whole or not at all; some rows are in memory at a time.

    dtype: as the table is stored. Every other tensor and all metadata are as in the model's file, byte for byte. Raises ValueError
    for a type that rows of that length cannot have, and InputError where the table's numbers are too large for it, and where the
    table is not the model's, see `Rounding.check`.
    """
    path = Path(path)
    if dtype not in model.types:
        raise ValueError(f"rows of {result.shape[1]:,} numbers can be stored as {', '.join(model.types)}, got {dtype}")
    if not is_gguf(path.name):
        raise ValueError(f"the file to write must end in .gguf, got {path}")
    if path.exists() and path.samefile(model.path):
        raise InputError(f"{path.name} is the model’s own file; name another one to write.")
    head, places = model.start(dtype)
    sums = Rounding(result, model.path.name, model.tensor, model.rows)
    with replacing(path) as out, open(model.path, "rb") as source:
        out.write(head)
        for (name, entry), place in zip(model.header.entries.items(), places, strict=False):
            pad(out, place)
            if name != model.tensor:
                copy(source, entry, out)
                continue
            for block in sums.over(partial(rounded, dtype)):
                out.write(block.data)
                if progress:
                    progress(Step(out.tell() / places[-1], f"the table as {dtype}"))
        pad(out, places[-1])
        sums.check(dtype)
    return Written(
        table=dtype,
        table_bytes=model.table_bytes(dtype),
        table_bytes_before=model.table.stop - model.table.start,
        model_bytes=places[-1],
        model_bytes_before=model.path.stat().st_size,
        rounding=sums.rounding,
        error=sums.error,
        tied=model.tied,
    )


def gguf_rounding(result: Compressed, model: GGUFModel, dtype: str) -> float:
    """The rounding, see `Written`, over some rows. Raises InputError as `write_gguf` does."""
    return Rounding(result, model.path.name, model.tensor, model.rows).few(partial(rounded, dtype), dtype)


def rounded(dtype: str, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows as they are stored, and what that stands for."""
    stored = encoded(rows, dtype)
    return stored, decoded(stored, dtype)


def pad(out: IO[bytes], place: int) -> None:
    """Writes zeros up to a byte."""
    out.write(bytes(place - out.tell()))


def copy(source: IO[bytes], entry: Entry, out: IO[bytes]) -> None:
    """Copies the bytes of a tensor."""
    source.seek(entry.start)
    left = entry.stop - entry.start
    while part := source.read(min(left, AT_ONCE)):
        left -= out.write(part)
