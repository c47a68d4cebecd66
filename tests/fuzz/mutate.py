"""Bytes changed at random, with what holds them together put right again where that is cheap: an archive's sums, a header's length,
a pickle's instructions, a message's fields. What is changed then reaches the code behind the first check."""

import bz2
import gzip
import io
import json
import lzma
import pickletools
import re
import struct
import zipfile
from contextlib import suppress
from random import Random

from compress.form.file import checksum

EXTREMES = (0, 1, 2, 3, 127, 128, 255, 256, 65535, 65536, 10**5, 10**6, 10**9, 10**12)
EXTREMES += tuple(sign * 2**bits + by for bits in (31, 32, 63, 64) for sign in (1, -1) for by in (-1, 0, 1))
NUMBERS = (
    "0",
    "-1",
    "1",
    "7",
    "1e999",
    "-1e999",
    "NaN",
    "1e5",
    "100000000",
    "2147483648",
    "9223372036854775808",
    "1" * 30,
    "0.5",
    "",
)
FLOATS = (float("nan"), float("inf"), float("-inf"), 3e38, -3e38, 1e-45, 0.0, 1e30)
VALUES = (None, True, False, 0, -1, 1, 0.5, 1e300, 10**30, "", "x", "1e999", [], {}, [[]], float("inf"), float("nan"), 2**31, 10**8)
NUMBER = re.compile(rb"\d+(?:\.\d+)?")
EDGE = 600  # bytes at either end of a file, where headers and footers are
LARGEST = 64 << 10  # bytes that a file is made at most
ZIP, GZIP, XZ, BZIP, ZSTD, NPY, PICKLE = b"PK\x03\x04", b"\x1f\x8b", b"\xfd7zXZ", b"BZh", b"\x28\xb5\x2f\xfd", b"\x93NUMPY", b"\x80"


def mutated(data: bytes, others: list[bytes], rng: Random) -> bytes:
    """A file made of a good one. others: good files of the same kind, which parts are taken from."""
    for _ in range(rng.choice((1, 1, 1, 2, 3, 5))):
        data = within(data, others, rng) if rng.random() < 0.7 else anywhere(data, others, rng)
    return data[:LARGEST]


def within(data: bytes, others: list[bytes], rng: Random) -> bytes:
    """Changed inside what its form holds, and whole again; anywhere where the form is none of these."""
    for told, change in FORMS:
        if told(data):
            with suppress(Exception):  # of a form that a change before has broken
                return change(data, others, rng)
            break
    return anywhere(data, others, rng)


def anywhere(data: bytes, others: list[bytes], rng: Random) -> bytes:
    """One change somewhere, whatever the file is."""
    return rng.choice(CHANGES)(data, place(data, rng), others, rng)


def place(data: bytes, rng: Random) -> int:
    """A byte of a file: often one near an end."""
    n = max(1, len(data))
    return rng.choice((rng.randrange(n), rng.randrange(min(n, EDGE)), n - 1 - rng.randrange(min(n, EDGE))))


def flipped(data: bytes, at: int, others: list[bytes], rng: Random) -> bytes:
    part = bytes(byte ^ 1 << rng.randrange(8) for byte in data[at : at + rng.choice((1, 1, 2, 8))])
    return data[:at] + part + data[at + len(part) :]


def replaced(data: bytes, at: int, others: list[bytes], rng: Random) -> bytes:
    new = bytes(rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256))) for _ in range(rng.choice((1, 1, 2, 4))))
    return data[:at] + new + data[at + len(new) :]


def integer(data: bytes, at: int, others: list[bytes], rng: Random) -> bytes:
    size, order = rng.choice((1, 2, 4, 4, 8, 8)), rng.choice(("little", "little", "big"))
    held = int.from_bytes(data[at : at + size], order)
    number = rng.choice((rng.choice(EXTREMES), held + 1, held - 1, 2 * held, len(data)))
    return data[:at] + (number % 256**size).to_bytes(size, order) + data[at + size :]


def real(data: bytes, at: int, others: list[bytes], rng: Random) -> bytes:
    kind = rng.choice(("<f", "<d", "<e"))
    number = rng.choice(FLOATS)
    new = struct.pack(kind, number if kind != "<e" or abs(number) < 6e4 or number in FLOATS[1:3] or number != number else 6e4)
    return data[:at] + new + data[at + len(new) :]


