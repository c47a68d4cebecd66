"""Small dealings with files: JSON, text, files and folders written whole or not at all, the cache folder, sizes in words."""

import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from compress.errors import InputError

LFS = b"version https://git-lfs.github.com/spec/"


def parse_json(data: bytes, where: str) -> Any:
    """The JSON in data; InputError where it is not JSON or names an entry twice."""
    if data.startswith(LFS):
        raise InputError(f"{where} is a Git LFS pointer, which stands for the file and is not it; run git lfs pull.")
    try:
        return json.loads(data.decode("utf-8"), object_pairs_hook=unique_names)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where} is not valid JSON, so it is damaged or cut short; fetch the file again.") from error


def unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The entries by name; ValueError where one is named twice."""
    entries = dict(pairs)
    if len(entries) < len(pairs):
        raise ValueError("an entry is named twice")
    return entries


def read_json(path: Path) -> Any:
    """The JSON in a file; InputError where it is not JSON."""
    return parse_json(path.read_bytes(), path.name)


def read_lines(path: Path) -> list[str]:
    """Lines of a UTF-8 file, parted at newlines only: tokens may hold other separators."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path.name} is not UTF-8 text; convert it to UTF-8.") from error
    lines = text.replace("\r\n", "\n").split("\n")
    return lines[:-1] if lines[-1] == "" else lines


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file to write that takes the place of path when it is whole, and leaves nothing when it fails."""
    part = path.with_name(f".{path.name[:100]}.{secrets.token_hex(4)}.part")
    try:
        with told_of(path, part):
            with open(part, "xb") as file:
                yield file
            os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def told_of(path: Path, part: Path) -> Iterator[None]:
    """What the system refuses of a part, or without a name as on a full disk, is said of what the part was to become."""
    try:
        yield
    except OSError as error:
        named = error.filename and Path(error.filename)
        if error.errno and (not named or part in (named, *named.parents)):
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise


@contextmanager
def whole_folder(folder: Path, check: Callable[[Path], object]) -> Iterator[Path]:
    """A folder to write in that takes the place of `folder` when it is whole, and leaves nothing when it fails. check: raises where
    what lies there may not be replaced; asked before and after."""
    check(folder)
    folder = folder.resolve()
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = folder.with_name(f".{folder.name[:100]}.{secrets.token_hex(4)}.part")
    before = part.with_suffix(".before")
    try:
        with told_of(folder, part):
            part.mkdir()
            yield part
            check(folder)
            if folder.exists():
                folder.rename(before)
            try:
                part.rename(folder)
            except OSError:
                if before.exists():
                    before.rename(folder)
                raise
    finally:
        shutil.rmtree(part, ignore_errors=True)
        shutil.rmtree(before, ignore_errors=True)


def cache_folder() -> Path:
    """Where fetched tensors are kept: FLATLAND_CACHE, or flatland in the user's cache folder."""
    chosen = os.environ.get("FLATLAND_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "flatland"


def bytes_text(n_bytes: float) -> str:
    """Bytes in the unit that suits them, three significant digits: 812 bytes, 46.9 MB."""
    for unit, size in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("KB", 1e3)):
        if n_bytes >= 0.9995 * size:  # what is rounded to 1.00 of it
            amount = n_bytes / size
            return f"{amount:,.0f} {unit}" if amount >= 999.5 else f"{amount:#.3g} {unit}".replace(". ", " ")
    return f"{n_bytes:,.0f} bytes"
