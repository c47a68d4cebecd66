"""Packed files: gzip, xz, zstd, and a zip with one file, unpacked within bounds into a folder that goes with the program."""

import bz2
import gzip
import lzma
import shutil
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

from compress.errors import InputError
from compress.files import Temporary, bytes_text
from compress.sources.limits import check_unpacks

CHUNK = 1 << 20
DAMAGED = (
    EOFError,
    OSError,
    lzma.LZMAError,
    zlib.error,
    zipfile.BadZipFile,
    RuntimeError,
    NotImplementedError,
    ValueError,
    IndexError,
)
KEPT = 2  # unpacked files that are kept at a time
KINDS: dict[str, Any] = {"gzip": gzip.open, "xz": lzma.open, "bzip2": bz2.open, "zip": zipfile.ZipFile, "zstd": None}


def unpacked(path: Path, kind: str) -> tuple[Path, str]:
    """The file that was in a packed one, by the name of that, so that messages name it, and the ending of its own. kind: of KINDS.

    Raises InputError where it is damaged, holds several files, or becomes far more than packing makes of numbers.
    """
    facts = path.stat()
    folder, name = kept(str(path.absolute()), kind, facts.st_size, facts.st_mtime_ns)
    return Path(folder.name) / path.name, Path(name).suffix.lower()


@lru_cache(KEPT)
def kept(path: str, kind: str, size: int, changed: int) -> tuple[Temporary, str]:
    """A folder with the one file unpacked, and what that is called. size, changed: of the packed file, which is
    unpacked anew when it changes."""
    source = Path(path)
    folder = Temporary()
    try:
        with opened(source, kind) as (packed, inner), open(Path(folder.name) / source.name, "wb") as file:
            copy(packed, file, size, source.name, shutil.disk_usage(folder.name).free)
    except InputError:
        folder.cleanup()
        raise
    except DAMAGED as error:
        folder.cleanup()
        if isinstance(error, OSError) and error.errno:  # the system's, not the file's
            raise
        raise InputError(f"{source.name} is damaged, cut short or encrypted, so it cannot be unpacked; fetch it again.") from error
    return folder, inner


@contextmanager
def opened(path: Path, kind: str) -> Iterator[tuple[Any, str]]:
    """What gives the unpacked bytes, and the name of the file that they are."""
    if kind == "zip":
        with zipfile.ZipFile(path) as archive:
            members = [each for each in archive.infolist() if not each.is_dir() and not each.filename.startswith("__MACOSX/")]
            if len(members) != 1:
                names = ", ".join(each.filename for each in members[:5])
                raise InputError(f"{path.name} holds {len(members):,} files ({names}); unpack it and give the one with the matrix.")
            check_unpacks(members[0].file_size, path.stat().st_size, path.name)
            with archive.open(members[0]) as file:
                yield file, members[0].filename
    elif kind == "zstd":
        import zstandard

        try:
            with open(path, "rb") as raw, zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True) as file:
                yield file, path.stem
        except zstandard.ZstdError as error:
            raise EOFError from error
    else:
        with KINDS[kind](path) as file:
            yield file, path.stem


def copy(packed: Any, file: IO[bytes], size: int, name: str, free: int) -> None:
    """Writes what is unpacked; InputError where it becomes too much for a packed file of that size, or for the disk."""
    done = 0
    while part := packed.read(CHUNK):
        done += len(part)
        check_unpacks(done, size, name)
        if done > 0.9 * free:
            raise InputError(
                f"{name} unpacks to more than the {bytes_text(free)} that the disk has; make room, or unpack it elsewhere."
            )
        file.write(part)
    if not done:
        raise InputError(f"{name} has an empty file in it; fetch it again.")
