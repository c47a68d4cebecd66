"""Small dealings with files: JSON, text, files and folders written whole or not at all, temporary folders, sizes in words."""

import ctypes
import json
import os
import re
import secrets
import shutil
import tempfile
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import IO, Any

from compress.errors import InputError

PART = re.compile(r"\..+\.[0-9a-f]{8}\.(part|before)")  # the names of what is being written
LEFT = 3600.0  # seconds after which what nobody writes to is left over
LOCKS: Any = import_module("fcntl") if os.name == "posix" else None
TEMPORARY = "flatland-"  # how the names of temporary folders begin
AT_FDCWD, RENAME_EXCHANGE = -100, 2  # of Linux's fcntl.h and fs.h
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


def whole_letters(text: str) -> str:
    """The text with half of a letter that takes two replaced: that cannot be written as UTF-8."""
    return text.encode("utf-8", "replace").decode()


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
    sweep(path.parent)
    try:
        with told_of(path, part):
            with open(part, "xb") as file, hold(part):
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
    sweep(folder.parent)
    part = folder.with_name(f".{folder.name[:100]}.{secrets.token_hex(4)}.part")
    before, held = part.with_suffix(".before"), ExitStack()
    try:
        with told_of(folder, part):
            part.mkdir()
            held = hold(part)
            yield part
            check(folder)
            if folder.exists() and exchanged(part, folder):
                return
            if folder.exists():
                folder.rename(before)
            try:
                part.rename(folder)
            except OSError:
                if before.exists():
                    before.rename(folder)
                raise
    finally:
        held.close()
        shutil.rmtree(part, ignore_errors=True)
        shutil.rmtree(before, ignore_errors=True)


class Temporary(tempfile.TemporaryDirectory):
    """A temporary folder that goes with this object, and is held until then, so that nobody takes it for left over. place: where it
    is made, among temporary files unless given."""

    def __init__(self, place: Path | None = None) -> None:
        super().__init__(prefix=TEMPORARY, dir=place, ignore_cleanup_errors=True)
        weakref.finalize(self, hold(Path(self.name)).close)


def hold(path: Path) -> ExitStack:
    """Marks a file or a folder as being written to, until what this gives is closed."""
    held = ExitStack()
    with suppress(OSError):  # of a file system without locks
        if LOCKS:
            file = os.open(path, os.O_RDONLY)
            held.callback(os.close, file)
            LOCKS.flock(file, LOCKS.LOCK_SH | LOCKS.LOCK_NB)
    return held


def is_held(path: Path) -> bool:
    """Whether a program that runs holds a file or a folder."""
    if not LOCKS:
        return False
    try:
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        LOCKS.flock(file, LOCKS.LOCK_EX | LOCKS.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(file)
    return False


def is_left(path: Path) -> bool:
    """Whether it is this user's, nobody holds it, and nothing in it was written for so long."""
    try:
        facts = [each.lstat() for each in (path, *(path.rglob("*") if path.is_dir() else []))]
    except OSError:
        return False
    old = max(each.st_mtime for each in facts) < time.time() - LEFT
    return old and not path.is_symlink() and facts[0].st_uid == (os.getuid() if LOCKS else 0) and not is_held(path)


def remove(path: Path) -> None:
    """Removes a file or a folder, as far as the system lets it."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()


def sweep(folder: Path) -> None:
    """Removes what killed programs have left half-written in a folder."""
    with suppress(OSError):
        for path in folder.iterdir():
            if PART.fullmatch(path.name) and is_left(path):
                remove(path)


def bytes_of(text: str) -> float:
    """What 2MB, 500KB or a number of bytes is in bytes. Raises ValueError for another text, or for nothing."""
    found = re.fullmatch(r"(\d+\.?\d*|\.\d+)\s*([KMGT]?)B?", text.strip(), re.IGNORECASE)
    if not found or not float(found[1]):
        raise ValueError(f"a size is bytes above 0, or a number with KB, MB or GB, got {text!r}")
    return float(found[1]) * {"": 1, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}[found[2].upper()]


def exchanged(one: Path, other: Path) -> bool:
    """Whether two folders could change their names, so that there is one of either name at any moment."""
    try:
        rename = ctypes.CDLL(None).renameat2  # of Linux
    except (AttributeError, OSError, TypeError):
        return False
    return rename(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), RENAME_EXCHANGE) == 0


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