def written_number(data: bytes, at: int, others: list[bytes], rng: Random) -> bytes:
    found = NUMBER.search(data, at) or NUMBER.search(data)
    if not found:
        return integer(data, at, others, rng)
    return data[: found.start()] + rng.choice(NUMBERS).encode() + data[found.end() :]


def cut(data: bytes, at: int, others: list[bytes], rng: Random) -> bytes:
    return data[:at]


def dropped(data: bytes, at: int, others: list[bytes], rng: Random) -> bytes:
    return data[:at] + data[at + rng.choice((1, 2, 4, 8, 16, rng.randrange(1, EDGE))) :]


def doubled(data: bytes, at: int, others: list[bytes], rng: Random) -> bytes:
    part = data[at : at + rng.choice((1, 4, 16, rng.randrange(1, EDGE)))]
    return data[:at] + part * rng.choice((2, 2, 3, 50)) + data[at + len(part) :]


def stuffed(data: bytes, at: int, others: list[bytes], rng: Random) -> bytes:
    """Something inserted; at times so much of it that work that grows with its square shows."""
    part = rng.choice((b"\0", b"\xff", b"(", b"[", b'{"', b'"', b"9", b".", b",", b" ", b"\n", b"\t", rng.randbytes(4)))
    return data[:at] + part * rng.choice((1, 1, 8, 8, 300, 20_000)) + data[at:]


def spliced(data: bytes, at: int, others: list[bytes], rng: Random) -> bytes:
    other = rng.choice(others)
    begin = rng.choice((at, place(other, rng)))
    return data[:at] + other[begin:]


def copied(data: bytes, at: int, others: list[bytes], rng: Random) -> bytes:
    begin, size = place(data, rng), rng.choice((1, 2, 4, 8, 16, 64))
    return data[:at] + data[begin : begin + size] + data[at + size :]


CHANGES = (flipped, flipped, replaced, integer, integer, real, written_number, cut, dropped, doubled, stuffed, spliced, copied)


def in_archive(data: bytes, others: list[bytes], rng: Random) -> bytes:
    """A member of a zip changed, dropped, named twice or renamed; the archive's own sums are right."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [(each, archive.read(each)) for each in archive.infolist()]
    at = rng.randrange(len(members))
    info, content = members[at]
    what = rng.random()
    if what < 0.85:
        members[at] = info, mutated(content, [content], rng)
    elif what < 0.9:
        del members[at]
    elif what < 0.95:
        members.append((info, mutated(content, [content], rng)))
    else:
        name = rng.choice((f"{info.filename}x", info.filename[1:], rng.choice(members)[0].filename, "../a", "x" * 300))
        members[at] = zipfile.ZipInfo(name), content
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for each, content in members:
            archive.writestr(each.filename, content, each.compress_type)
    return held.getvalue()


def in_gzip(data: bytes, others: list[bytes], rng: Random) -> bytes:
    content = gzip.decompress(data)
    return gzip.compress(mutated(content, [content], rng), 1)


def in_xz(data: bytes, others: list[bytes], rng: Random) -> bytes:
    content = lzma.decompress(data)
    return lzma.compress(mutated(content, [content], rng), preset=0)


def in_bzip(data: bytes, others: list[bytes], rng: Random) -> bytes:
    content = bz2.decompress(data)
    return bz2.compress(mutated(content, [content], rng), 1)


def in_zstd(data: bytes, others: list[bytes], rng: Random) -> bytes:
    import zstandard

    content = zstandard.ZstdDecompressor().decompress(data, max_output_size=LARGEST)
    return zstandard.ZstdCompressor().compress(mutated(content, [content], rng))


def in_npy(data: bytes, others: list[bytes], rng: Random) -> bytes:
    size = int.from_bytes(data[8:10], "little")
    header, body = data[10 : 10 + size], data[10 + size :]
    if rng.random() < 0.6:
        kind = rng.choice(
            (b"<f4", b"<f8", b"<f2", b">f4", b"<i8", b"|u1", b"<U9", b"|O", b"|b1", b"<c8", b"<M8[s]", b"|S0", b"|V4")
        )
        header = rng.choice((header.replace(b"<f4", kind), written_number(header, 0, others, rng), anywhere(header, others, rng)))
    else:
        body = anywhere(body, others, rng)
    return data[:8] + min(len(header), 65535).to_bytes(2, "little") + header + body


def is_safetensors(data: bytes) -> bool:
    return data[8:9] == b"{" and int.from_bytes(data[:8], "little") < len(data)


def in_safetensors(data: bytes, others: list[bytes], rng: Random) -> bytes:
    """The header changed as JSON, what stands in its entries too, mostly with a checksum that is right; or numbers behind it."""
    size = int.from_bytes(data[:8], "little")
    text, body = data[8 : 8 + size], data[8 + size :]
    if rng.random() < 0.35:
        return data[: 8 + size] + anywhere(body, others, rng)
    text = in_json(text, others, rng)
    if rng.random() < 0.8:
        with suppress(Exception):  # of a header that is none of this program's any more
            text = summed(text)
    return len(text).to_bytes(8, "little") + text + body


def summed(text: bytes) -> bytes:
    """The header of a safetensors file with the checksum of what this program's entry says."""
    header = json.loads(text)
    said = json.loads(header["__metadata__"]["flatland"])
    header["__metadata__"]["flatland"] = json.dumps(said | {"checksum": checksum(said)})
    return json.dumps(header).encode()


