"""The cache on disk: where it lies, how much it may hold, what a kill has left over, and what stands in for it where it cannot be
written.

It is FLATLAND_CACHE, or flatland in the user's cache folder, and holds at most FLATLAND_CACHE_SIZE, 2 GB unless set: what was used
longest ago goes first. What goes as a whole is a file, or the folder of a model; the databases of trials stay.
"""

import errno
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Set
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import RLock

from compress.errors import InputError
from compress.files import PART, TEMPORARY, Temporary, bytes_of, is_held, is_left, remove

USUAL = "2GB"
ROOM = 32_000_000  # bytes that a disk must have free, else it is full
RECENT = 60.0  # seconds in which what was used is not removed
REFUSALS = [getattr(errno, name) for name in ("ENOSPC", "EDQUOT", "EFBIG", "EROFS", "EACCES", "EPERM", "EIO", "ENOTDIR", "EEXIST")]
FULL = [errno.ENOSPC, errno.EDQUOT, errno.EFBIG]
MODELS = ("hub/*/*", "demos/*")  # folders that go as a whole


@dataclass(frozen=True)
class StandIn:
    """A folder in memory, or among temporary files, that goes with the program, and the number of what the system said of the
    cache."""

    folder: Temporary
    number: int


_stand_ins: dict[Path, StandIn] = {}  # by the cache that they stand in for
_lock = RLock()


def chosen() -> Path:
    """The folder that is to be the cache."""
    told = os.environ.get("FLATLAND_CACHE")
    if told:
        return Path(told).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "flatland"


def root() -> Path:
    """The folder that is the cache, or stands in for it by now."""
    return Path(_stand_ins[chosen()].folder.name) if chosen() in _stand_ins else chosen()


def folder(name: str) -> Path:
    """A folder of the cache that can be written; where none can be, one of what stands in for the cache from then on."""
    place = root() / name
    try:
        place.mkdir(parents=True, exist_ok=True)
        if not os.access(place, os.W_OK):
            raise OSError(errno.EROFS if os.statvfs(place).f_flag & os.ST_RDONLY else errno.EACCES, "")
        if is_full(place):
            raise OSError(errno.ENOSPC, "")
    except OSError as error:
        stand_in(error.errno or errno.EIO)
        place = root() / name
        place.mkdir(parents=True, exist_ok=True)
    return place


def is_full(place: Path) -> bool:
    """Whether the disk that a folder lies on has no room."""
    disk = os.statvfs(place)
    return disk.f_blocks > 0 and disk.f_bavail * disk.f_frsize < ROOM


def stand_in(number: int) -> None:
    """Has a folder stand in for the cache from now on, in which all that the cache holds is found. number: what the system said."""
    with _lock:
        cache = chosen()
        if cache not in _stand_ins:
            memory = Path("/dev/shm")
            there = memory.is_dir() and os.access(memory, os.W_OK) and not is_full(memory)
            found = StandIn(Temporary(memory if there else None), number)
            with suppress(OSError):
                shutil.copytree(cache, found.folder.name, copy_function=_lend, dirs_exist_ok=True, symlinks=True)
            _stand_ins[cache] = found


def _lend(source: str, target: str) -> None:
    """A file of the cache in what stands in for it: by a link, but what is written to as it lies there, which is copied."""
    with suppress(OSError):
        shutil.copyfile(source, target) if ".sqlite" in Path(source).name else os.symlink(os.path.abspath(source), target)


def refused(said: Exception | str) -> bool:
    """Whether an error, or its sentence, is that the cache cannot be written; then a folder stands in for it from now on."""
    text = f"{said.filename}: {said.strerror}" if isinstance(said, OSError) else str(said)
    number = next((each for each in REFUSALS if os.strerror(each) in text), None)
    if number is None or str(chosen()) not in text:
        return False
    stand_in(number)
    return True


