"""The header of a GGUF file: its alignment, where its tokens lie and where each tensor, checked before anything is read.

Not by gguf's own reader, which makes an array of every token and takes what a header claims for granted.
"""

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from compress.errors import InputError
from compress.files import bytes_text
from compress.sources.checkpoints.safetensors_header import Entry

MAGIC = b"GGUF"
VERSIONS = (2, 3)
BEGIN = 24  # bytes before the first fact: magic, version, how many tensors, how many facts
MOST_BYTES = 128 << 20  # of a header; a vocabulary of 262,144 tokens with its merges takes some 15 MB
MOST_TENSORS = 100_000
ALIGNED, MOST_ALIGNED = 32, 1 << 16
MOST_DIMENSIONS = 4
DEEPEST = 8  # arrays within arrays
SCALARS = dict(enumerate("BbHhIif?")) | {10: "Q", 11: "q", 12: "d"}  # a fact's type as struct has it
STRING, ARRAY = 8, 9
TOKENS, ALIGNMENT = "tokenizer.ggml.tokens", "general.alignment"


@dataclass
class Start:
    """The first bytes of a file, of which more are fetched as they are needed. more(a, b): the bytes a to b of the file."""

    data: Any  # bytearray or mmap: slices are bytes
    size: int
    where: str
    more: Callable[[int, int], bytes] | None = None
    at: int = 0

    def skip(self, n_bytes: int) -> int:
        """Passes so many bytes, which must be in the file; where they begin."""
        begin, self.at = self.at, self.at + n_bytes
        if self.at > min(self.size, MOST_BYTES):
            raise InputError(f"The header of {self.where} does not end in it, so the file is damaged or cut short; fetch it again.")
        return begin

    def take(self, n_bytes: int) -> bytes:
        begin = self.skip(n_bytes)
        while self.more and self.at > len(self.data):
            self.data += self.more(len(self.data), self.at)
        return self.data[begin : self.at]

    def number(self, kind: str) -> Any:
        return struct.unpack(f"<{kind}", self.take(struct.calcsize(kind)))[0]

    def string(self) -> bytes:
        return self.take(self.number("Q"))

    def pass_strings(self, count: int) -> None:
        for _ in range(count):
            self.skip(self.number("Q"))


@dataclass(frozen=True)
class Header:
    """entries: the tensors by name, dtypes as gguf names them. tokens: the byte at which the first begins, and how many there are.
    n_facts, facts_stop: how many facts stand before the tensors, and the byte at which they end. alignment: in bytes."""

    entries: dict[str, Entry]
    tokens: tuple[int, int]
    n_facts: int
    facts_stop: int
    alignment: int


def read_header(start: Start) -> Header:
    """Raises InputError where the header is malformed, and where a tensor lies outside the file."""
    magic, version, n_tensors, n_facts = struct.unpack("<4sIQQ", start.take(BEGIN))
    if magic != MAGIC or version not in VERSIONS:
        held = f"version {version}" if version < 1 << 16 else "big-endian numbers"
        what = f"is a GGUF file of {held}, which is not read; convert the model again" if magic == MAGIC else "is not a GGUF file"
        raise InputError(f"{start.where} {what}.")
    if n_tensors > MOST_TENSORS:
        raise InputError(f"{start.where} claims to hold {n_tensors:,} tensors, so it is damaged; fetch the file again.")
    tokens, alignment = (0, 0), ALIGNED
    for _ in range(n_facts):
        name, kind = start.string(), start.number("I")
        if name == TOKENS.encode() and kind == ARRAY:
            tokens = pass_array(start)
        elif name == ALIGNMENT.encode() and SCALARS.get(kind) == "I":
            alignment = start.number("I")
        else:
            pass_value(start, kind)
    facts_stop = start.at
    raw = [read_entry(start) for _ in range(n_tensors)]
    if not 0 < alignment <= MOST_ALIGNED:
        raise InputError(f"{start.where} claims to be aligned to {alignment:,} bytes, so it is damaged; fetch the file again.")
    begin = aligned(start.at, alignment)
    entries = {name: placed(name, shape, kind, begin + offset, start) for name, shape, kind, offset in raw}
    if len(entries) < len(raw):
        raise InputError(f"{start.where} names a tensor twice, so it is damaged; fetch the file again.")
    return Header(entries, tokens, n_facts, facts_stop, alignment)


def pass_value(start: Start, kind: int, depth: int = 0) -> None:
    """Passes the value of a fact."""
    if kind in SCALARS:
        start.skip(struct.calcsize(SCALARS[kind]))
    elif kind == STRING:
        start.skip(start.number("Q"))
    elif kind == ARRAY and depth < DEEPEST:
        pass_array(start, depth)
    else:
        raise InputError(f"The header of {start.where} has a value of unknown type {kind}, so it is damaged; fetch the file again.")


