"""Files that people upload: on disk under the digest of their content, for as long as a session that uses them lives.

The address names one as `upload:DIGEST/NAME`, so that a page that is loaded again, which is a new session, finds it.
"""

import shutil
import threading
import weakref
from collections import Counter
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import ClassVar

import streamlit as st

from compress.files import Temporary, replacing
from pages.parts import paths
from pages.parts.say import refused

UPLOAD = "upload:"
HELD = 2  # in a place: the one in use, and the one that was given last, which may be no good


@cache
def root() -> Temporary:
    """Goes with the server."""
    return Temporary()


def folder() -> Path:
    return Path(root().name)


class Uploads:
    """What a session holds, the newest last, by place; all of it is let go when the session ends."""

    users: ClassVar[Counter[str]] = Counter()  # sessions' uses, by digest
    lock = threading.RLock()  # a session may end, and be collected, in the middle of any call

    def __init__(self):
        self.digests: dict[str, list[str]] = {}
        weakref.finalize(self, Uploads.left, self.digests)

    def use(self, digest: str, place: str, in_use: str | None = None) -> None:
        """Holds one more, and lets go of the oldest that is not in use."""
        with self.lock:
            held = self.digests.setdefault(place, [])
            if digest in held:
                held.remove(digest)
            else:
                self.users[digest] += 1
            held.append(digest)
            for old in [each for each in held if each not in (digest, in_use)][: len(held) - HELD]:
                held.remove(old)
                self.drop(old)

    @classmethod
    def left(cls, digests: dict[str, list[str]]) -> None:
        for held in digests.values():
            for digest in held:
                cls.drop(digest)

    @classmethod
    def drop(cls, digest: str) -> None:
        with cls.lock:
            cls.users[digest] -= 1
            if cls.users[digest] <= 0:
                del cls.users[digest]
                shutil.rmtree(folder() / digest, ignore_errors=True)


def held_here() -> Uploads:
    return st.session_state.setdefault("uploads", Uploads())


def kept_upload(held, place: str = "tables", in_use: str | None = None) -> str:
    """The path of an uploaded file, written once; it is named as the person named it. in_use: the path that the place uses now."""
    content = held.getbuffer()
    digest = blake2b(content, digest_size=16).hexdigest()
    stem = "".join(letter for letter in Path(held.name).stem if letter.isprintable() and letter not in "/\\:")
    stem = stem.strip(" .")[:60] or "table"
    name = f"{stem}{Path(held.name).suffix}"
    with Uploads.lock:
        held_here().use(digest, place, digest_of(in_use))
        path = folder() / digest / name
        try:
            if not path.exists():
                path.parent.mkdir(exist_ok=True)
                with replacing(path) as file:
                    file.write(content)
        except OSError as error:
            refused(f"{name} cannot be kept ({error.strerror}); the temporary folder {folder()} needs room.")
            st.stop()
    return str(path)


def is_upload(path: str) -> bool:
    return folder() in Path(path).parents and ".." not in Path(path).parts


def digest_of(path: str | None) -> str | None:
    return Path(path).parent.name if path and is_upload(path) else None


def spelled(text: str) -> str:
    """A source, or weights, as an address says them: an upload by its digest, without the folder it lies in."""
    return paths.spelled(text.replace(f"{folder()}/", UPLOAD, 1))


def found(text: str, place: str = "tables") -> str | None:
    """What `spelled` made of a path, as a path again; None where that upload is no longer kept. Holds it for this session."""
    before, upload, named = text.partition(UPLOAD)
    if not upload:
        return text
    digest, _, name = named.partition("/")
    with Uploads.lock:
        kept = digest.isalnum() and digest in Uploads.users
        if not kept or "/" in name or name.startswith("."):
            return None
        held_here().use(digest, place)
    return f"{before}{folder() / digest / name}"