def lack() -> str | None:
    """Why the cache is not in use, and what to do, in a sentence or two; None where it is."""
    found = _stand_ins.get(chosen())
    if found is None:
        return None
    what = "is full" if found.number in FULL else "cannot be written"
    return (
        f"The cache {chosen()} {what} ({os.strerror(found.number)}). What is computed is kept in memory for as long as this server "
        "runs; set FLATLAND_CACHE to a folder with room to keep it."
    )


def leave() -> None:
    """Removes what stands in for the cache, as a server ends."""
    with _lock:
        for found in _stand_ins.values():
            found.folder.cleanup()


@dataclass(frozen=True)
class Unit:
    """What is kept or removed as a whole. used: when it last was, in seconds of time.time()."""

    path: Path
    n_bytes: int
    used: float


def use(path: Path) -> None:
    """Notes that a file was used now; when it was written stays."""
    with suppress(OSError):
        os.utime(path, ns=(time.time_ns(), path.stat().st_mtime_ns))


def units(place: Path | None = None) -> list[Unit]:
    """All that the cache holds, what was used longest ago first."""
    place = place or root()
    models = [each for pattern in MODELS for each in place.glob(pattern) if each.is_dir() and each.name != "refs"]
    found = [*map(unit_of, models)]
    for above, folders, files in os.walk(place):
        folders[:] = [name for name in folders if Path(above, name) not in models]
        found += [unit_of(Path(above, name)) for name in files]
    return sorted((unit for unit in found if unit), key=lambda unit: unit.used)


def unit_of(path: Path) -> Unit | None:
    """None for what is empty, or gone meanwhile."""
    try:
        facts = [each.lstat() for each in ([path] if not path.is_dir() else path.rglob("*")) if not each.is_dir()]
    except OSError:
        return None
    used = [max(each.st_atime, each.st_mtime) for each in facts]
    return Unit(path, sum(each.st_size for each in facts), max(used)) if used else None


def most() -> int:
    """The bytes that the cache may hold; of one in memory at most half of what is free there."""
    told = os.environ.get("FLATLAND_CACHE_SIZE", USUAL)
    try:
        bound = int(bytes_of(told))
    except ValueError as error:
        raise InputError(f"FLATLAND_CACHE_SIZE must be a size: {error}") from None
    return min(bound, shutil.disk_usage(root()).free // 2) if chosen() in _stand_ins else bound


def keep_within(in_use: Set[str] = frozenset()) -> list[Unit]:
    """Removes what was used longest ago until the cache holds no more than it may; gives what went. in_use: paths that
    stay, of a folder all that lies in it."""
    found, bound, now, gone = units(), most(), time.time(), []
    held = sum(unit.n_bytes for unit in found)
    for unit in found:
        if held <= bound:
            break
        named = not in_use.isdisjoint({str(unit.path), str(unit.path.parent)})
        if not (named or now - unit.used < RECENT or ".sqlite" in unit.path.name):
            remove(unit.path)
            gone.append(unit)
            held -= unit.n_bytes
    return gone


def clear() -> list[Unit]:
    """Removes all that the cache holds but what is being written; gives what went."""
    gone = [unit for unit in units() if not is_held(unit.path)]
    for unit in gone:
        remove(unit.path)
    return gone


def tidy(in_use: Set[str] = frozenset()) -> None:
    """Removes what killed programs have left over, of this user and an hour old, and what is too much."""
    for path in left_over():
        remove(path)
    keep_within(in_use)


def left_over() -> Iterator[Path]:
    """Half-written files and folders of the cache, and temporary folders, that no program writes to any more."""
    for above, folders, files in os.walk(chosen()):
        parts = [name for name in (*folders, *files) if PART.fullmatch(name)]
        folders[:] = [name for name in folders if name not in parts]
        yield from (Path(above, name) for name in parts if is_left(Path(above, name)))
    for place in {tempfile.gettempdir(), "/dev/shm"}:
        with suppress(OSError):
            yield from (path for path in Path(place).glob(f"{TEMPORARY}*") if path.is_dir() and is_left(path))
