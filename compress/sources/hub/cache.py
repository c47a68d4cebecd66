"""What has been fetched from the hub, on disk: the files a model has, their headers, single tensors, the tokenizer."""

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from compress.cache import root
from compress.errors import InputError
from compress.files import read_json, replacing
from compress.sources.checkpoints.safetensors_header import Entry

COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass
class Snapshot:
    """One version of a model, in a folder of its own.

    commit: the version's address on the server, None where the server names none. weight_map: tensor to file, empty for
    a model in one file. headers: the tensors of each file whose header has been read.
    """

    folder: Path
    commit: str | None
    files: list[str]
    weight_map: dict[str, str]
    headers: dict[str, dict[str, Entry]]
    tokenizer_known: bool = False

    def path_of(self, tensor: str, ending: str = ".safetensors") -> Path:
        return self.folder / f"{hashlib.sha256(tensor.encode()).hexdigest()[:20]}{ending}"

    def keep_header(self, file: str, entries: dict[str, Entry]) -> None:
        self.headers[file] = entries
        self.write()

    def keep_tokenizer(self) -> None:
        self.tokenizer_known = True
        self.write()

    def write(self) -> None:
        content = asdict(self) | {"folder": self.folder.name}
        write_json(self.folder / "snapshot.json", content)


def kept(repo: str, revision: str, facts: dict[str, str], files: list[str], weight_map: dict[str, str]) -> Snapshot:
    """The snapshot of the version that an answer's headers name: the kept one where there is one, else a new one."""
    named = facts.get("x-repo-commit", "")
    commit = named if COMMIT.fullmatch(named) else None
    tag = facts.get("x-linked-etag") or facts.get("etag") or facts.get("last-modified")
    version = commit or hashlib.sha256(f"{tag} {sorted(weight_map.items())}".encode()).hexdigest()[:40]
    folder = folder_of(repo) / version
    snapshot = opened(folder) if tag or commit else None
    if snapshot is None or snapshot.files != files or snapshot.weight_map != weight_map:
        folder.mkdir(parents=True, exist_ok=True)
        for stale in folder.iterdir():
            stale.unlink()
        snapshot = Snapshot(folder, commit, files, weight_map, {})
        snapshot.write()
    write_json(reference(repo, revision), {"version": version})
    return snapshot


def remembered(repo: str, revision: str) -> Snapshot | None:
    """The version that a revision was when it was last seen."""
    try:
        version = read_json(reference(repo, revision))["version"]
    except (OSError, InputError, KeyError, TypeError):
        return None
    return opened(folder_of(repo) / str(version)) if re.fullmatch(r"[0-9a-f]{40}", str(version)) else None


def opened(folder: Path) -> Snapshot | None:
    """The snapshot kept in a folder, None where none can be read there."""
    try:
        raw = read_json(folder / "snapshot.json")
        headers = {
            file: {name: Entry(**entry | {"shape": tuple(entry["shape"])}) for name, entry in entries.items()}
            for file, entries in raw["headers"].items()
        }
        return Snapshot(folder, raw["commit"], raw["files"], raw["weight_map"], headers, raw["tokenizer_known"])
    except (OSError, InputError, KeyError, TypeError, AttributeError):
        return None


def folder_of(repo: str) -> Path:
    """Where everything of a model is kept."""
    return root() / "hub" / repo.replace("/", "--")


def reference(repo: str, revision: str) -> Path:
    """The file that says which version a revision was."""
    return folder_of(repo) / "refs" / f"{quote(revision, safe='')}.json"


def write_json(path: Path, content: Any) -> None:
    """Writes JSON to a file, whole or not at all, in a folder that is made where it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as file:
        file.write(json.dumps(content).encode())
