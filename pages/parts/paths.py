"""Paths on this machine: who may name which, and how sentences name them to others.

At home is a session that a browser of this machine asked for by a name of this machine, with no proxy between. All others may name
what lies in the folder FLATLAND_PATHS, relative to it, and without one nothing.
"""

import os
import re
import sys
import tempfile
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import streamlit as st

from compress import InputError, cache

PROXIES = ("Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP")  # what they add
AT_HOME = "at home"  # in the session's state
FOLDERS = re.compile(r"(?<![\w/.])(?!//)~?(?:/[^\s/'\"]+)*/(?=[^\s/])")  # of a path in a sentence, up to its last part


def is_local() -> bool:
    """Whether the session is at home, so that any path may be named; one that once was not stays so."""
    asked = st.context.headers
    known = st.session_state.get(AT_HOME)
    if known is None or (known and asked):  # there are none while the browser is gone
        known = is_loopback(st.get_option("server.address")) and asked_at_home(asked)
        st.session_state[AT_HOME] = known
    return known


def asked_at_home(headers) -> bool:
    """Whether a request names this machine as a browser on it does: a page of another site that resolves to it names that site."""
    asked = [f"//{headers.get('Host', '')}", *filter(None, [headers.get("Origin")])]
    try:
        return all(is_loopback(urlsplit(each).hostname) for each in asked) and not any(map(headers.get, PROXIES))
    except ValueError:  # no such name can be
        return False


def is_loopback(host: str | None) -> bool:
    """Whether only this machine has the name, or address, of a host."""
    if not host or host.lower() == "localhost":
        return bool(host)
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def open_folder() -> Path | None:
    """The folder that is open to others, with its links followed; None where there is none."""
    chosen = os.environ.get("FLATLAND_PATHS")
    folder = Path(chosen).expanduser().resolve() if chosen else None
    return folder if folder and folder.is_dir() else None


def may_name() -> bool:
    """Whether paths may be named in this session."""
    return is_local() or open_folder() is not None


def named(text: str) -> str:
    """The path that a person means. Raises InputError where it is not theirs to name; what is not there and what is elsewhere are
    told in the same words."""
    if is_local():
        return str(Path(text).expanduser().absolute())
    folder = open_folder()
    if folder is None:
        raise InputError("Files on the machine that runs this app cannot be opened from here; upload the file.")
    try:
        path = (folder / text).resolve(strict=True)
        within = path.is_relative_to(folder) and all(each.resolve().is_relative_to(folder) for each in links_in(path))
    except (OSError, ValueError, RuntimeError):
        within = False
    if not within:
        raise InputError(f"There is no {text[:80]} in the folder that is open here; name a file or a folder that lies in it.")
    return str(path)


def links_in(path: Path) -> list[Path]:
    """The links below a folder, which lead anywhere."""
    every = [Path(above, name) for above, folders, files in os.walk(path) for name in (*folders, *files)]
    return [each for each in every if each.is_symlink()]


def spelled(text: str) -> str:
    """A path, or what names one, as its person does: for others relative to the folder that is open to them."""
    folder = None if is_local() else open_folder()
    return text.replace(f"{folder}/", "", 1) if folder else text


def told(text: str) -> str:
    """A sentence for whoever reads it: others are told the names of files and not where they lie."""
    if is_local():
        return text
    known = (cache.chosen(), tempfile.gettempdir(), Path.cwd(), sys.prefix, Path.home(), open_folder())
    for folder in sorted(map(str, filter(None, known)), key=len, reverse=True):  # whose names may hold spaces
        text = text.replace(f"{folder}/", "/")
    return FOLDERS.sub("", text)


def hide_details() -> None:
    """Shows no traceback, which names folders, from when the first session of the server is not at home."""
    if not is_local():
        st.set_option("client.showErrorDetails", "none")