def is_json(data: bytes) -> bool:
    return data[:1] in (b"{", b"[")


def in_json(data: bytes, others: list[bytes], rng: Random) -> bytes:
    lines = data.split(b"\n")
    at = rng.randrange(len(lines))
    try:
        lines[at] = changed_text(lines[at], rng)
        return b"\n".join(lines)
    except ValueError:
        return changed_text(data, rng)


def changed_text(text: bytes, rng: Random) -> bytes:
    return json.dumps(changed(json.loads(text), rng)).encode()


def changed(held: object, rng: Random) -> object:
    """A value of JSON with one thing in it changed."""
    if isinstance(held, dict | list) and held and rng.random() < 0.9:
        key = rng.choice(list(held)) if isinstance(held, dict) else rng.randrange(len(held))
        what = rng.random()
        if what < 0.8:
            held[key] = changed(held[key], rng)
        elif what < 0.9:
            del held[key]
        elif isinstance(held, list):
            held.insert(key, rng.choice(held))
        else:
            held[rng.choice(("", "x", f"{key} ", *held))] = held[key]
        return held
    if isinstance(held, str) and held[:1] in ("{", "[") and rng.random() < 0.8:
        try:
            return json.dumps(changed(json.loads(held), rng))
        except ValueError:
            return held[: rng.randrange(len(held))]
    if isinstance(held, int) and not isinstance(held, bool) and rng.random() < 0.7:
        return rng.choice((held + 1, held - 1, -held, 2 * held, 1000 * held, rng.choice(EXTREMES), float(held), str(held)))
    if isinstance(held, str) and held and rng.random() < 0.5:
        return anywhere(held.encode("utf-8", "replace"), [held.encode("utf-8", "replace")], rng).decode("utf-8", "replace")
    return rng.choice(VALUES)


def in_pickle(data: bytes, others: list[bytes], rng: Random) -> bytes:
    """An instruction of a pickle dropped, doubled, moved, or with another number."""
    starts = [at for _, _, at in pickletools.genops(data)]
    parts = [data[begin:end] for begin, end in zip(starts, [*starts[1:], len(data)], strict=True)]
    at, what = rng.randrange(len(parts)), rng.random()
    if what < 0.25:
        del parts[at]
    elif what < 0.4:
        parts.insert(rng.randrange(len(parts)), parts[at])
    elif what < 0.5:
        parts[at] = rng.choice(parts)
    elif what < 0.6:
        parts[at] = rng.choice(
            (b"(", b"}", b"]", b")", b"N", b"0", b"2", b"1", b"t", b"R", b"b", b"s", b"u", b"a", b"e", b"Q", b"\x85")
        )
    else:
        numbers = [place for place, part in enumerate(parts) if part[:1] in (b"K", b"M", b"J", b"\x8a")]
        at = rng.choice(numbers or [at])
        number = rng.choice(EXTREMES)
        parts[at] = b"\x8a\x0a" + number.to_bytes(10, "little", signed=True)
    return b"".join(parts)