def pass_array(start: Start, depth: int = 0) -> tuple[int, int]:
    """Passes an array; of strings where the first begins and how many there are, of others (0, 0)."""
    kind, count = start.number("I"), start.number("Q")
    if kind in SCALARS:
        start.skip(count * struct.calcsize(SCALARS[kind]))
    elif kind == STRING:
        begin = start.at
        start.pass_strings(count)
        return begin, count
    else:
        for _ in range(count):
            pass_value(start, kind, depth + 1)
    return 0, 0


def read_entry(start: Start) -> tuple[str, tuple[int, ...], int, int]:
    """A tensor's name, its shape with rows first, the number of its type, and where it lies after the header."""
    name, n_dims = start.string().decode("utf-8", "replace"), start.number("I")
    if n_dims > MOST_DIMENSIONS:
        raise InputError(f"In {start.where} tensor {name[:80]!r} has {n_dims:,} dimensions; fetch the file again.")
    shape = struct.unpack(f"<{n_dims}Q", start.take(8 * n_dims))[::-1]
    return name, shape, start.number("I"), start.number("Q")


def placed(name: str, shape: tuple[int, ...], kind: int, begin: int, start: Start) -> Entry:
    """A tensor's entry, checked against the file."""
    from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType

    try:
        dtype = GGMLQuantizationType(kind)
    except ValueError:
        return Entry(f"GGML type {kind}", shape, begin, begin)  # of a newer gguf; refused where it is to be read
    in_block, block_bytes = GGML_QUANT_SIZES[dtype]
    if shape and shape[-1] % in_block:
        raise InputError(
            f"In {start.where} tensor {name!r} has rows of {shape[-1]:,} numbers, and {dtype.name} stores {in_block} together; "
            "fetch the file again."
        )
    stop = begin + math.prod(shape) // in_block * block_bytes
    if stop > start.size:
        raise InputError(
            f"In {start.where} tensor {name!r} lies outside the file's {bytes_text(start.size)}, so it is damaged or cut short; "
            "fetch the file again."
        )
    return Entry(dtype.name, shape, begin, stop)


def aligned(at: int, alignment: int) -> int:
    """The next byte from `at` on that is a multiple of the alignment."""
    return at + -at % alignment


def tokens_at(data: Any, place: tuple[int, int]) -> list[str]:
    """The tokens, which `read_header` found at a place; a letter that is cut is replaced."""
    at, count = place
    tokens = []
    for _ in range(count):
        length = int.from_bytes(data[at : at + 8], "little")
        tokens.append(data[at + 8 : at + 8 + length].decode("utf-8", "replace"))
        at += 8 + length
    return tokens


def framed(header: Header, facts: bytes, tensor: tuple[str, Entry] | None = None) -> bytes:
    """A GGUF file with all facts of another and none or one of its tensors, up to the numbers. facts: as they lie in that file."""
    from gguf.constants import GGMLQuantizationType

    start = MAGIC + struct.pack("<IQQ", VERSIONS[-1], 0 if tensor is None else 1, header.n_facts) + facts
    if tensor is not None:
        name, entry = tensor
        written = name.encode()
        start += struct.pack("<Q", len(written)) + written
        start += struct.pack(f"<I{len(entry.shape)}Q", len(entry.shape), *entry.shape[::-1])
        start += struct.pack("<IQ", GGMLQuantizationType[entry.dtype], 0)
    return start.ljust(aligned(len(start), header.alignment), b"\0")


def with_another(start: Start, header: Header, name: str, dtype: str, n_bytes: int) -> tuple[bytes, list[int]]:
    """The file up to the numbers, with one tensor of another type that takes so many bytes, all else as it is; and the bytes at
    which the tensors begin, in their order, one behind the other, and at which the last one's padding ends."""
    from gguf.constants import GGMLQuantizationType

    start.at, offset, places = 0, 0, []
    written = bytearray(start.take(header.facts_stop))
    for each, entry in header.entries.items():
        begin = start.at
        start.skip(start.number("Q"))
        start.skip(8 * start.number("I"))
        kind, _ = start.number("I"), start.number("Q")
        written += start.data[begin : start.at]
        struct.pack_into("<IQ", written, len(written) - 12, GGMLQuantizationType[dtype] if each == name else kind, offset)
        places.append(offset)
        offset = aligned(offset + (n_bytes if each == name else entry.stop - entry.start), header.alignment)
    head = bytes(written).ljust(aligned(len(written), header.alignment), b"\0")
    return head, [len(head) + place for place in (*places, offset)]
