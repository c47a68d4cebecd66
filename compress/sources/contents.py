"""What kind of file it is, by its bytes; its ending is asked only where two kinds look alike."""

import re
import zipfile
from json import JSONDecoder
from pathlib import Path

from numpy.lib.format import MAGIC_PREFIX

from compress.files import LFS
from compress.sources.checkpoints.safetensors_header import MAX_HEADER
from compress.sources.tables.cells import n_numbers
from compress.sources.tables.layout import CONTROL, HEADER

HEAD = 64 << 10  # bytes looked at
LINES = 50
BEGINNINGS = {
    MAGIC_PREFIX: "npy",
    b"PAR1": "parquet",
    b"GGUF": "gguf",
    b"\x89HDF\r\n\x1a\n": "hdf5",
    b"\xba\x16\x4f\x2f": "fasttext",
    LFS: "lfs",
    b"\x1f\x8b": "gzip",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"BZh91AY&SY": "bzip2",
    b"7z\xbc\xaf\x27\x1c": "archive",
    b"Rar!": "archive",
    b"SQLite format 3\x00": "sqlite",
    b"ARROW1": "arrow",
    b"MATLAB 5.0 MAT-file": "matlab",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
WITHIN = (  # the byte at which it stands
    (512, b"\x89HDF\r\n\x1a\n", "hdf5"),  # behind a block of the program's own, as MATLAB writes it
    (4, b"TFL3", "tflite"),
    (257, b"ustar", "archive"),
)
TORCH = b"l\xfc\x9cF\xf9 j\xa8P\x19."  # the number that every pickle of torch.save begins with
JOBLIB = b"joblib.numpy_pickle"  # whose arrays stand between the instructions of the pickle
FAISS = re.compile(rb"I[xwHvB][A-Za-z0-9]{2}..\x00\x00", re.DOTALL)
PROTOBUF = re.compile(rb"\x08([\x01-\x20])[\x12\x1a\x22\x28\x32\x3a\x42\x72\xa2]")  # a version, then a field of a model
JSON = re.compile(rb'(\xef\xbb\xbf)?\s*[\[{]\s*(["\[{\]}]|-?\d[\d.eE+-]*\s*[,\]])')
QUOTED = re.compile(rb'"[^"]*"')
PAGE = re.compile(rb"\s*<(!doctype html|html)", re.IGNORECASE)
CHECKPOINT_FOOTER = (0xDB4775248B80FB57).to_bytes(8, "little")  # of the tables that TensorFlow keeps an index in
CHECKPOINT_DATA = re.compile(r".*\.data-\d{5}-of-\d{5}")
TEXTS = {".csv": "csv", ".tsv": "csv", ".txt": "text", ".vec": "text", ".w2v": "text"}


def kind_of(path: Path) -> str | None:
    """The kind that a file's bytes tell; None where they tell none."""
    with open(path, "rb") as file:
        head = file.read(HEAD)
        file.seek(max(0, path.stat().st_size - 8))
        foot = file.read(8)
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") <= MAX_HEADER:
        return "safetensors"
    for at, sign, kind in (*((0, *each) for each in BEGINNINGS.items()), *WITHIN):
        if head.startswith(sign, at):
            return kind
    if head.startswith(b"PK\x03\x04"):
        return kind_of_zip(path)
    if head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return "torch" if TORCH in head[:40] else "joblib" if JOBLIB in head else "pickle"
    if foot == CHECKPOINT_FOOTER or CHECKPOINT_DATA.fullmatch(path.name):
        return "checkpoint"
    if FAISS.match(head):
        return "faiss"
    if protobuf := PROTOBUF.match(head):
        return "tensorflow" if protobuf[1] == b"\x01" else "onnx"
    return kind_of_text(head, path.suffix.lower())


def kind_of_zip(path: Path) -> str:
    """The kind of what a zip archive holds, by the names in it."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return "npz" if path.suffix.lower() == ".npz" else "torch"
    if any(name.endswith("data.pkl") for name in names):
        return "torch"
    if "model.weights.h5" in names:
        return "keras"
    return "npz" if any(name.endswith(".npy") for name in names) or path.suffix.lower() == ".npz" else "zip"


def kind_of_text(head: bytes, suffix: str) -> str | None:
    """The kind of a text, and of word2vec's binary form, which begins with one line of it; None for what is neither.

    suffix: decides where cells are parted by tabs, which word vectors and tables may both be.
    """
    lines = [line for line in head.removeprefix(b"\xef\xbb\xbf").split(b"\n")[: LINES + 1] if line.strip()]
    if not lines:
        return None
    if HEADER.fullmatch(lines[0]) and not separated(lines[1:]):
        return "text"
    if CONTROL.search(head):
        return None
    if PAGE.match(head):
        return "page"
    if JSON.match(head) and not (len(lines) > 1 and (goes_on(lines[0]) or n_numbers(lines[0]))):
        return "json"
    whole = lines[:-1] or lines  # the last may be cut
    separator = separated(whole)
    counts = [n_numbers(line) for line in whole]
    if separator == b"\t" and all(count == line.count(b"\t") for count, line in zip(counts, whole, strict=True)):
        return TEXTS.get(suffix, "text")
    if separator:
        return "csv"
    return "text" if min(counts) > (suffix in TEXTS) else None


def goes_on(line: bytes) -> bool:
    """Whether a line is a value of JSON and then something that none follows it with, as a token in brackets and its numbers."""
    text = line.decode("utf-8", "replace").strip()
    try:
        end = JSONDecoder().raw_decode(text)[1]
    except (ValueError, RecursionError):
        return False
    return text[end:].lstrip(", \t")[:1] not in ("", "[", "{")


def separated(lines: list[bytes]) -> bytes | None:
    """What parts all these lines into equally many cells, if not blanks; not within a quoted cell."""
    lines = [QUOTED.sub(b'"', line) for line in lines]
    for separator in (b"\t", b",", b";", b"|"):
        counts = {line.count(separator) for line in lines}
        if len(counts) == 1 and (count := counts.pop()) > 0 and count + 1 >= max(len(line.split()) for line in lines):
            return separator
    return None