def is_message(data: bytes) -> bool:
    return data[:1] == b"\x08" and len(data) > 8 and fields_of(data) is not None


def fields_of(data: bytes) -> list[tuple[int, int, bytes]] | None:
    """The fields of a protobuf message: number, kind, bytes behind a length or a number itself; None where it is none."""
    fields, at = [], 0
    while at < len(data):
        key, at = varint(data, at)
        number, kind = key >> 3, key & 7
        if not number or kind not in (0, 1, 2, 5):
            return None
        if kind == 0:
            begin = at
            _, at = varint(data, at)
            value = data[begin:at]
        else:
            size, at = varint(data, at) if kind == 2 else ({1: 8, 5: 4}[kind], at)
            value = data[at : at + size]
            if len(value) < size:
                return None
            at += size
        fields.append((number, kind, value))
    return fields


def varint(data: bytes, at: int) -> tuple[int, int]:
    number, shift = 0, 0
    while at < len(data) and shift < 70:
        number |= (data[at] & 127) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 128:
            return number, at
    return 0, len(data) + 1


def as_varint(number: int) -> bytes:
    number %= 2**64
    found = bytearray()
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    return bytes([*found, number])


def in_message(data: bytes, others: list[bytes], rng: Random) -> bytes:
    """A field of a protobuf message changed, at any depth, with the lengths around it put right."""
    fields = fields_of(data)
    if not fields:
        return anywhere(data, others, rng)
    at, what = rng.randrange(len(fields)), rng.random()
    number, kind, value = fields[at]
    if what < 0.08:
        del fields[at]
    elif what < 0.16:
        fields.insert(at, fields[at])
    elif kind == 0:
        fields[at] = number, kind, as_varint(rng.choice((rng.choice(EXTREMES), rng.randrange(40))))
    elif kind == 2:
        inner = fields_of(value) if rng.random() < 0.9 else None
        fields[at] = number, kind, in_message(value, [value], rng) if inner else anywhere(value, [value], rng)
    else:
        fields[at] = number, kind, rng.randbytes(len(value))
    return b"".join(
        as_varint(number << 3 | kind) + (as_varint(len(value)) if kind == 2 else b"") + value for number, kind, value in fields
    )


def is_text(data: bytes) -> bool:
    return b"\n" in data[:4000] and b"\0" not in data[:4000]


def in_lines(data: bytes, others: list[bytes], rng: Random) -> bytes:
    """Lines dropped, doubled, moved or taken from another file; or a cell of one changed."""
    lines = data.split(b"\n")
    at, what = rng.randrange(len(lines)), rng.random()
    if what < 0.15:
        del lines[at]
    elif what < 0.3:
        lines.insert(rng.randrange(len(lines)), rng.choice(rng.choice(others).split(b"\n")))
    elif what < 0.4:
        rng.shuffle(lines)
    else:
        parts = re.split(rb"([,\t; ]+)", lines[at])
        cell = rng.randrange(len(parts))
        other = rng.choice(
            (*NUMBERS, "x", "nan", "-inf", '"', "1,5", "[1, 2]", "[[1]]", "\t", "é", "1_0", "0x1", "{}", "null", "\r")
        )
        parts[cell] = other.encode()
        lines[at] = b"".join(parts)
    return b"\n".join(lines)


FORMS = (
    (lambda data: data.startswith(ZIP), in_archive),
    (lambda data: data.startswith(GZIP), in_gzip),
    (lambda data: data.startswith(XZ), in_xz),
    (lambda data: data.startswith(BZIP), in_bzip),
    (lambda data: data.startswith(ZSTD), in_zstd),
    (lambda data: data.startswith(NPY), in_npy),
    (is_safetensors, in_safetensors),
    (lambda data: data.startswith(PICKLE), in_pickle),
    (is_message, in_message),
    (is_json, in_json),
    (is_text, in_lines),
)
