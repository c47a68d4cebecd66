"""Models on the hub: the embedding tensor alone, by byte ranges, kept in a cache."""

import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from compress.cache import root
from compress.errors import InputError
from compress.files import bytes_text, parse_json, replacing
from compress.sources.checkpoints import gguf_file, safetensors_file
from compress.sources.checkpoints.gguf_file import is_gguf, part_names
from compress.sources.checkpoints.gguf_header import BEGIN, Start, framed, read_header
from compress.sources.checkpoints.safetensors_file import mapping_in
from compress.sources.checkpoints.safetensors_header import header_length, infos_of, parse_header
from compress.sources.checkpoints.stored import table_of
from compress.sources.choice.clues import CONFIG, Clues, config_in
from compress.sources.choice.info import (
    Read,
    TensorInfo,
    beside_files,
    completed,
    pick,
    ranked,
    wanted_files,
)
from compress.sources.hub.cache import Snapshot, kept, remembered
from compress.sources.hub.http_ranges import Answer, Server, Unreachable
from compress.sources.model_folder import checked_map

MODEL = re.compile(r"(?P<repo>(?:\w[\w.-]*/)?\w[\w.-]*)(?:/(?P<file>\w[\w./-]*\.gguf))?(?:@(?P<revision>\w[\w./-]*))?", re.ASCII)
FIRST_BYTES = 64 << 10  # most headers of safetensors are smaller
MORE_BYTES = 256 << 10  # of a GGUF file's header, whose length nothing tells, that are fetched at a time
SMALL = 64 << 20  # bytes that an index or a tokenizer may have
WEIGHTS = "model.safetensors"
MAPPING = "mapping.safetensors"  # in the cache: the row of each token, where tokens share rows
FACTS = "facts.gguf"  # in the cache: what a GGUF file tells beside its tensors
TOKEN_FILES = ("tokenizer.json", "vocab.txt", "vocab.json")
ADDED = ("added_tokens.json", "tokenizer_config.json")


def infos(model: str) -> list[TensorInfo]:
    """The tensors of a model on the hub, from the headers of its files."""
    source = Source.named(model)
    with usable_cache():
        snapshot = source.snapshot()
        infos = source.infos_in(snapshot, snapshot.files)
        if is_gguf(snapshot.files[0]):
            return gguf_file.in_order(infos)
        return ranked(infos, Clues.of(snapshot.folder, snapshot.folder))


def read(model: str, tensor: str | None) -> Read:
    """The tensor, mapped from the cache once it is there, and the tokens of the model's tokenizer where they are its rows'."""
    source = Source.named(model)
    with usable_cache():
        snapshot = source.snapshot()
        files = wanted_files(snapshot.weight_map, tensor) if snapshot.weight_map else snapshot.files
        files = files if tensor else sorted({*files, *beside_files(snapshot.weight_map)})
        infos = source.infos_in(snapshot, files)
        if is_gguf(files[0]):
            chosen = pick(infos, gguf_file.wanted(infos, tensor), source.repo)
            return gguf_file.read(source.fetched(snapshot, chosen.name), chosen.name)
        if not snapshot.tokenizer_known:
            source.fetch_tokenizer(snapshot)
        clues = Clues.of(snapshot.folder, snapshot.folder)
        chosen = pick(infos, tensor, source.repo, clues)
        if chosen.packed:
            stem = chosen.name.rpartition(".")[0]
            beside = {file for name, file in snapshot.weight_map.items() if name.startswith(f"{stem}.")}
            infos += source.infos_in(snapshot, sorted(beside - set(files)))
        table = table_of(chosen, infos, partial(source.stored, snapshot), source.repo, partial(source.config, snapshot))
        held = Read(table.values, None, stored=table.stored)
        return completed(held, chosen, infos, tensor, clues, partial(source.mapping, snapshot))


def kept_folder(model: str) -> Path | None:
    """The folder in the cache that holds a model's table and tokenizer, once it was read."""
    source = Source.named(model)
    snapshot = remembered(source.key, source.revision)
    return snapshot.folder if snapshot else None


def mapping(model: str) -> np.ndarray | None:
    """The row of each token of a model whose tokens share rows, once it was read; None where each has its own."""
    folder = kept_folder(model)
    return mapping_in(folder / MAPPING) if folder and (folder / MAPPING).is_file() else None


def config_folder(model: str) -> Path | None:
    """The folder in the cache that holds a model's config.json, fetched now unless it is there; None where it cannot be had."""
    source = Source.named(model)
    snapshot = remembered(source.key, source.revision)
    if snapshot is None:
        return None
    try:
        there = (snapshot.folder / CONFIG).is_file() or source.fetch_small(snapshot, CONFIG)
    except (InputError, OSError):
        return None
    return snapshot.folder if there else None


@contextmanager
def usable_cache() -> Iterator[None]:
    """Turns what goes wrong with the cache on disk into an InputError."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InputError(
            f"The cache {root()} cannot be used ({reason}); set FLATLAND_CACHE to a folder that can be written."
        ) from error


@dataclass(frozen=True)
class Source:
    """A model's files at one revision, on one server. file: the one GGUF file that is meant, where one is named."""

    repo: str
    revision: str
    server: Server
    file: str | None = None

    @classmethod
    def named(cls, model: str) -> "Source":
        match = MODEL.fullmatch(model)
        if not match or ".." in model:
            raise InputError(
                f"{model!r} is not a model's name; write hub:org/name, hub:org/name@revision or hub:org/name/FILE.gguf."
            )
        try:
            from huggingface_hub import constants, get_token
        except ImportError as error:
            raise InputError("Models on the hub need the package huggingface_hub: pip install huggingface_hub") from error

        endpoint = (os.environ.get("HF_ENDPOINT") or constants.ENDPOINT).rstrip("/")
        return cls(match["repo"], match["revision"] or "main", Server(endpoint, get_token()), match["file"])

    @property
    def key(self) -> str:
        """What the model is kept under: a repository of GGUF files has a model in each."""
        return f"{self.repo}/{self.file}" if self.file else self.repo

    def snapshot(self) -> Snapshot:
        """The model's files as they are now, or as they last were where the server cannot be reached."""
        known = remembered(self.key, self.revision)
        if known and known.commit == self.revision:  # a commit never changes
            return known
        try:
            return self.current()
        except Unreachable as error:
            if known:
                return known
            raise InputError(
                f"{self.repo} is not in the cache and cannot be fetched: {error} A downloaded model's folder works too."
            ) from error

    def current(self) -> Snapshot:
        if self.file:
            return self.started(self.file)
        first, file_size, answer = self.server.ranged(self.address(WEIGHTS), 0, FIRST_BYTES)
        if answer.status in (200, 206):
            snapshot = kept(self.key, self.revision, answer.facts, [WEIGHTS], {})
            self.keep_header(snapshot, WEIGHTS, first, file_size)
            return snapshot
        self.check(answer, WEIGHTS)
        index, answer = self.server.whole(self.address(f"{WEIGHTS}.index.json"), SMALL)
        if index is not None:
            weight_map = checked_map(parse_json(index, f"The index of {self.repo}"), f"The index of {self.repo}")
            return kept(self.key, self.revision, answer.facts, sorted(set(weight_map.values())), weight_map)
        self.check(answer, f"{WEIGHTS}.index.json")
        return self.started(self.listed())

    def started(self, file: str) -> Snapshot:
        """The model that lies in a file, and in the parts beside it that the file's name counts."""
        first, file_size, answer = self.server.ranged(self.address(file), 0, FIRST_BYTES)
        if answer.status == 404:
            raise InputError(f"{self.repo} has no file {file}; check its name.")
        self.check(answer, file)
        snapshot = kept(self.key, self.revision, answer.facts, part_names(file), {})
        if file not in snapshot.headers:
            self.keep_header(snapshot, file, first, file_size)
        return snapshot

    def listed(self) -> str:
        """The one safetensors file that the model has under another name, or where it has none the one GGUF file."""
        body, answer = self.server.whole(f"api/models/{self.repo}/revision/{quote(self.revision, safe='')}", SMALL)
        if body is None:
            self.check(answer, None)
        siblings = parse_json(body, f"The list of files of {self.repo}") if body else {}
        siblings = siblings.get("siblings") if isinstance(siblings, dict) else None
        names = [str(entry.get("rfilename")) for entry in siblings or [] if isinstance(entry, dict)]
        files = [name for name in names if name.endswith(".safetensors")]
        models = [name for name in names if is_gguf(name) and part_names(name)[0] == name]
        if len(files or models) == 1:
            return (files or models)[0]
        if models and not files:
            held = f"{', '.join(models[:4])}{', …' if len(models) > 4 else ''}"
            raise InputError(f"{self.repo} has {len(models)} GGUF files ({held}); name one: hub:{self.repo}/{models[0]}")
        held = f"has {len(files)} safetensors files ({', '.join(files[:4])})" if files else "has no safetensors file"
        raise InputError(f"{self.repo} {held}; download the model and give the path of its folder or file.")

    def infos_in(self, snapshot: Snapshot, files: list[str]) -> list[TensorInfo]:
        for file in files:
            if file not in snapshot.headers:
                first, file_size, answer = self.server.ranged(self.address(file, snapshot), 0, FIRST_BYTES)
                self.check(answer, file)
                self.keep_header(snapshot, file, first, file_size)
        return [info for file in files for info in (gguf_file.infos_of if is_gguf(file) else infos_of)(snapshot.headers[file])]

    def keep_header(self, snapshot: Snapshot, file: str, first: bytes, file_size: int) -> None:
        """Put a file's header into the snapshot; first: the file's first bytes, which mostly hold all of it."""
        where = f"{file} of {self.repo}"
        if is_gguf(file):
            self.keep_gguf_header(snapshot, file, Start(bytearray(first), file_size, where))
            return
        stop = 8 + header_length(first, file_size, where)
        if stop > len(first):
            first += b"".join(self.server.parts(self.address(file, snapshot), len(first), stop))
        snapshot.keep_header(file, parse_header(first[8:stop], file_size, where)[0])

    def stored(self, snapshot: Snapshot, name: str) -> np.ndarray:
        """A tensor of the files whose headers are known, mapped from the cache, where it is fetched to."""
        path = self.fetched(snapshot, name)
        return safetensors_file.values_of(path, safetensors_file.entries_of(path)[0][name])

    def config(self, snapshot: Snapshot) -> Mapping[str, Any]:
        """The content of config.json, fetched unless it is there; nothing where there is none."""
        if not (snapshot.folder / CONFIG).is_file():
            self.fetch_small(snapshot, CONFIG)
        return config_in(snapshot.folder)

    def fetched(self, snapshot: Snapshot, name: str) -> Path:
        """The file in the cache that holds a tensor alone, in the format that it has on the server."""
        file = next(file for file, entries in snapshot.headers.items() if name in entries)
        path = snapshot.path_of(name, ".gguf" if is_gguf(file) else ".safetensors")
        if not path.is_file():
            self.fetch_tensor(snapshot, file, name, path)
        return path

    def keep_gguf_header(self, snapshot: Snapshot, file: str, start: Start) -> None:
        """The same of a GGUF file; what it tells beside its tensors is kept with them."""

        def more(begin: int, stop: int) -> bytes:
            return b"".join(self.server.parts(self.address(file, snapshot), begin, min(max(stop, begin + MORE_BYTES), start.size)))

        start.more = more
        header = read_header(start)
        if header.tokens[1]:
            with replacing(snapshot.folder / FACTS) as out:
                out.write(framed(header, bytes(start.data[BEGIN : header.facts_stop])))
        snapshot.keep_header(file, header.entries)

    def fetch_tensor(self, snapshot: Snapshot, file: str, name: str, path: Path) -> None:
        """Write one tensor to path as a safetensors file, by the bytes it has in the model's file."""
        entry = snapshot.headers[file][name]
        n_bytes = entry.stop - entry.start
        free = shutil.disk_usage(path.parent).free
        if n_bytes > free:
            raise InputError(
                f"{name} of {self.repo} takes {bytes_text(n_bytes)} and {bytes_text(free)} are free for the cache; "
                "set FLATLAND_CACHE to a folder with more room."
            )
        if is_gguf(file):
            start = gguf_file.start_of(name, entry, snapshot.folder / FACTS, self.repo)
        else:
            start = safetensors_file.framed({name: {"dtype": entry.dtype, "shape": entry.shape, "data_offsets": [0, n_bytes]}})
        with replacing(path) as out:
            out.write(start)
            written = sum(out.write(part) for part in self.server.parts(self.address(file, snapshot), entry.start, entry.stop))
            if written != n_bytes:
                raise InputError(f"{self.repo} sent {bytes_text(written)} of {bytes_text(n_bytes)}; try again.")

    def fetch_tokenizer(self, snapshot: Snapshot) -> None:
        """Writes the tokenizer's files and the config beside the tables, from the folder of the weights or from above it."""
        for file in TOKEN_FILES:
            if self.fetch_small(snapshot, file):
                for other in () if file == TOKEN_FILES[0] else ADDED:
                    self.fetch_small(snapshot, other)
                break
        self.fetch_small(snapshot, CONFIG)
        snapshot.keep_tokenizer()

    def mapping(self, snapshot: Snapshot) -> np.ndarray | None:
        """The row of each token where a model's tokens share rows, fetched beside the tables; None where each has its own."""
        path = snapshot.folder / MAPPING
        file = next((file for file, entries in snapshot.headers.items() if "mapping" in entries), None)
        if file and not path.is_file():
            self.fetch_tensor(snapshot, file, "mapping", path)
        return mapping_in(path) if path.is_file() else None

    def fetch_small(self, snapshot: Snapshot, file: str) -> bool:
        """Writes a small file whole beside the tables; False where the model has none of that name."""
        folder = snapshot.files[0].rpartition("/")[0]
        for place in (f"{folder}/{file}", file) if folder else (file,):
            body, answer = self.server.whole(self.address(place, snapshot), SMALL)
            if body is not None:
                with replacing(snapshot.folder / file) as out:
                    out.write(body)
                return True
            self.check(answer, place)
        return False

    def address(self, file: str, snapshot: Snapshot | None = None) -> str:
        """The path of a file on the server, at the snapshot's commit once that is known."""
        revision = (snapshot and snapshot.commit) or self.revision
        return f"{self.repo}/resolve/{quote(revision, safe='')}/{quote(file)}"

    def check(self, answer: Answer, file: str | None) -> None:
        """InputError for every refusal but that one file is missing; None for the model itself."""
        status, code = answer.status, answer.error_code
        if status in (200, 206):
            return
        if code == "RevisionNotFound":
            raise InputError(f"{self.repo} has no revision {self.revision!r}; check its name.")
        if code == "RepoNotFound" or (status == 404 and file is None):
            raise InputError(f"The hub has no model {self.repo}, or it is private; check the name, or set HF_TOKEN.")
        if status in (401, 403):
            raise InputError(f"{self.repo} is gated or private ({status}); ask for access on its page, then set HF_TOKEN.")
        if status != 404:
            raise InputError(f"The hub refuses {file or self.repo} of {self.repo} ({status}); try again later.")
